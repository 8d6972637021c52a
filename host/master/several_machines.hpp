#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "cluster_commands.hpp"
#include "master/machines.hpp"
#include "master/master.hpp"
#include "master/supervisor.hpp"
#include "master_phase.hpp"
#include "server_book.hpp"
#include "settling.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace shaddock::master {

struct machines_parts {
    base::clock& clock;
    const master_options& options;
    server_book& book;
    const supervisor& children;
    settling& settled;
    const master_phase& phase;
    /// Of this machine.
    commands& here;
    std::function<void(std::string_view text, bool is_bad)> say;
};

/// This master's part in a system on several machines; on one machine it does nothing. Thread: the
/// loop. Lifetime: what it is given outlives it.
class several_machines {
public:
    explicit several_machines(machines_parts with) : with_(std::move(with)) {}
    several_machines(const several_machines&) = delete;
    several_machines& operator=(const several_machines&) = delete;

    /// Nobody hears of it yet. Errors: as master_options::others.
    result<void> make(const boost::asio::any_io_executor& executor);
    /// Not before it is sure that this is the only master of its run folder: the others hear of it.
    /// Errors: as machines::start.
    result<void> start();

    /// Those of all machines.
    commands& all();
    /// Servers of this machine that serve and are not in the list come into it: the system has
    /// begun without them, or has given this machine up while it was cut off. Each once it is
    /// linked with those that are in the list: its rooms come over these links.
    void bring_in();
    /// Rooms of this machine go to the others, if there are any. `done` once, inline or later.
    void hand_over(base::unique_function<void()> done);
    /// Who waits for that waits no longer.
    void end_hand_over();
    void tell_over(std::string_view id, incarnation life);

private:
    bool may_come(const std::string& id, const std::vector<child_report>& children);

    machines_parts with_;
    std::unique_ptr<machines> others_;
    std::optional<cluster_commands> cluster_;
    struct coming {
        /// Since when it serves beside the list.
        std::optional<base::time_point> ready{};
        /// When it may be brought in again, if it is taken out meanwhile.
        base::time_point again{};
    };
    std::map<std::string, coming, std::less<>> coming_;
    base::unique_function<void()> handed_over_;
};

} // namespace shaddock::master
