#pragma once

#include "base/clock.hpp"
#include "kept.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::cluster {

/// Who runs, as the claims in the bucket say, and for how long nobody has heard of each. Thread:
/// the loop.
class claim_table {
public:
    struct claim {
        kept_claim value;
        /// 0: the bucket was lost, and the owner has not written it again.
        std::uint64_t revision = 0;
        /// When this process heard of its owner last.
        base::time_point heard{};
    };

    claim_table(base::clock& clock, std::chrono::milliseconds host_lost)
        : clock_(clock), host_lost_(host_lost) {}

    /// Older revisions than that which is known are passed over. True: it says something new, not
    /// only that its owner lives.
    bool take(const std::string& id, kept_claim value, std::uint64_t revision);
    /// True: there was one.
    bool erase(std::string_view id);
    /// Another bucket: the claims are not in it yet. They are kept as long as their owners could be
    /// alive, and written again by them.
    void lose_revisions();
    /// Silence counts from here on, or not at all: this process hears nothing. It also counts anew
    /// when this process itself stood still.
    void listen();
    void stop_listening() { listening_since_.reset(); }
    bool is_listening() const { return listening_since_.has_value(); }
    /// Drops those that a lost bucket had and nobody has written again, after such a silence.
    void drop_forgotten(base::duration limit);

    const claim* find(std::string_view id) const;
    const std::map<std::string, claim, std::less<>>& all() const { return claims_; }
    /// How long the owner was silent while this process could hear it; zero while it cannot.
    base::duration silence_of(const claim& of) const;
    /// Whether its owner may run, and own rooms.
    bool may_live(const claim& of) const {
        return !of.value.is_fenced && silence_of(of) < host_lost_;
    }
    /// Machines that have claims, all of which are silent for so long, fenced or not: who has
    /// crashed may be back in a moment.
    std::vector<std::string> silent_machines(base::duration limit) const;

private:
    base::clock& clock_;
    base::duration host_lost_;
    std::map<std::string, claim, std::less<>> claims_;
    std::optional<base::time_point> listening_since_;
};

} // namespace shaddock::cluster
