#pragma once

#include "base/rare_lines.hpp"
#include "bus/direct.hpp"
#include "bus/transport.hpp"
#include "core.hpp"
#include "socket_link.hpp"

#include <map>
#include <optional>
#include <set>

namespace shaddock::bus {

class direct_bus final : public core, public greeter {
public:
    direct_bus(boost::asio::any_io_executor executor, base::clock& clock, base::random& random,
               direct_options options, std::unique_ptr<transport> over);

protected:
    result<void> open_transport() override;
    void close_transport() override;
    void peers_changed() override;
    void link_went_down(const peer& with, link_end why) override;
    void greet_anew() override;
    base::duration stall(base::time_point now) const override;
    bool was_silent(base::time_point now) const override {
        return options_.declares_dead && stall(now) >= options_.silence;
    }

private:
    /// How an id is being reached.
    struct contact {
        bool is_wanted = false;
        std::chrono::milliseconds backoff{0};
        base::timer next;
        std::shared_ptr<socket_link> attempt;
        /// What was last logged about it: the same trouble is logged once.
        std::string trouble;
    };

    void guard_place();
    bool dials(std::string_view id) const { return self().id < id; }
    void accept_next();
    void on_accepted(arrival who);
    void begin_greeting(const std::shared_ptr<socket_link>& with);
    void try_now(const std::string& id);
    void try_later(const std::string& id);
    void attempt(const std::string& id);
    void nobody_answers(const std::string& id);
    hello greeting(hello_purpose purpose, std::string_view to, std::uint64_t random) const;

    bool on_greeting(socket_link& from, const frame_view& frame) override;
    void on_greeting_failed(socket_link& from) override;
    void on_hello(const std::shared_ptr<socket_link>& from, const hello& said);
    void on_poke(const std::shared_ptr<socket_link>& from, const hello& said);
    void on_answer(const std::shared_ptr<socket_link>& from, const hello& said);
    peer peer_of(const hello& said) const;
    std::optional<std::string> objection(const hello& said, const pipe& by) const;
    void log_trouble(const std::string& id, std::string text);

    void tick_later();
    void tick();
    /// Between two ticks of a loop that turns.
    bool is_stall(base::duration since_tick) const { return since_tick > 2 * options_.heartbeat; }
    void judge(socket_link& other, base::time_point now);
    void judge_missing(base::time_point now);

    direct_options options_;
    std::unique_ptr<transport> over_;
    base::timer accept_again_;
    base::rare_line accept_complaint_;
    std::map<std::string, contact, std::less<>> contacts_;
    /// Accepted, not greeted yet.
    std::set<std::shared_ptr<socket_link>> strangers_;
    /// What was last logged about callers without a name.
    std::string stranger_trouble_;
    /// Of the last attempt; each has the next one.
    std::uint64_t random_;
    base::timer heartbeat_;
    base::rare_line no_place_;
    base::time_point last_tick_{};
    /// The last time that this loop had stood still: until when, and for how long.
    base::time_point woke_{};
    base::duration slept_{};
};

} // namespace shaddock::bus
