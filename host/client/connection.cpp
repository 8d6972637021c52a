#include "client/connection.hpp"

#include "framing.hpp"

#include <protocol/handshake.hpp>
#include <shaddock/detail/json_parse.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <map>
#include <optional>
#include <utility>

namespace shaddock::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t pending_limit = 1024;
constexpr std::size_t out_limit_bytes = std::size_t{16} * 1024 * 1024;
constexpr std::size_t read_bytes = std::size_t{16} * 1024;

std::string seconds_text(base::duration time) {
    return fmt::format("{:g} s", std::chrono::duration<double>(time).count());
}

/// The reason in a kick's body, or the body itself.
std::string kick_reason(std::string_view body) {
    const detail::parsed text(body);
    if (text.problem().empty() && text.root().IsObject()) {
        const auto reason = text.root().FindMember("reason");
        if (reason != text.root().MemberEnd() && reason->value.IsString()) {
            return std::string(detail::text_of(reason->value));
        }
    }
    return std::string(body);
}

class wire_connection final : public connection,
                              public framing::sink,
                              public std::enable_shared_from_this<wire_connection> {
public:
    wire_connection(asio::io_context& loop, base::clock& clock, base::random& random,
                    connect_options options, connection_events& events)
        : clock_(clock), options_(std::move(options)), events_(&events), resolver_(loop),
          socket_(loop), framing_(options_.over, options_.to.text(), random, *this),
          in_(read_bytes, '\0') {}

    void start();
    void request(std::string_view route, std::string_view body, answer_call answered) override;
    result<void> notify(std::string_view route, std::string_view body) override;
    const agreement& agreed() const override { return *agreed_; }
    void close() override;

private:
    struct asked {
        std::string route;
        answer_call answered;
        base::timer patience;
    };

    void connect(const tcp::resolver::results_type& to);
    void connected();
    void read();
    void take(std::string_view bytes);

    void opened() override;
    bool package(const protocol::package_cut& cut) override;
    void reply(std::string_view bytes) override;

    void take_handshake(std::string_view body);
    void take_message(std::string_view body);
    void take_answer(std::uint32_t id, std::string_view body);
    void beat();
    void watch_silence();

    /// Writes a message into the queue.
    result<void> send(std::uint32_t id, std::string_view route, std::string_view body);
    void give_up(std::uint32_t id);
    void answer_later(answer_call answered, error why);
    void put(std::string_view package);
    void flush_later();
    void flush();
    void fail(const error& why);
    void release();

    bool is_closed() const { return is_closed_; }

    base::clock& clock_;
    connect_options options_;
    /// Null: nothing more is to be said.
    connection_events* events_;
    tcp::resolver resolver_;
    tcp::socket socket_;
    framing framing_;
    std::optional<agreement> agreed_;
    std::map<std::uint32_t, asked> pending_;
    std::uint32_t last_id_ = 0;
    base::timer patience_;
    base::timer heartbeat_;
    base::timer silence_;
    base::time_point heard_{};
    std::string in_;
    std::string out_;
    std::string writing_;
    bool is_flushing_ = false;
    bool is_writing_ = false;
    bool is_closed_ = false;
    /// By close(): nobody is to be called any more.
    bool is_given_up_ = false;
};

void wire_connection::start() {
    patience_ = clock_.after(options_.connect_timeout, [self = weak_from_this()] {
        if (const auto alive = self.lock()) {
            alive->fail(
                {errc::timeout, fmt::format("no handshake within {}",
                                            seconds_text(alive->options_.connect_timeout))});
        }
    });
    resolver_.async_resolve(
        options_.to.host, std::to_string(options_.to.port), tcp::resolver::numeric_service,
        [self = shared_from_this()](error_code failed, const tcp::resolver::results_type& to) {
            if (self->is_closed()) {
                return;
            }
            if (failed) {
                self->fail({errc::no_server, "no such host: " + failed.message()});
                return;
            }
            self->connect(to);
        });
}

void wire_connection::connect(const tcp::resolver::results_type& to) {
    asio::async_connect(socket_, to,
                        [self = shared_from_this()](error_code failed, const tcp::endpoint&) {
                            if (self->is_closed()) {
                                return;
                            }
                            if (failed) {
                                self->fail({errc::no_server, "no connection: " + failed.message()});
                                return;
                            }
                            self->connected();
                        });
}

void wire_connection::connected() {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    out_ += framing_.start();
    flush_later();
    read();
}

void wire_connection::read() {
    socket_.async_read_some(
        asio::buffer(in_), [self = shared_from_this()](error_code failed, std::size_t size) {
            if (self->is_closed()) {
                return;
            }
            if (failed) {
                self->fail({errc::closed, failed == asio::error::eof ? "closed by the server"
                                                                     : failed.message()});
                return;
            }
            self->take({self->in_.data(), size});
            if (!self->is_closed()) {
                self->read();
            }
        });
}

void wire_connection::take(std::string_view bytes) {
    heard_ = clock_.now();
    if (auto taken = framing_.take(bytes); !taken) {
        fail(taken.error());
    }
}

void wire_connection::opened() {
    protocol::handshake_request hello;
    hello.client_type = "shaddock-host";
    hello.client_version = SHADDOCK_VERSION;
    put(*protocol::encode_package(protocol::package_type::handshake,
                                  protocol::handshake_request_body(hello)));
}

bool wire_connection::package(const protocol::package_cut& cut) {
    switch (cut.type) {
    case protocol::package_type::handshake:
        take_handshake(cut.body);
        break;
    case protocol::package_type::heartbeat:
        beat();
        break;
    case protocol::package_type::data:
        take_message(cut.body);
        break;
    case protocol::package_type::kick:
        fail({errc::refused, "kicked: " + kick_reason(cut.body)});
        break;
    case protocol::package_type::handshake_ack:
        fail({errc::bad_request, "the server broke the protocol: a handshake ack"});
        break;
    }
    return !is_closed();
}

void wire_connection::reply(std::string_view bytes) {
    out_ += bytes;
    flush_later();
}

void wire_connection::take_handshake(std::string_view body) {
    if (agreed_) {
        fail({errc::bad_request, "the server broke the protocol: a second handshake answer"});
        return;
    }
    auto read = agreement::parse(body);
    if (!read) {
        fail(read.error());
        return;
    }
    agreed_.emplace(std::move(*read));
    patience_.cancel();
    put(protocol::handshake_ack_package);
    if (agreed_->heartbeat_s() > 0) {
        watch_silence();
    }
    events_->on_open();
}

void wire_connection::take_message(std::string_view body) {
    const auto said = protocol::decode_message(body);
    if (!said || !agreed_) {
        fail({errc::bad_request,
              fmt::format("the server broke the protocol: {}",
                          said ? "data before the handshake answer" : said.error().text())});
        return;
    }
    if (said->type == protocol::message_type::response) {
        take_answer(said->id, said->body);
        return;
    }
    if (said->type != protocol::message_type::push) {
        fail({errc::bad_request,
              "the server broke the protocol: a message that is neither answer nor push"});
        return;
    }
    const auto push = agreed_->read_push(*said);
    if (!push) {
        fail({errc::bad_request, "the server broke the protocol: " + push.error().text()});
        return;
    }
    events_->on_push(push->route, push->body);
}

void wire_connection::take_answer(std::uint32_t id, std::string_view body) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) {
        return; // it came too late
    }
    auto waiting = std::move(found->second);
    pending_.erase(found);
    waiting.answered(agreed_->read_answer(waiting.route, body));
}

/// The server never begins: it answers each of ours.
void wire_connection::beat() {
    if (!agreed_ || agreed_->heartbeat_s() == 0) {
        return;
    }
    heartbeat_ =
        clock_.after(std::chrono::seconds(agreed_->heartbeat_s()), [self = weak_from_this()] {
            if (const auto alive = self.lock()) {
                alive->put(protocol::heartbeat_package);
            }
        });
}

/// Twice the heartbeat without a byte.
void wire_connection::watch_silence() {
    const base::duration limit = std::chrono::seconds(2 * std::int64_t{agreed_->heartbeat_s()});
    silence_ = clock_.at(heard_ + limit, [self = weak_from_this(), limit] {
        const auto alive = self.lock();
        if (!alive) {
            return;
        }
        if (alive->clock_.now() - alive->heard_ >= limit) {
            alive->fail(
                {errc::timeout, fmt::format("no sign of life for {}", seconds_text(limit))});
            return;
        }
        alive->watch_silence();
    });
}

result<void> wire_connection::send(std::uint32_t id, std::string_view route,
                                   std::string_view body) {
    if (is_closed() || !agreed_) {
        return error(errc::closed, fmt::format("{}: not connected", options_.to.text()));
    }
    std::string package;
    if (auto written = agreed_->append_package(package, id, route, body); !written) {
        return written;
    }
    if (pending_.size() >= pending_limit || out_.size() + package.size() > out_limit_bytes) {
        return error(errc::overloaded,
                     fmt::format("{}: {} requests and {} bytes wait already", options_.to.text(),
                                 pending_.size(), out_.size()));
    }
    put(package);
    return {};
}

void wire_connection::request(std::string_view route, std::string_view body, answer_call answered) {
    // Id 0 would be a notify.
    const auto id = last_id_ + 1 == 0 ? 1 : last_id_ + 1;
    if (auto sent = send(id, route, body); !sent) {
        answer_later(std::move(answered), sent.error());
        return;
    }
    last_id_ = id;
    asked waiting;
    waiting.route = route;
    waiting.answered = std::move(answered);
    waiting.patience = clock_.after(options_.request_timeout, [self = weak_from_this(), id] {
        if (const auto alive = self.lock()) {
            alive->give_up(id);
        }
    });
    pending_.insert_or_assign(id, std::move(waiting));
}

void wire_connection::give_up(std::uint32_t id) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) {
        return;
    }
    auto late = std::move(found->second);
    pending_.erase(found);
    late.answered(
        error(errc::timeout, fmt::format("{}: {}: no answer within {}", options_.to.text(),
                                         late.route, seconds_text(options_.request_timeout))));
}

void wire_connection::answer_later(answer_call answered, error why) {
    asio::post(socket_.get_executor(), [self = shared_from_this(), why = std::move(why),
                                        answered = std::move(answered)]() mutable {
        if (!self->is_given_up_) {
            answered(why);
        }
    });
}

result<void> wire_connection::notify(std::string_view route, std::string_view body) {
    return send(0, route, body);
}

void wire_connection::put(std::string_view package) {
    framing_.put(out_, package);
    flush_later();
}

void wire_connection::flush_later() {
    if (is_flushing_ || is_writing_) {
        return;
    }
    is_flushing_ = true;
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
        self->is_flushing_ = false;
        self->flush();
    });
}

void wire_connection::flush() {
    if (is_closed() || out_.empty()) {
        return;
    }
    is_writing_ = true;
    writing_.clear();
    std::swap(writing_, out_);
    asio::async_write(socket_, asio::buffer(writing_),
                      [self = shared_from_this()](error_code failed, std::size_t) {
                          self->is_writing_ = false;
                          // A broken socket is reported by the read, after what is still to read.
                          if (!failed) {
                              self->flush();
                          }
                      });
}

void wire_connection::fail(const error& why) {
    if (is_closed()) {
        return;
    }
    const error named(why.code(), fmt::format("{}: {}", options_.to.text(), why.text()));
    auto pending = std::exchange(pending_, {});
    release();
    for (auto& [id, waiting] : pending) {
        waiting.patience.cancel();
        if (!is_given_up_) {
            waiting.answered(named);
        }
    }
    if (auto* events = std::exchange(events_, nullptr)) {
        events->on_closed(named);
    }
}

void wire_connection::close() {
    events_ = nullptr;
    is_given_up_ = true;
    if (is_closed()) {
        return;
    }
    pending_.clear();
    if (!is_writing_ && !out_.empty()) {
        // What was said before the end, such as a notify, still goes out, if the system takes it.
        error_code ignored;
        socket_.non_blocking(true, ignored);
        socket_.write_some(asio::buffer(out_), ignored);
    }
    release();
}

void wire_connection::release() {
    is_closed_ = true;
    patience_.cancel();
    heartbeat_.cancel();
    silence_.cancel();
    error_code ignored;
    resolver_.cancel();
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
}

} // namespace

std::shared_ptr<connection> connection::open(asio::io_context& loop, base::clock& clock,
                                             base::random& random, connect_options options,
                                             connection_events& events) {
    auto made = std::make_shared<wire_connection>(loop, clock, random, std::move(options), events);
    made->start();
    return made;
}

} // namespace shaddock::client
