#pragma once

#include "check/history.hpp"
#include "cluster.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace shaddock::simulation {

/// What all users share.
struct stage {
    cluster& servers;
    bench::history& log;
    int rooms = 3;
    /// Mean time between two deeds of one user.
    duration pace = 1s;
    /// False: nobody does anything any more but to come back into a room.
    bool is_open = true;
    /// False: nobody comes back.
    bool lets_in = true;
    /// Called once, by the next user who comes, goes or changes rooms.
    base::unique_function<void()> on_move{};

    void moves() {
        if (auto call = std::exchange(on_move, nullptr)) {
            call();
        }
    }
};

/// One person with one name: logs in by the gate, enters, talks, whispers, changes rooms, leaves,
/// loses the connection, comes back. Notes all of it.
class user final : public line_events {
public:
    user(stage& all, int index);

    void begin();
    /// Closes what it has; it does not come back.
    void depart();

    /// Whether it is connected and has no request under way, and in which room it believes itself.
    bool is_settled() const { return state_ == state::inside && open_.empty(); }
    const std::string& room() const { return room_; }
    bool is_out() const { return state_ == state::out; }

private:
    enum class state { out, at_gate, entering, inside, leaving };
    enum class asked_kind { query, enter, send };
    struct asked {
        asked_kind kind;
        std::string room;
    };

    void on_ready() override;
    void on_package(protocol::package_type type, std::string_view body) override;
    void on_closed() override;
    void on_answer(std::uint32_t id, std::string_view body);
    void on_push(std::string_view route, std::string_view body);
    void answered(const asked& what, bool is_ok);

    void connect(const std::string& server);
    void request(asked what, std::string_view route, std::string_view body);
    void enter(const std::string& room);
    void act();
    void act_later();
    void say();
    void hang_up();
    void come_back();
    template <class F>
    void later(duration delay, F call);
    std::string some_room();
    void note(bench::event_kind kind, std::uint32_t a = 0, std::uint32_t b = 0,
              std::uint32_t c = 0);

    stage& all_;
    std::string name_;
    bench::name_id name_id_;
    state state_ = state::out;
    line_ptr line_;
    bench::client_id client_ = 0;
    /// What was meant for an earlier connection or visit comes to nothing.
    std::uint64_t visit_ = 0;
    std::uint32_t next_id_ = 1;
    std::map<std::uint32_t, asked> open_;
    /// In which it believes itself; empty: in none.
    std::string room_;
    std::string wanted_room_;
    std::uint64_t said_ = 0;
    int refusals_ = 0;
};

} // namespace shaddock::simulation
