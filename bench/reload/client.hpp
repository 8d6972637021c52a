#pragma once

#include "bodies.hpp"
#include "history.hpp"

#include "wire/connection.hpp"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace shaddock::reload {

/// What all clients of a run share.
struct stage {
    explicit stage(boost::asio::io_context& io) : wire(io) {}

    bench::wire_context wire;
    history seen;
    std::unordered_map<std::string, std::uint32_t> places;
    std::size_t entered = 0;
    std::size_t waiting = 0;
    nanoseconds last_activity = 0;
    /// The first refusals, for the report.
    std::vector<std::string> refusals;

    /// The same body is parsed once for all members of a room.
    const push* read_push(std::string_view body);
    stamp_id take(const read_stamp& one, std::uint32_t n, bool& is_proved);

private:
    std::string last_body_;
    push last_push_;
};

/// One session: enters its room, asks what it is told to ask, notes what it sees. Thread: the loop.
class client final : public bench::connection_events {
public:
    client(stage& all, std::uint32_t place, std::uint32_t room,
           const boost::asio::ip::tcp::endpoint& connector);

    void ask(kind what, std::uint32_t ms);
    unsigned waiting() const { return waiting_; }
    bool is_open() const { return link_ != nullptr && is_entered_; }
    void end();

private:
    void on_ready() override;
    void on_response(std::uint32_t id, std::string_view body) override;
    void on_push(std::string_view route, std::string_view body,
                 const bench::push_proto* proto) override;
    void on_kick(std::string_view body) override;
    void on_mangled(std::string_view what) override;
    void on_closed(std::string_view reason) override;
    void note_entered(std::string_view body);
    void note_answer(request& to, std::string_view body);
    session& seen() { return all_.seen.sessions[place_]; }

    stage& all_;
    std::uint32_t place_;
    std::string name_;
    std::string room_;
    bool is_entered_ = false;
    unsigned waiting_ = 0;
    std::string body_;
    std::shared_ptr<bench::connection> link_;
};

} // namespace shaddock::reload
