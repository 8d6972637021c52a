#pragma once

#include "base/alive.hpp"
#include "base/clock.hpp"
#include "base/function.hpp"
#include "claim_table.hpp"
#include "cluster_nats/lease.hpp"
#include "nats/kv.hpp"

#include <optional>
#include <string>

namespace shaddock::cluster {

/// The claim of this process on its id: taken, written again every beat, given back at the stop.
/// Thread: the loop. Lifetime: what it is given outlives it.
class own_claim {
public:
    using claimed_call = base::unique_function<void(result<void>)>;

    own_claim(base::clock& clock, nats::kv& bucket, claim_table& claims, lease_times times)
        : clock_(clock), bucket_(bucket), claims_(claims), times_(times) {}

    void observe(lease_observer* told) { told_ = told; }
    /// As nats_registry::claim.
    void claim(kept_claim wanted, claimed_call done);
    void live_anew(incarnation life);
    /// Also false when it has ended and no timer could say so: this process stood still.
    bool has_lease() const;
    bool is_held() const { return state_ == state::held; }
    /// Empty: there is none yet.
    const std::string& id() const { return value_.record.id; }

    /// A beat has passed, or the claim is gone.
    void look();
    /// The table knows of this revision of the claim now: perhaps another's.
    void on_news(std::uint64_t revision);
    /// The bucket is whole: all that others have written while it was not is known.
    void on_whole();
    /// `done` once, inline or later: the claim is given back, or that did not succeed in a second.
    void stop(base::unique_function<void()> done);

private:
    enum class state { none, trying, held, lost };

    void attempt();
    void write_over(std::uint64_t revision);
    void on_written(base::time_point sent, const result<std::uint64_t>& written);
    void read_again();
    void renew();
    void become_lost(const kept_claim& now);
    void refuse(const kept_claim& by);
    base::time_point lease_end() const { return renewed_ + times_.lease(); }
    void look_at_lease();
    void give_back();

    base::clock& clock_;
    nats::kv& bucket_;
    claim_table& claims_;
    lease_times times_;
    lease_observer* told_ = nullptr;
    state state_ = state::none;
    kept_claim value_;
    claimed_call claimed_;
    /// Of another's claim when this one saw it first: a larger one says that its owner lives.
    std::optional<std::uint64_t> seen_;
    bool is_busy_ = false;
    std::uint64_t revision_ = 0;
    base::time_point renewed_{};
    /// As it was told last.
    bool has_lease_ = false;
    /// The lease has ended: the list has to be read before it is held again.
    bool must_read_ = true;
    base::timer at_lease_end_;
    base::unique_function<void()> stopped_;
    base::timer stop_limit_;
    base::alive alive_;
};

} // namespace shaddock::cluster
