#include "fake_frontend.hpp"

#include <protocol/upgrade.hpp>
#include <protocol/websocket.hpp>

#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <array>

namespace shaddock::client::testing {

namespace asio = boost::asio;
using asio::ip::tcp;

/// The server's half of a connection.
class fake_frontend::peer : public std::enable_shared_from_this<peer> {
public:
    peer(fake_frontend& owner, tcp::socket socket)
        : owner_(&owner), socket_(std::move(socket)),
          decoder_(protocol::websocket_peer::client, std::size_t{1} << 20U) {}

    void read() {
        socket_.async_read_some(
            asio::buffer(buffer_),
            [self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
                if (self->owner_ == nullptr) {
                    return;
                }
                if (failed) {
                    self->owner_->is_over = true;
                    return;
                }
                self->in_.append(self->buffer_.data(), size);
                self->take();
                self->read();
            });
    }
    void send(std::string_view package) {
        std::string frame;
        if (is_websocket_) {
            protocol::append_websocket_frame(frame, protocol::websocket_opcode::binary, package);
        }
        send_raw(is_websocket_ ? frame : package);
    }
    void send_raw(std::string_view bytes) {
        boost::system::error_code ignored;
        asio::write(socket_, asio::buffer(bytes), ignored);
    }
    void close() {
        owner_ = nullptr;
        boost::system::error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_both, ignored);
        socket_.close(ignored);
    }

private:
    void take() {
        if (!is_open_ && in_.front() != 'G') {
            is_open_ = true;
        }
        if (!is_open_) {
            const auto outcome = protocol::answer_upgrade_request(in_);
            if (outcome.status != protocol::upgrade_status::accepted) {
                return;
            }
            is_open_ = is_websocket_ = true;
            send_raw(outcome.answer);
            in_.erase(0, outcome.used);
        }
        if (!is_websocket_) {
            take_packages(in_);
            return;
        }
        for (;;) {
            const auto event = decoder_.next(in_.data(), in_.size());
            std::string payload(event.payload);
            in_.erase(0, event.used);
            if (event.kind != protocol::websocket_event_kind::binary) {
                return;
            }
            take_packages(payload);
        }
    }
    void take_packages(std::string& from) {
        for (;;) {
            const auto cut = protocol::cut_package(from, protocol::max_package_body_bytes);
            if (cut.status != protocol::cut_status::ok || owner_ == nullptr) {
                return;
            }
            owner_->take(cut);
            from.erase(0, cut.size);
        }
    }

    fake_frontend* owner_;
    tcp::socket socket_;
    protocol::websocket_decoder decoder_;
    std::array<char, 4096> buffer_{};
    std::string in_;
    bool is_open_ = false;
    bool is_websocket_ = false;
};

fake_frontend::fake_frontend(asio::io_context& loop)
    : acceptor_(loop, {asio::ip::make_address("127.0.0.1"), 0}),
      port_(acceptor_.local_endpoint().port()) {
    accept();
}

fake_frontend::~fake_frontend() {
    close();
}

void fake_frontend::accept() {
    acceptor_.async_accept([this](boost::system::error_code failed, tcp::socket socket) {
        if (failed) {
            return;
        }
        close();
        ++connections;
        is_over = false;
        socket.set_option(tcp::no_delay(true));
        peer_ = std::make_shared<peer>(*this, std::move(socket));
        peer_->read();
        accept();
    });
}

void fake_frontend::take(const protocol::package_cut& cut) {
    switch (cut.type) {
    case protocol::package_type::handshake:
        handshakes.emplace_back(cut.body);
        if (!handshake.empty()) {
            send(protocol::package_type::handshake, handshake);
        }
        break;
    case protocol::package_type::handshake_ack:
        ++acks;
        break;
    case protocol::package_type::heartbeat:
        ++heartbeats;
        break;
    default:
        take_message(cut.body);
        break;
    }
}

void fake_frontend::take_message(std::string_view body) {
    const auto said = *protocol::decode_message(body);
    const auto text = std::string(said.route) + " " + std::string(said.body);
    if (said.type == protocol::message_type::notify) {
        notifies.push_back(text);
        return;
    }
    requests.push_back(text);
    const auto reply =
        on_request ? on_request(said.route, said.body) : std::optional<std::string>("{}");
    if (reply) {
        answer(said.id, *reply);
    }
}

void fake_frontend::send(protocol::package_type type, std::string_view body) {
    peer_->send(*protocol::encode_package(type, body));
}

void fake_frontend::push(std::string_view route, std::string_view body) {
    std::string package;
    ASSERT_TRUE(protocol::append_push_package(package, route, body));
    peer_->send(package);
}

void fake_frontend::answer(std::uint32_t id, std::string_view body) {
    std::string package;
    ASSERT_TRUE(protocol::append_response_package(package, id, body));
    peer_->send(package);
}

void fake_frontend::send_raw(std::string_view bytes) {
    peer_->send_raw(bytes);
}

void fake_frontend::close() {
    if (peer_) {
        peer_->close();
        peer_ = nullptr;
    }
}

bool run_until(asio::io_context& loop, const std::function<bool()>& is_true) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    loop.restart();
    while (!is_true()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        loop.run_one_for(std::chrono::milliseconds(50));
        loop.restart();
    }
    return true;
}

void settle(asio::io_context& loop) {
    loop.restart();
    while (loop.run_one_for(std::chrono::milliseconds(30)) != 0) {
    }
    loop.restart();
}

} // namespace shaddock::client::testing
