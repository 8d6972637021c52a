#include "check.hpp"
#include "connection_set.hpp"
#include "memory_stream.hpp"
#include "seen_output.hpp"

#include <base/log.hpp>
#include <protocol/package.hpp>
#include <protocol/upgrade.hpp>
#include <protocol/websocket.hpp>

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace shaddock;
using namespace shaddock::net;
using namespace std::chrono_literals;
using fuzz::check;
using fuzz::look_at;
using fuzz::seen_output;
using net::testing::memory_wire;
using protocol::package_type;

namespace {

constexpr std::size_t package_limit = 4096;
constexpr std::size_t largest_push = std::size_t{15} * 512;
constexpr std::size_t most_clients = 4;
constexpr int most_steps = 300;
constexpr auto from_proxy = "10.0.0.1";

/// What is left of the input.
class program {
public:
    program(const unsigned char* data, std::size_t size)
        : left_(reinterpret_cast<const char*>(data), size) {}
    bool is_over() const { return left_.empty(); }
    unsigned byte() {
        const auto one = take(1);
        return one.empty() ? 0 : static_cast<unsigned char>(one.front());
    }
    std::string_view take(std::size_t size) {
        const auto front = left_.substr(0, size);
        left_.remove_prefix(front.size());
        return front;
    }

private:
    std::string_view left_;
};

/// The first two bytes of the input.
struct setting {
    explicit setting(program& from) : bits(from.byte() | from.byte() << 8U) {}
    bool has(unsigned number) const { return (bits >> number & 1U) != 0; }

    bool is_behind_proxy() const { return has(0); }
    bool is_websocket() const { return has(1); }
    bool logs_in() const { return has(2); }
    bool is_small() const { return has(3); }
    bool answers_late() const { return has(4); }
    bool thinks_about_handshakes() const { return has(5); }
    bool has_rates() const { return has(6); }
    bool has_heartbeats() const { return has(7); }
    bool is_crowded() const { return has(8); }
    bool greets_slowly() const { return has(9); }
    bool ends_at_once() const { return has(10); }

    listener_options options() const {
        listener_options made;
        made.package_limit = package_limit;
        made.pending_limit = is_small() ? 4096 : 65536;
        made.unanswered_limit = is_small() ? 1024 : 65536;
        made.input_limit = is_small() ? 8192 : 1U << 20U;
        made.output_limit = is_small() ? 16384 : 1U << 20U;
        made.heartbeat = has_heartbeats() ? 3s : 0s;
        made.proxy_protocol = is_behind_proxy();
        if (is_behind_proxy()) {
            made.trusted_proxies = base::network_set({base::parse_network(from_proxy).value()});
        }
        made.connections_limit = is_crowded() ? 2 : 0;
        made.handshake_rate = greets_slowly() ? 1 : 0;
        if (has_rates()) {
            made.rates = {
                .messages = 100, .message_burst = 10, .bytes = 1U << 20U, .byte_burst = 6000};
        }
        return made;
    }

    unsigned bits;
};

/// One peer, and what the owner of the events knows of it.
struct peer {
    explicit peer(boost::asio::any_io_executor loop) : wire(std::move(loop)) {}

    memory_wire wire;
    /// From ready to closed.
    connection* ready = nullptr;
    bool was_ready = false;
    bool was_closed = false;
    /// It has sent nothing but whole packages, and data only when it was ready.
    bool is_honest = true;
    std::size_t sent = 0;
    std::size_t read = 0;
    std::size_t answered = 0;
    /// Bytes of each request without an answer.
    std::deque<std::size_t> unanswered;
};

/// A set of connections, its owner and its clients, moved by one input.
class world final : public listener_events {
public:
    explicit world(program& steps)
        : steps_(steps), set_(steps), connections_(loop_.get_executor(), clock_, set_.options()) {
        connections_.set_events(*this);
        connect();
    }
    ~world() = default;

    void run() {
        for (int i = 0; i < most_steps && !steps_.is_over(); ++i) {
            step(steps_.byte());
            settle();
        }
        if (!set_.ends_at_once()) {
            let_all_answer();
            end_all();
        }
    }

private:
    // What the owner of the events does

    std::optional<handshake_answer> on_handshake(connection& from, std::string_view json) override {
        if (set_.thinks_about_handshakes()) {
            deciding_.push_back(from.id());
            return std::nullopt;
        }
        return handshake_answer{.accepted = !json.starts_with('n'), .json = "{}"};
    }
    void on_ready(connection& from) override {
        auto& one = of(from);
        check(!one.was_ready, "ready once");
        one.ready = &from;
        one.was_ready = true;
    }
    bool on_data(connection& from, std::string_view message) override {
        auto& one = of(from);
        check(one.ready == &from && !one.was_closed, "data between ready and closed");
        check(message.size() <= package_limit, "a message within the limit");
        const char what = message.empty() ? ' ' : message.front();
        ++one.read;
        if (what == 'm') {
            one.is_honest = false;
            return false;
        }
        if (what == 'c') {
            from.charge(5);
        } else if (what == 'k') {
            from.kick("a word");
        } else if (what == 'l') {
            from.is_logged_in = true;
        }
        from.keep(message.size());
        one.unanswered.push_back(message.size());
        if (!set_.answers_late()) {
            answer(one);
        }
        return true;
    }
    void on_closed(connection& which, std::string_view reason) override {
        auto& one = of(which);
        check(one.ready == &which && !one.was_closed, "closed once, after ready");
        check(!reason.empty(), "for a reason");
        one.ready = nullptr;
        one.was_closed = true;
        one.unanswered.clear();
    }

    void answer(peer& one) {
        if (one.ready == nullptr || one.unanswered.empty()) {
            return;
        }
        const auto bytes = one.unanswered.front();
        one.unanswered.pop_front();
        const auto package =
            protocol::encode_package(package_type::data, "r" + std::to_string(one.answered + 1));
        if (one.ready->send_package(package.value()) == send_result::queued) {
            ++one.answered;
        }
        one.ready->give_back(bytes);
    }
    void push(peer& one, std::size_t size) {
        if (one.ready != nullptr) {
            const auto package =
                protocol::encode_package(package_type::data, "p" + std::string(size, 'x'));
            one.ready->send(encode_for_all(package.value()));
        }
    }

    // What the peers do

    peer& now() { return *peers_[current_]; }
    peer& of(const connection& which) { return *peers_[by_id_[number(which.id()) - 1]]; }

    void connect() {
        peers_.push_back(std::make_unique<peer>(loop_.get_executor()));
        current_ = peers_.size() - 1;
        client_origin origin{.from = *base::parse_ip(from_proxy), .port = 1};
        if (!connections_.lets_in(origin)) {
            now().is_honest = false;
            return;
        }
        by_id_.push_back(current_);
        connections_.add(now().wire.make_stream(), std::move(origin));
        settle();
        if (!set_.logs_in()) {
            now().is_honest = false;
            return;
        }
        if (set_.is_behind_proxy()) {
            now().wire.give("PROXY TCP4 192.0.2.1 10.0.0.5 12345 80\r\n");
        }
        if (set_.is_websocket()) {
            now().wire.give(
                protocol::make_upgrade_request("h", "/", protocol::make_websocket_key(1, 2)));
        }
        give_package(package_type::handshake, "{}");
        settle();
        give_package(package_type::handshake_ack, {});
    }
    void give_frame(std::string_view bytes,
                    protocol::websocket_opcode opcode = protocol::websocket_opcode::binary) {
        if (!set_.is_websocket()) {
            return now().wire.give(bytes);
        }
        std::string frame;
        protocol::append_masked_websocket_frame(frame, opcode, bytes, 0x1badc0deU);
        now().wire.give(frame);
    }
    void give_package(package_type type, std::string_view body) {
        give_frame(protocol::encode_package(type, body).value());
    }
    void give_requests(std::string_view body, std::size_t count) {
        std::string all;
        for (std::size_t i = 0; i < count; ++i) {
            all += protocol::encode_package(package_type::data, body).value();
        }
        now().is_honest &= now().ready != nullptr && all.size() <= package_limit;
        now().sent += count;
        give_frame(all);
    }

    void step(unsigned code) {
        constexpr std::array waits{1ms,   4ms,   5ms,    10ms,   50ms,   200ms,  699ms,   700ms,
                                   710ms, 900ms, 1000ms, 2000ms, 5000ms, 6001ms, 10001ms, 90001ms};
        const std::size_t size = code >> 4U;
        switch (code & 15U) {
        case 0:
            now().is_honest = false;
            return now().wire.give(steps_.take(4 * size + 1));
        case 1:
            now().is_honest = false;
            return give_frame(steps_.take(4 * size + 1));
        case 2:
            return give_requests(steps_.take(size), 1);
        case 3:
            return give_requests(std::string(steps_.take(1)) + std::string(273 * size, 'x'), 1);
        case 4:
            return give_requests(steps_.take(1), size + 1);
        case 5:
            return clock_.advance(waits[size]);
        case 6:
            return now().wire.make_room(size == 15 ? memory_wire::all : 16 * size * size);
        case 7:
            now().wire.chunk = size == 0 ? memory_wire::all : size * size;
            return;
        case 8:
            for (std::size_t i = 0; i <= size; ++i) {
                answer(now());
            }
            return;
        case 9:
            return push(now(), 512 * size);
        case 10:
            return decide(size != 1);
        case 11:
            return give_package(package_type::heartbeat, {});
        case 12:
            return end(size);
        case 13:
            now().wire.fail_at = now().wire.operations + 1 + static_cast<int>(size);
            return;
        case 14:
            return size % 2 == 0 && peers_.size() < most_clients
                       ? connect()
                       : void(current_ = size / 2 % peers_.size());
        default:
            return give_control(size);
        }
    }
    void decide(bool accepted) {
        if (!deciding_.empty()) {
            const auto to = deciding_.front();
            deciding_.pop_front();
            connections_.answer_handshake(to, {.accepted = accepted, .json = "{}"});
        }
    }
    /// The ways in which a connection ends.
    void end(std::size_t how) {
        now().wire.shut_down_steps = static_cast<int>(how % 4);
        if (how < 4) {
            return now().wire.end();
        }
        if (how < 8) {
            return now().ready != nullptr ? now().ready->kick("a reason") : void();
        }
        if (how < 12) {
            now().is_honest = false;
            return give_frame("\x03\xe8", protocol::websocket_opcode::close);
        }
        connections_.deny(base::network_set({base::parse_network("192.0.2.0/24").value()}));
    }
    void give_control(std::size_t size) {
        if (!set_.is_websocket()) {
            return give_package(package_type::heartbeat, {});
        }
        give_frame(std::string(size, 'p'), size % 2 == 0 ? protocol::websocket_opcode::ping
                                                         : protocol::websocket_opcode::pong);
    }

    // What must hold

    void settle() {
        loop_.restart();
        loop_.poll();
        const auto& held = connections_.counts().held;
        const auto& limits = connections_.options();
        const auto count = connections_.counts().connections;
        check(count <= peers_.size(), "no more connections than clients");
        check(connections_.counts().throttled <= count, "only who is there is throttled");
        check(held.input <= count * 4 * (package_limit + connection_set::read_bytes),
              "input is bounded");
        check(held.unanswered <= count * (limits.unanswered_limit + package_limit),
              "requests without an answer are bounded");
        check(held.output <=
                  count * 4 * (limits.pending_limit + largest_push + connection_set::read_bytes),
              "output is bounded");
        std::size_t unanswered = 0;
        for (const auto& one : peers_) {
            for (const auto bytes : one->unanswered) {
                unanswered += bytes;
            }
            check(one->ready == nullptr ||
                      one->ready->pending_bytes() <= limits.pending_limit + largest_push + 1024,
                  "the queue is bounded");
        }
        check(unanswered <= held.unanswered, "what has no answer is counted");
    }
    void pass(base::duration by) {
        clock_.advance(by);
        settle();
    }

    /// Whoever is honest and still there is answered, once it reads.
    void let_all_answer() {
        for (const auto& one : peers_) {
            one->wire.chunk = memory_wire::all;
            one->wire.make_room(memory_wire::all);
        }
        for (int i = 0; i < 400 && (i < 2 || connections_.counts().throttled > 0); ++i) {
            for (const auto& one : peers_) {
                while (one->ready != nullptr && !one->unanswered.empty()) {
                    answer(*one);
                }
            }
            pass(50ms);
            for (bool is_done = false; !is_done;) {
                is_done = true;
                for (const auto& one : peers_) {
                    is_done &= one->ready == nullptr || one->unanswered.empty();
                    while (one->ready != nullptr && !one->unanswered.empty()) {
                        answer(*one);
                    }
                }
                settle();
            }
        }
        const auto& counts = connections_.counts();
        const bool are_honest =
            std::ranges::all_of(peers_, [](const auto& one) { return one->is_honest; });
        check(!are_honest || counts.of(drop::protocol_error) + counts.of(drop::too_long) == 0,
              "who keeps to the protocol is not told otherwise");
        for (const auto& one : peers_) {
            const auto seen = look_at_output(*one);
            check(seen.answers <= one->read, "no answer without a request");
            if (one->ready == nullptr) {
                continue;
            }
            check(one->answered == one->read, "each request that was read has its answer");
            check(seen.answers == one->answered && seen.is_whole, "and its client has it");
            check(!one->is_honest || connections_.counts().throttled > 0 || one->read == one->sent,
                  "each request that was sent was read");
        }
        check(connections_.counts().held.output == 0, "nothing waits for those who read");
    }
    seen_output look_at_output(const peer& one) const {
        // Who speaks for itself may speak another framing.
        const std::string_view output = one.wire.output;
        if (output.starts_with("HTTP/") && !output.starts_with("HTTP/1.1 101 ")) {
            return {};
        }
        return look_at(one.wire.output, output.starts_with("HTTP/"));
    }
    void end_all() {
        for (const auto& one : peers_) {
            one->wire.end();
        }
        settle();
        for (int i = 0; i < 20; ++i) {
            pass(100ms);
        }
        if (connections_.counts().connections > 0) {
            connections_.kick_all("the end");
            for (int i = 0; i < 20; ++i) {
                pass(100ms);
            }
        }
        const auto& counts = connections_.counts();
        check(counts.connections == 0 && counts.throttled == 0, "all are gone");
        check(counts.held.input == 0 && counts.held.unanswered == 0 && counts.held.output == 0,
              "and hold nothing");
        for (const auto& one : peers_) {
            check(one->was_closed == one->was_ready, "the end of each was told");
        }
    }

    program& steps_;
    setting set_;
    boost::asio::io_context loop_;
    base::manual_clock clock_;
    std::vector<std::unique_ptr<peer>> peers_;
    /// Which peer a connection is of.
    std::vector<std::size_t> by_id_;
    std::size_t current_ = 0;
    std::deque<connection_id> deciding_;
    connection_set connections_;
};

} // namespace

extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** /*arguments*/) {
    // An expectation of the stream that does not hold ends the program.
    GTEST_FLAG_SET(throw_on_failure, true);
    base::log::set_levels({.threshold = base::log::level::off});
    return 0;
}

/// The whole life of clients at a port: their bytes in pieces, breaks of their wires and their
/// owner's answers, in any order and at any time. Each request has one answer, memory is bounded,
/// and nothing is left of who has gone.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    program steps(data, size);
    world(steps).run();
    return 0;
}
