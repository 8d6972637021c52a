#include "call_table.hpp"

#include "link.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::bus {

namespace {

/// std::push_heap keeps the largest in front; we want the earliest.
constexpr auto is_later = [](const auto& a, const auto& b) { return a.deadline > b.deadline; };

std::uint64_t number_of(std::uint32_t generation, std::size_t index) {
    return (std::uint64_t{generation} << 32U) | static_cast<std::uint32_t>(index);
}

} // namespace

std::uint64_t call_table::add(link& via, base::time_point deadline, completion done) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const auto index = free_.back();
    free_.pop_back();
    slot& place = slots_[index];
    place.via = &via;
    ++via.calls_in_flight;
    place.order = ++made_;
    place.done = std::move(done);
    ++live_;

    const auto call = number_of(place.generation, index);
    drop_finished_deadlines();
    deadlines_.push_back({deadline, call});
    std::push_heap(deadlines_.begin(), deadlines_.end(), is_later);
    arm();
    return call;
}

call_table::completion call_table::take(std::uint64_t call, const link& via) {
    const slot* place = find(call);
    return place != nullptr && place->via == &via ? release(call) : completion();
}

std::vector<call_table::completion> call_table::take_all(const link* via) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found; // order, call
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const slot& place = slots_[i];
        if (place.via != nullptr && (via == nullptr || place.via == via)) {
            found.emplace_back(place.order, number_of(place.generation, i));
        }
    }
    std::sort(found.begin(), found.end());
    std::vector<completion> all;
    all.reserve(found.size());
    for (const auto& [order, call] : found) {
        all.push_back(release(call));
    }
    if (live_ == 0) {
        deadlines_.clear();
        timer_.cancel();
        armed_for_ = base::time_point::max();
    }
    return all;
}

call_table::slot* call_table::find(std::uint64_t call) {
    const auto index = static_cast<std::uint32_t>(call);
    if (index >= slots_.size()) {
        return nullptr;
    }
    slot& place = slots_[index];
    return place.via != nullptr && place.generation == call >> 32U ? &place : nullptr;
}

call_table::completion call_table::release(std::uint64_t call) {
    slot& place = *find(call);
    auto done = std::move(place.done);
    --place.via->calls_in_flight;
    place.via = nullptr;
    ++place.generation;
    free_.push_back(static_cast<std::uint32_t>(call));
    --live_;
    return done;
}

void call_table::drop_finished_deadlines() {
    if (deadlines_.size() < 64 || deadlines_.size() < 2 * live_) {
        return;
    }
    std::erase_if(deadlines_, [this](const due& entry) { return find(entry.call) == nullptr; });
    std::make_heap(deadlines_.begin(), deadlines_.end(), is_later);
}

void call_table::arm() {
    if (deadlines_.empty() || deadlines_.front().deadline >= armed_for_) {
        return;
    }
    armed_for_ = deadlines_.front().deadline;
    timer_ = clock_.at(armed_for_, [this] { expire(); });
}

void call_table::expire() {
    armed_for_ = base::time_point::max();
    const auto now = clock_.now();
    std::vector<std::uint64_t> expired;
    while (!deadlines_.empty() && deadlines_.front().deadline <= now) {
        expired.push_back(deadlines_.front().call);
        std::pop_heap(deadlines_.begin(), deadlines_.end(), is_later);
        deadlines_.pop_back();
    }
    arm();
    for (const auto call : expired) {
        // An earlier completion may have stopped the bus and so taken this call out.
        if (const slot* place = find(call); place != nullptr) {
            auto text = fmt::format("'{}' did not answer in time", place->via->with().id);
            auto done = release(call);
            outcomes_.note(errc::timeout);
            done(error(errc::timeout, std::move(text)));
        }
    }
}

} // namespace shaddock::bus
