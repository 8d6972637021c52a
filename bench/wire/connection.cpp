#include "wire/connection.hpp"

#include <protocol/handshake.hpp>
#include <protocol/message.hpp>
#include <protocol/upgrade.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <cstring>

namespace shaddock::bench {
namespace asio = boost::asio;
namespace {

/// What a server may send in one WebSocket message; generous, because users lists grow.
constexpr std::size_t message_limit_bytes = std::size_t{4} * 1024 * 1024;
constexpr std::size_t read_bytes = std::size_t{16} * 1024;

} // namespace

std::shared_ptr<connection> connection::open(wire_context& context,
                                             const asio::ip::tcp::endpoint& to,
                                             connection_events& events) {
    auto made = std::make_shared<connection>(context, events);
    made->start(to);
    return made;
}

connection::connection(wire_context& context, connection_events& events)
    : context_(context), events_(&events), socket_(context.io), heartbeat_(context.io),
      decoder_(protocol::websocket_peer::server, message_limit_bytes), in_(read_bytes, '\0') {}

void connection::start(const asio::ip::tcp::endpoint& to) {
    host_ = to.address().to_string() + ":" + std::to_string(to.port());
    socket_.async_connect(to, [self = shared_from_this()](boost::system::error_code failed) {
        self->context_.refresh();
        if (self->phase_ == phase::closed) {
            return;
        }
        if (failed) {
            self->fail("connect: " + failed.message());
            return;
        }
        self->upgrade();
    });
}

void connection::upgrade() {
    boost::system::error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    phase_ = phase::upgrading;
    key_ = protocol::make_websocket_key(context_.random(), context_.random());
    out_ += protocol::make_upgrade_request(host_, "/", key_);
    flush_later();
    read();
}

void connection::request(std::uint32_t id, std::string_view route, std::string_view body) {
    if (phase_ != phase::working) {
        return;
    }
    const auto code = server_->route_to_code.find(route);
    protocol::message asked;
    asked.type = protocol::message_type::request;
    asked.id = id;
    asked.route = route;
    asked.route_code = code == server_->route_to_code.end() ? std::uint16_t{0} : code->second;
    asked.body = body;
    package_.clear();
    if (protocol::append_message_package(package_, asked)) {
        put_package(package_);
    }
}

void connection::close() {
    phase_ = phase::closed;
    heartbeat_.cancel();
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
}

void connection::read() {
    socket_.async_read_some(
        asio::buffer(in_.data() + filled_, in_.size() - filled_),
        [self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
            self->context_.refresh();
            if (self->phase_ == phase::closed) {
                return;
            }
            if (failed) {
                self->fail(failed == asio::error::eof ? "end of stream" : failed.message());
                return;
            }
            self->take(size);
            if (self->phase_ != phase::closed) {
                self->read();
            }
        });
}

void connection::take(std::size_t size) {
    filled_ += size;
    std::size_t used = 0;
    if (phase_ == phase::upgrading) {
        used = take_upgrade(filled_);
    }
    if (phase_ == phase::shaking || phase_ == phase::working) {
        if (used > 0) {
            filled_ -= used;
            std::memmove(in_.data(), in_.data() + used, filled_);
        }
        used = take_frames(filled_);
    }
    filled_ -= used;
    std::memmove(in_.data(), in_.data() + used, filled_);
    if (filled_ == in_.size()) {
        in_.resize(in_.size() * 2);
    }
}

std::size_t connection::take_upgrade(std::size_t size) {
    const auto outcome = protocol::check_upgrade_response({in_.data(), size}, key_);
    if (outcome.status == protocol::upgrade_status::refused) {
        mangled(std::string("upgrade: ") + outcome.problem);
        return 0;
    }
    if (outcome.status == protocol::upgrade_status::accepted) {
        phase_ = phase::shaking;
        protocol::handshake_request hello;
        hello.client_type = "shaddock-load";
        hello.client_version = "0.1.0";
        if (const auto package = protocol::encode_package(
                protocol::package_type::handshake, protocol::handshake_request_body(hello))) {
            put_package(*package);
        }
    }
    return outcome.used;
}

std::size_t connection::take_frames(std::size_t size) {
    std::size_t used = 0;
    for (;;) {
        const auto event = decoder_.next(in_.data() + used, size - used);
        using kind = protocol::websocket_event_kind;
        switch (event.kind) {
        case kind::need_more:
            return used + event.used;
        case kind::binary:
            take_packages(event.payload);
            break;
        case kind::ping:
            put_frame(protocol::websocket_opcode::pong, event.payload);
            break;
        case kind::pong:
            break;
        case kind::close:
            fail("close frame " + std::to_string(event.code));
            break;
        case kind::text:
            mangled("a text frame");
            break;
        case kind::error:
            mangled(event.problem);
            break;
        }
        if (phase_ == phase::closed) {
            return size;
        }
        used += event.used;
    }
}

void connection::take_packages(std::string_view payload) {
    while (!payload.empty() && phase_ != phase::closed) {
        const auto cut = protocol::cut_package(payload, protocol::max_package_body_bytes);
        if (cut.status != protocol::cut_status::ok) {
            mangled("a broken package");
            return;
        }
        take_package(cut);
        payload.remove_prefix(cut.size);
    }
}

void connection::take_package(const protocol::package_cut& cut) {
    switch (cut.type) {
    case protocol::package_type::handshake:
        take_handshake(cut.body);
        break;
    case protocol::package_type::data:
        take_message(cut.body);
        break;
    case protocol::package_type::kick:
        events_->on_kick(cut.body);
        break;
    case protocol::package_type::heartbeat:
        break;
    case protocol::package_type::handshake_ack:
        mangled("a handshake ack");
        break;
    }
}

void connection::take_handshake(std::string_view body) {
    if (phase_ != phase::shaking) {
        mangled("a second handshake answer");
        return;
    }
    if (context_.handshake_text != body) {
        context_.handshake_text = body;
        context_.handshake = std::make_shared<const handshake_reply>(parse_handshake_reply(body));
    }
    server_ = context_.handshake;
    if (!server_->problem.empty()) {
        mangled(server_->problem);
        return;
    }
    phase_ = phase::working;
    put_package(protocol::handshake_ack_package);
    if (server_->heartbeat_s > 0) {
        beat();
    }
    events_->on_ready();
}

void connection::take_message(std::string_view body) {
    const auto read = protocol::decode_message(body);
    if (!read || phase_ != phase::working) {
        mangled(read ? "data before the handshake answer" : read.error().text());
        return;
    }
    if (read->type == protocol::message_type::response) {
        events_->on_response(read->id, read->body);
        return;
    }
    if (read->type != protocol::message_type::push) {
        mangled("a message that is neither response nor push");
        return;
    }
    std::string_view route = read->route;
    if (read->route_code != 0) {
        const auto known = server_->code_to_route.find(read->route_code);
        if (known == server_->code_to_route.end()) {
            mangled("a push with an unknown route code");
            return;
        }
        route = known->second;
    }
    const auto proto = server_->protos.find(route);
    events_->on_push(route, read->body, proto == server_->protos.end() ? nullptr : &proto->second);
}

/// The server answers each; whether it does is not checked here, silence ends in its own timeout.
void connection::beat() {
    heartbeat_.expires_after(std::chrono::seconds(server_->heartbeat_s));
    heartbeat_.async_wait([self = shared_from_this()](boost::system::error_code failed) {
        if (!failed && self->phase_ == phase::working) {
            self->put_package(protocol::heartbeat_package);
            self->beat();
        }
    });
}

void connection::put_package(std::string_view package) {
    put_frame(protocol::websocket_opcode::binary, package);
}

void connection::put_frame(protocol::websocket_opcode opcode, std::string_view payload) {
    protocol::append_masked_websocket_frame(out_, opcode, payload,
                                            static_cast<std::uint32_t>(context_.random()));
    flush_later();
}

void connection::flush_later() {
    if (is_flushing_ || is_writing_) {
        return;
    }
    is_flushing_ = true;
    asio::post(context_.io, [self = shared_from_this()] {
        self->is_flushing_ = false;
        self->flush();
    });
}

void connection::flush() {
    if (phase_ == phase::closed || out_.empty()) {
        return;
    }
    is_writing_ = true;
    writing_.clear();
    std::swap(writing_, out_);
    asio::async_write(socket_, asio::buffer(writing_),
                      [self = shared_from_this()](boost::system::error_code failed, std::size_t) {
                          self->is_writing_ = false;
                          // A broken socket is reported by the read, after what is still to read.
                          if (!failed) {
                              self->flush();
                          }
                      });
}

void connection::fail(std::string_view reason) {
    close();
    events_->on_closed(reason);
}

void connection::mangled(std::string_view what) {
    events_->on_mangled(what);
    if (phase_ != phase::closed) {
        fail("closed by this client");
    }
}

} // namespace shaddock::bench
