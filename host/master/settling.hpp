#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "master/supervisor.hpp"

#include <cstdint>
#include <list>

namespace shaddock::master {

/// Who waits until a list of servers has settled: every server that serves routes over it, and the
/// rooms that moved by it have moved. Thread: the loop. Lifetime: what it is given outlives it.
class settling {
public:
    settling(base::clock& clock, const supervisor& children) : clock_(clock), children_(children) {}
    settling(const settling&) = delete;
    settling& operator=(const settling&) = delete;

    /// `done` once, never inline: then, or when it takes longer than a second. Whoever stands still
    /// must not hold up the others.
    void wait(std::uint64_t epoch, base::unique_function<void()> done);
    /// Somebody has said how far it is, or has gone.
    void look();

private:
    struct waiting {
        std::uint64_t epoch = 0;
        base::unique_function<void()> done;
        base::timer late{};
    };
    bool is_settled(std::uint64_t epoch) const;

    base::clock& clock_;
    const supervisor& children_;
    std::list<waiting> waiting_;
    base::timer soon_;
};

} // namespace shaddock::master
