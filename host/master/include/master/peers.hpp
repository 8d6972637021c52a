#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"

#include <shaddock/error.hpp>

#include <string>
#include <vector>

namespace shaddock::master {

/// Where this master is, among several machines.
struct machine_place {
    /// Names it to people and to `peers`: unique in the cluster. Empty: there is one machine.
    std::string name;
    /// Its addresses and names, as records of servers.json have them under `host`.
    std::vector<std::string> hosts;
};

/// The masters of the cluster's other machines, over any transport. Requests and replies are texts
/// of control/masters.hpp, which this room writes and reads; a transport carries them as they are.
/// Limits: a request has at most 64 KiB, as a body of the admin API; a reply at most
/// `most_reply_bytes` (longer answers are asked for in parts, peer_talk.hpp).
/// Thread: the loop.
class peers {
public:
    static constexpr std::size_t most_reply_bytes = std::size_t{1024} * 1024;

    /// `reply` once, inline or later, or never.
    using reply_call = base::unique_function<void(std::string reply)>;
    using handler = base::unique_function<void(std::string request, reply_call reply)>;
    using done_call = base::unique_function<void(result<std::string>)>;

    virtual ~peers() = default;

    /// The other machines whose masters are there, or should be: one that stays named while it does
    /// not answer is shown as silent. In order of the names.
    virtual std::vector<std::string> masters() const = 0;
    /// `done` once, inline or later: when the masters that are there have had the time to say so,
    /// after the start. Before that a command would mean this machine alone.
    virtual void when_known(base::unique_function<void()> done) { done(); }
    /// What the others call this one, where two machines have the same name; empty: as it is
    /// called at the start (machine_place::name).
    virtual std::string name() const { return {}; }
    /// One request to the master of a machine. `done` once, never inline: its reply, or no_server
    /// (nobody has that name, or nobody is there), timeout (`patience` has passed), disconnected
    /// (it went meanwhile, or the way to it: what was asked may be done). A reply that comes later
    /// is dropped. Nothing is asked twice.
    virtual void ask(const std::string& machine, std::string request, base::duration patience,
                     done_call done) = 0;
    /// Hands each request of another master to `to`; empty: none any more.
    virtual void serve(handler to) = 0;
};

} // namespace shaddock::master
