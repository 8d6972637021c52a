#pragma once

#include "content.hpp"
#include "latency.hpp"
#include "options.hpp"

#include "wire/connection.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace shaddock::bench {

class user;

/// What all users of a run share.
struct stage {
    stage(boost::asio::io_context& io, const load_options& wanted)
        : options(wanted), wire(io), contents(log, wanted.tag, wanted.size) {}

    void note(client_id client, event_kind kind, std::uint32_t a = 0, std::uint32_t b = 0,
              std::uint32_t c = 0) {
        log.note(wire.now, client, kind, a, b, c);
    }
    /// Reads the body of an onChat; the same body is parsed once for all receivers.
    const delivery& read_chat(std::string_view body, const push_proto* proto);

    const load_options& options;
    wire_context wire;
    history log;
    content_maker contents;
    boost::asio::ip::tcp::endpoint gate;

    /// By room: who is in it, as far as the users know.
    std::vector<std::vector<user*>> members;
    /// Whether users go on talking, changing and coming back.
    bool is_open = false;
    /// Whether latencies count.
    bool is_measuring = false;

    latency logins;
    latency requests;
    latency deliveries;
    /// By message.
    std::vector<nanoseconds> sent_at;
    std::uint64_t sent = 0;
    std::uint64_t refused = 0;
    std::uint64_t switches = 0;
    std::uint64_t departures = 0;
    nanoseconds last_answer = 0;
    nanoseconds last_delivery = 0;
    nanoseconds last_activity = 0;
    /// Users who got in for the first time.
    unsigned entered = 0;

private:
    struct known_body {
        std::string body;
        delivery read;
    };
    std::vector<known_body> known_ = std::vector<known_body>(1024);
};

/// One simulated user: logs in through the gate, talks, changes rooms, leaves and comes back, and
/// notes everything. Thread: the loop.
class user final : public connection_events {
public:
    user(stage& all, unsigned index, unsigned room);

    void log_in();
    bool can_send() const;
    /// In a room and at rest: not entering, changing, leaving.
    bool is_settled() const { return state_ == state::in && !is_switching_; }
    /// On the way in or out, or changing.
    bool is_busy() const {
        return is_switching_ || (state_ != state::in && state_ != state::out) || is_coming_back_;
    }
    /// An answer is still to come.
    bool is_waiting() const { return !open_.empty(); }
    std::uint64_t messages_sent() const { return sequence_; }
    unsigned room() const { return room_; }

    /// Says one thing; can_send() was true.
    void say();
    /// Closed loop: says as much as the pipeline allows.
    void fill();
    void switch_room(unsigned room);
    /// Leaves politely, and comes back.
    void depart();
    /// The run is over: goes at once.
    void end();

    bool is_sender = true;

private:
    enum class state { out, at_gate, connecting, entering, in, leaving };
    enum class asked_kind { query, enter, send };
    struct asked {
        std::uint32_t id;
        asked_kind kind;
        nanoseconds at;
    };

    void on_ready() override;
    void on_response(std::uint32_t id, std::string_view body) override;
    void on_push(std::string_view route, std::string_view body, const push_proto* proto) override;
    void on_kick(std::string_view body) override;
    void on_mangled(std::string_view what) override;
    void on_closed(std::string_view reason) override;

    void connect(const boost::asio::ip::tcp::endpoint& to, const char* where);
    void hang_up();
    void request(asked_kind kind, std::string_view route, std::string_view body);
    void enter(unsigned room);
    void on_query_answer(const asked& what, const answer* read);
    void on_enter_answer(const asked& what, const answer* read);
    void on_send_answer(const asked& what, const answer* read);
    void on_chat(std::string_view body, const push_proto* proto);
    void join_list(unsigned room);
    void leave_list();
    /// Calls `then` when the user is still in that state; never before all that had arrived by the
    /// end of the time was read.
    void after(unsigned ms, state expected, void (user::*then)());
    void finish_leaving();
    void try_again();
    void come_back_after(unsigned ms);
    name_id pick_target();

    stage& all_;
    std::string name_;
    name_id name_id_;
    unsigned room_;
    unsigned wanted_room_;
    state state_ = state::out;
    bool is_switching_ = false;
    bool has_entered_ = false;
    bool is_listed_ = false;
    bool is_coming_back_ = false;
    unsigned visit_ = 0;
    client_id client_ = 0;
    std::uint32_t next_id_ = 1;
    std::vector<asked> open_;
    unsigned open_sends_ = 0;
    std::uint64_t sequence_ = 0;
    nanoseconds login_began_ = 0;
    std::shared_ptr<connection> link_;
    boost::asio::steady_timer timer_;
    std::string content_;
    std::string body_;
};

/// Names as the users give them to rooms.
std::string room_name(const load_options& options, unsigned room);

} // namespace shaddock::bench
