#pragma once

#include "bus/direct.hpp"
#include "bus/run_folder.hpp"
#include "core.hpp"
#include "socket_link.hpp"

#include <map>
#include <optional>
#include <set>

namespace shaddock::bus {

class direct_bus final : public core, public greeter {
public:
    direct_bus(boost::asio::any_io_executor executor, base::clock& clock, base::random& random,
               direct_options options);

protected:
    result<void> open_transport() override;
    void close_transport() override;
    void peers_changed() override;
    void link_went_down(const peer& with, link_end why) override;

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

    bool dials(std::string_view id) const { return self().id < id; }
    void accept_next();
    void on_accepted(unix_socket socket);
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
    std::optional<std::string> objection(const hello& said) const;
    void log_trouble(const std::string& id, std::string text);

    void tick_later();
    void tick();

    direct_options options_;
    run_lock lock_;
    std::optional<unix_acceptor> acceptor_;
    base::timer accept_again_;
    std::map<std::string, contact, std::less<>> contacts_;
    /// Accepted, not greeted yet.
    std::set<std::shared_ptr<socket_link>> strangers_;
    /// What was last logged about callers without a name.
    std::string stranger_trouble_;
    /// Of the last attempt; each has the next one.
    std::uint64_t random_;
    base::timer heartbeat_;
    base::time_point last_tick_{};
};

} // namespace shaddock::bus
