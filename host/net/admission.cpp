#include "admission.hpp"

#include <algorithm>
#include <utility>

namespace shaddock::net {
namespace {

/// An address may have this part of the rate.
constexpr double share = 4;
constexpr std::size_t household_bits = 64;
constexpr base::duration sweep_pause = std::chrono::seconds(1);

} // namespace

base::ip_address admission::household(const base::ip_address& from) {
    return from.is_v4() ? from : base::masked(from, household_bits);
}

admission::admission(base::clock& clock, const listener_options& options)
    : clock_(clock), per_address_(options.connections_per_address),
      rate_(static_cast<double>(options.handshake_rate)), part_(std::max(1.0, rate_ / share)),
      trusted_(options.trusted_proxies), denied_(options.denied),
      next_sweep_(clock.now() + sweep_pause) {
    all_ = {rate_, clock.now()};
}

bool admission::enter(const base::ip_address& from) {
    auto& entry = entry_of(household(from));
    if (per_address_ != 0 && entry.places >= per_address_) {
        return false;
    }
    ++entry.places;
    return true;
}

void admission::leave(const base::ip_address& from) {
    const auto at = by_address_.find(household(from));
    if (at != by_address_.end() && --at->second.places == 0) {
        // Its bucket is kept until it would be full anyway.
        if (rate_ == 0 || at->second.handshakes.tokens >= part_) {
            by_address_.erase(at);
        }
    }
}

bool admission::may_greet(const base::ip_address& from) {
    if (rate_ == 0) {
        return true;
    }
    const auto now = clock_.now();
    forget_old(now);
    if (!from.is_none() && !entry_of(household(from)).handshakes.take(part_, part_, now)) {
        return false;
    }
    return all_.take(rate_, rate_, now);
}

admission::of_address& admission::entry_of(const base::ip_address& key) {
    const auto [at, is_new] = by_address_.try_emplace(key);
    if (is_new) {
        at->second.handshakes = {part_, clock_.now()};
    }
    return at->second;
}

/// A second without handshakes fills a bucket: what has no place either says nothing then.
void admission::forget_old(base::time_point now) {
    if (now < next_sweep_) {
        return;
    }
    next_sweep_ = now + sweep_pause;
    std::erase_if(by_address_, [now](const auto& one) {
        return one.second.places == 0 && one.second.handshakes.filled + sweep_pause <= now;
    });
}

bool admission::bucket::take(double rate, double burst, base::time_point now) {
    const auto passed = std::chrono::duration<double>(now - filled).count();
    tokens = std::min(burst, tokens + passed * rate);
    filled = now;
    if (tokens < 1) {
        return false;
    }
    tokens -= 1;
    return true;
}

std::optional<std::uint64_t> admission::note(drop why) {
    const auto untold = complaints_[static_cast<std::size_t>(why)].due(clock_.now());
    return untold ? std::optional(*untold + 1) : std::nullopt;
}

} // namespace shaddock::net
