#pragma once

#include <base/clock.hpp>

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace shaddock::net {

/// A place in the wheel; leaves it when destroyed.
struct sweep_entry
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
};

/// Deadlines of many clients under one timer: each client lies in the slot of the tick at which it
/// must be looked at again. Moving a deadline further away costs nothing: whoever is looked at too
/// early is put back. A deadline is noticed never early and at most `tick` late; one beyond the
/// wheel's turn is looked at once a turn. Thread: the loop.
class sweep_wheel {
public:
    explicit sweep_wheel(base::time_point now,
                         base::duration every = std::chrono::milliseconds(250))
        : tick(every), origin_(now) {}

    const base::duration tick;

    /// Looks at `entry` again once `due` has passed; takes it from where it was.
    void watch(sweep_entry& entry, base::time_point due) {
        entry.unlink();
        const auto wanted = tick_of(due) + 1;
        const auto at = std::clamp(wanted, current_ + 1, current_ + slots - 1);
        wheel_[static_cast<std::size_t>(at % slots)].push_back(entry);
    }

    /// Calls `visit(entry)` for all whose tick has come; each is out of the wheel then. `visit` may
    /// watch and destroy any entry.
    template <class Visit>
    void advance(base::time_point now, Visit visit) {
        list due;
        const auto target = std::max(tick_of(now), current_);
        for (auto i = current_ + 1; i <= std::min(target, current_ + slots); ++i) {
            due.splice(due.end(), wheel_[static_cast<std::size_t>(i % slots)]);
        }
        current_ = target;
        while (!due.empty()) {
            sweep_entry& entry = due.front();
            entry.unlink();
            visit(entry);
        }
    }

    base::time_point next_tick() const { return origin_ + (current_ + 1) * tick; }

private:
    using list = boost::intrusive::list<sweep_entry, boost::intrusive::constant_time_size<false>>;
    static constexpr std::int64_t slots = 512;

    std::int64_t tick_of(base::time_point at) const { return (at - origin_) / tick; }

    base::time_point origin_;
    std::int64_t current_ = 0;
    std::array<list, slots> wheel_;
};

} // namespace shaddock::net
