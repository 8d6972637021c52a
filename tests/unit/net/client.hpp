#pragma once

#include <base/log.hpp>
#include <net/listener.hpp>
#include <protocol/handshake.hpp>
#include <protocol/package.hpp>
#include <protocol/upgrade.hpp>
#include <protocol/websocket.hpp>

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A listener under a clock moved by hand, events that write down what happens, and clients on
/// loopback sockets; all in one thread that pumps the loop.
namespace shaddock::net::testing {

using protocol::package_type;
using namespace std::chrono_literals;

/// What on_handshake answers.
inline constexpr std::string_view accepted_json = R"({"code":200,"sys":{}})";

/// One whole package.
inline std::string package(package_type type, std::string_view body = {}) {
    return protocol::encode_package(type, body).value();
}
inline std::string data_package(std::string_view body) {
    return package(package_type::data, body);
}

/// What the log says meanwhile, in a file of its own.
class kept_log {
public:
    kept_log() {
        EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
        base::log::options wanted;
        wanted.file = folder_ + "/log";
        wanted.console = false;
        base::log::start("test", wanted);
    }
    kept_log(const kept_log&) = delete;
    kept_log& operator=(const kept_log&) = delete;
    ~kept_log() {
        base::log::start("test", {});
        std::filesystem::remove_all(folder_);
    }
    /// Those in which `word` is, so far.
    std::vector<std::string> lines(std::string_view word) const {
        std::vector<std::string> found;
        std::ifstream file(folder_ + "/log");
        for (std::string line; std::getline(file, line);) {
            if (line.find(word) != line.npos) {
                found.push_back(line);
            }
        }
        return found;
    }

private:
    std::string folder_ = ::testing::TempDir() + "net_log_XXXXXX";
};

/// A listener's events: notes them, and does what a test hangs into the hooks.
class noted_events final : public listener_events {
public:
    std::optional<handshake_answer> on_handshake(connection& from, std::string_view json) override {
        handshakes.emplace_back(json);
        if (handshake_hook) {
            return handshake_hook(from, json);
        }
        return handshake_answer{.accepted = true, .json = std::string(accepted_json)};
    }
    void on_ready(connection& from) override {
        ready.push_back(&from);
        if (ready_hook) {
            ready_hook(from);
        }
    }
    bool on_data(connection& from, std::string_view message) override {
        if (data_hook) {
            return data_hook(from, message);
        }
        data.emplace_back(message);
        return true;
    }
    std::string name_of(const connection& one) const override {
        const auto found = names.find(&one);
        return found == names.end() ? std::string() : found->second;
    }
    void on_closed(connection& which, std::string_view reason) override {
        closed.emplace_back(&which, reason);
        std::erase(ready, &which);
        if (closed_hook) {
            closed_hook(which);
        }
    }

    std::map<const connection*, std::string> names;
    std::vector<std::string> handshakes;
    std::vector<connection*> ready;
    std::vector<std::string> data;
    std::vector<std::pair<connection*, std::string>> closed;
    std::function<std::optional<handshake_answer>(connection&, std::string_view)> handshake_hook;
    std::function<void(connection&)> ready_hook;
    std::function<bool(connection&, std::string_view)> data_hook;
    std::function<void(connection&)> closed_hook;
};

/// One package as a client saw it.
struct seen_package {
    package_type type;
    std::string body;
    friend bool operator==(const seen_package&, const seen_package&) = default;
};

/// A loopback client. Reads only in `read`; non-blocking throughout.
class client {
public:
    /// `from`: the loopback address that it comes from.
    explicit client(std::uint16_t port, int receive_buffer = 0, const char* from = "127.0.0.1")
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        if (receive_buffer != 0) {
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        }
        const int yes = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        sockaddr_in own{};
        own.sin_family = AF_INET;
        ::inet_pton(AF_INET, from, &own.sin_addr);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        is_connected = ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    }
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() { drop(); }

    /// Sends as much as the kernel takes now; returns how much.
    std::size_t write(std::string_view bytes) const {
        const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return count < 0 ? 0 : static_cast<std::size_t>(count);
    }
    void write_upgrade() {
        key_ = protocol::make_websocket_key(1, 2);
        write(protocol::make_upgrade_request("127.0.0.1", "/", key_));
    }
    void write_frame(std::string_view payload,
                     protocol::websocket_opcode opcode = protocol::websocket_opcode::binary) {
        write(frame(payload, opcode));
    }
    void write_package(package_type type, std::string_view body = {}) {
        write_frame(protocol::encode_package(type, body).value());
    }
    static std::string
    frame(std::string_view payload,
          protocol::websocket_opcode opcode = protocol::websocket_opcode::binary) {
        std::string out;
        protocol::append_masked_websocket_frame(out, opcode, payload, 0x1badc0deU);
        return out;
    }
    /// FIN.
    void end_output() const { ::shutdown(socket_, SHUT_WR); }
    /// RST.
    void reset() {
        const linger now{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        drop();
    }
    void drop() {
        if (socket_ >= 0) {
            ::close(std::exchange(socket_, -1));
        }
    }

    /// Takes what is there and sorts it into the members below.
    void read() {
        char buffer[16384];
        while (socket_ >= 0 && !is_ended) {
            const auto count = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
            if (count > 0) {
                bytes_read += static_cast<std::size_t>(count);
                input_.append(buffer, static_cast<std::size_t>(count));
            } else if (count == 0) {
                is_ended = true;
            } else if (errno == EAGAIN) {
                break;
            } else {
                is_ended = is_reset = true;
            }
        }
        sort();
    }

    bool is_connected = false;
    /// Raw TCP: no WebSocket around the packages.
    bool is_raw = false;
    bool is_upgraded = false;
    int http_status = 0;
    std::string http_answer;
    std::deque<seen_package> packages;
    std::size_t frames = 0;
    std::vector<std::string> pongs;
    std::optional<std::uint16_t> close_code;
    std::string close_reason;
    bool is_ended = false;
    bool is_reset = false;
    /// What came does not parse.
    bool is_broken = false;
    std::size_t bytes_read = 0;

    std::size_t unparsed() const { return input_.size(); }
    int descriptor() const { return socket_; }

private:
    void sort() {
        if (is_raw) {
            input_.erase(0, sort_packages(input_));
            return;
        }
        if (!is_upgraded) {
            const auto outcome = protocol::check_upgrade_response(input_, key_);
            http_status = outcome.http_status;
            if (outcome.status != protocol::upgrade_status::accepted) {
                http_answer = input_;
                return;
            }
            is_upgraded = true;
            input_.erase(0, outcome.used);
        }
        sort_frames();
    }
    void sort_frames() {
        std::size_t used = 0;
        // Nothing may follow the close frame.
        is_broken |= close_code && !input_.empty();
        for (;;) {
            const auto event = decoder_.next(input_.data() + used, input_.size() - used);
            used += event.used;
            switch (event.kind) {
            case protocol::websocket_event_kind::binary:
                ++frames;
                is_broken |= sort_packages(event.payload) != event.payload.size();
                continue;
            case protocol::websocket_event_kind::pong:
                pongs.emplace_back(event.payload);
                continue;
            case protocol::websocket_event_kind::close:
                close_code = event.code;
                close_reason = event.payload;
                is_broken |= used < input_.size();
                continue;
            case protocol::websocket_event_kind::need_more:
                input_.erase(0, used);
                return;
            default:
                is_broken = true;
                input_.erase(0, used);
                return;
            }
        }
    }
    std::size_t sort_packages(std::string_view bytes) {
        std::size_t used = 0;
        for (;;) {
            const auto cut =
                protocol::cut_package(bytes.substr(used), protocol::max_package_body_bytes);
            if (cut.status != protocol::cut_status::ok) {
                is_broken |= cut.status != protocol::cut_status::need_more;
                return used;
            }
            packages.push_back({cut.type, std::string(cut.body)});
            used += cut.size;
        }
    }

    int socket_;
    std::string key_;
    std::string input_;
    protocol::websocket_decoder decoder_{protocol::websocket_peer::server, 1U << 24U};
};

/// The loop, the clock, the listener and its events; made anew for each test.
class house {
public:
    explicit house(listener_options options = {}) : options_(std::move(options)) {
        options_.host = options_.host.empty() ? "127.0.0.1" : options_.host;
        listener_ = make_listener(loop.get_executor(), clock, options_);
        started = listener_->start(events);
    }
    ~house() {
        for (auto& one : clients) {
            EXPECT_FALSE(one->is_broken);
            one->drop();
        }
        listener_.reset();
        loop.restart();
        loop.poll();
    }

    listener& port() { return *listener_; }
    const listener_counts& counts() const { return std::as_const(*listener_).counts(); }

    std::uint64_t protocol_errors() const {
        return counts().of(drop::protocol_error) + counts().of(drop::too_long);
    }
    std::uint64_t timeouts() const {
        return counts().of(drop::handshake_timeout) + counts().of(drop::ack_timeout) +
               counts().of(drop::heartbeat_timeout) + counts().of(drop::idle);
    }

    /// Runs the loop and lets `all` clients read until `is_true`; false after 5 s.
    template <class Condition>
    bool until(Condition is_true) {
        const auto limit = std::chrono::steady_clock::now() + 5s;
        while (!is_true()) {
            if (std::chrono::steady_clock::now() > limit) {
                return false;
            }
            turn();
        }
        return true;
    }
    /// Until nothing happens any more: bytes on loopback are there at once.
    void settle() {
        for (int quiet = 0; quiet < 3;) {
            quiet = turn() ? 0 : quiet + 1;
        }
    }
    /// Time passes, and the loop does what follows from it.
    void pass(base::duration by) {
        clock.advance(by);
        settle();
    }

    client& connect(int receive_buffer = 0) {
        clients.push_back(std::make_unique<client>(listener_->port(), receive_buffer));
        return *clients.back();
    }
    client& connect_from(const char* address) {
        clients.push_back(std::make_unique<client>(listener_->port(), 0, address));
        return *clients.back();
    }
    client& upgraded(int receive_buffer = 0) {
        auto& one = connect(receive_buffer);
        one.write_upgrade();
        until([&] { return one.is_upgraded; });
        return one;
    }
    client& greeted(int receive_buffer = 0) {
        auto& one = upgraded(receive_buffer);
        one.write_package(package_type::handshake, R"({"sys":{}})");
        until([&] { return !one.packages.empty(); });
        one.packages.clear();
        return one;
    }
    /// A client whose data flows. The connection is `events.ready.back()`.
    client& working(int receive_buffer = 0) {
        auto& one = greeted(receive_buffer);
        const auto before = events.ready.size();
        one.write_package(package_type::handshake_ack);
        until([&] { return events.ready.size() > before; });
        settle();
        one.packages.clear();
        return one;
    }

    boost::asio::io_context loop;
    base::manual_clock clock;
    noted_events events;
    std::vector<std::unique_ptr<client>> clients;
    /// Clients that do not read by themselves.
    std::vector<client*> lazy;
    result<void> started;

private:
    bool turn() {
        loop.restart();
        bool is_busy = loop.run_one_for(1ms) > 0;
        is_busy |= loop.poll() > 0;
        for (auto& one : clients) {
            if (std::find(lazy.begin(), lazy.end(), one.get()) == lazy.end()) {
                const auto before = one->bytes_read;
                const bool was_ended = one->is_ended;
                one->read();
                is_busy |= one->bytes_read != before || one->is_ended != was_ended;
            }
        }
        return is_busy;
    }

    listener_options options_;
    std::unique_ptr<listener> listener_;
};

} // namespace shaddock::net::testing
