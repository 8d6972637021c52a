#include "settling.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <utility>

namespace shaddock::master {
namespace {

/// Rooms move within half of it.
constexpr std::chrono::seconds patience{1};

} // namespace

void settling::wait(std::uint64_t epoch, base::unique_function<void()> done) {
    auto& made = waiting_.emplace_back(waiting{epoch, std::move(done)});
    made.late = clock_.after(patience, [this, &made] {
        base::log::warn("master",
                        "the list of servers has changed, but not all of them have said "
                        "so within {} s",
                        patience.count());
        made.epoch = 0;
        look();
    });
    soon_ = clock_.after({}, [this] { look(); });
}

void settling::look() {
    std::list<waiting> over;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        const auto each = at++;
        if (is_settled(each->epoch)) {
            over.splice(over.end(), waiting_, each);
        }
    }
    for (auto& each : over) {
        each.done();
    }
}

/// Servers of builds without epochs say nothing of it.
bool settling::is_settled(std::uint64_t epoch) const {
    const auto all = children_.list();
    return std::ranges::none_of(all, [epoch](const auto& child) {
        return child.is_server && child.is(control::server_state::ready) && child.epoch != 0 &&
               child.epoch < epoch;
    });
}

} // namespace shaddock::master
