#include "claim_table.hpp"

#include <algorithm>
#include <utility>

namespace shaddock::cluster {

bool claim_table::take(const std::string& id, kept_claim value, std::uint64_t revision) {
    auto& known = claims_[id];
    if (revision <= known.revision) {
        return false;
    }
    const bool is_news = known.value != value;
    auto as_before = value;
    as_before.is_fenced = known.value.is_fenced;
    // Who fences is another one: its owner was not heard of.
    const bool is_fence = is_news && value.is_fenced && as_before == known.value;
    known = {std::move(value), revision, is_fence ? known.heard : clock_.now()};
    return is_news;
}

bool claim_table::erase(std::string_view id) {
    const auto at = claims_.find(id);
    if (at == claims_.end()) {
        return false;
    }
    claims_.erase(at);
    return true;
}

void claim_table::lose_revisions() {
    for (auto& [id, each] : claims_) {
        each.revision = 0;
    }
}

void claim_table::listen() {
    listening_since_ = clock_.now();
}

void claim_table::drop_forgotten(base::duration limit) {
    std::erase_if(claims_, [&](const auto& each) {
        return each.second.revision == 0 && silence_of(each.second) >= limit;
    });
}

const claim_table::claim* claim_table::find(std::string_view id) const {
    const auto at = claims_.find(id);
    return at != claims_.end() ? &at->second : nullptr;
}

base::duration claim_table::silence_of(const claim& of) const {
    if (!listening_since_) {
        return base::duration::zero();
    }
    return clock_.now() - std::max(of.heard, *listening_since_);
}

std::vector<std::string> claim_table::silent_machines(base::duration limit) const {
    std::map<std::string_view, bool> silent;
    for (const auto& [id, each] : claims_) {
        if (!each.value.is_readable()) {
            continue;
        }
        const bool is_gone = silence_of(each) >= limit;
        auto& so_far = silent.try_emplace(each.value.machine, true).first->second;
        so_far = so_far && is_gone;
    }
    std::vector<std::string> machines;
    for (const auto& [machine, is_silent] : silent) {
        if (is_silent) {
            machines.emplace_back(machine);
        }
    }
    return machines;
}

} // namespace shaddock::cluster
