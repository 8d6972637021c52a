#pragma once

#include <shaddock/ids.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace shaddock::cluster {

/// The times of the registry over NATS, and what follows from them.
///
/// A server that runs writes its claim every `beat`. The write that was **sent** at T and stored
/// gives it the lease until T + `host_lost` - `margin()`: until then it may own rooms.
/// Others count its silence from when they heard of that write, which is after T, and only while
/// they are connected and hear all changes. Not before `host_lost` of it may somebody else take the
/// id, not before `machine_lost` of it may its machine leave the list; and both begin with a write
/// over just that revision of the claim, which fails if the owner has written again. So the lease
/// has ended, by at least `margin()`, before anybody else owns what it owned; clocks need not
/// agree, only run at the same speed.
struct lease_times {
    std::chrono::milliseconds beat{1000};
    std::chrono::milliseconds host_lost{10'000};
    /// 0: a machine leaves the list by a word only. Less than `host_lost` counts as that.
    std::chrono::milliseconds machine_lost{30'000};

    std::chrono::milliseconds margin() const { return host_lost / 5; }
    std::chrono::milliseconds lease() const { return host_lost - margin(); }
};

/// Who runs under an id.
struct claim_holder {
    std::string id;
    incarnation life{};
    /// Empty: what stands there cannot be read.
    std::string machine;
    /// In milliseconds of Unix time.
    std::uint64_t since = 0;

    /// `server 'chat-1' runs on machine 'ab12' since 2026-11-30T18:00:00Z`
    std::string text() const;
};

/// How the own claim does. Thread: the loop.
class lease_observer {
public:
    /// Without the lease a server may not own rooms: others may own them by now. False at first.
    /// It is true again only after the list of servers was read again.
    virtual void on_lease(bool has_it) = 0;
    /// The own claim was given up by others while this process was cut off. `by` nobody: its
    /// machine was given up, so it goes on as a new incarnation (registry::live_anew). Else
    /// somebody else runs under the id now, and this process has to end. The lease has ended
    /// before.
    virtual void on_claim_lost(const std::optional<claim_holder>& by) = 0;

protected:
    ~lease_observer() = default;
};

} // namespace shaddock::cluster
