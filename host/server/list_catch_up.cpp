#include "list_catch_up.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <chrono>

namespace shaddock::server {

namespace {

// Less than what a room that moves waits for those who do not know the list yet (room_moves.cpp).
constexpr std::chrono::milliseconds first_patience{40};
constexpr std::chrono::milliseconds ask_period{250};

} // namespace

std::uint64_t list_catch_up::epoch() const {
    const auto now = registry_.now();
    return now->is_numbered ? now->epoch : 0;
}

void list_catch_up::on_link_up(const bus::peer& with) {
    if (lists_.take && epoch() != 0 && with.version >= wire::list_version) {
        servers_.tell(with.id, wire::kind::list_here, wire::encoded(epoch()), {});
    }
}

void list_catch_up::on_known(const bus::peer& from, std::uint64_t epoch) {
    if (!lists_.take || from.version < wire::list_version) {
        return;
    }
    known_[from.id] = epoch;
    if (this->epoch() != 0 && epoch > this->epoch() && !next_.is_armed()) {
        next_ = clock_.after(first_patience, [this] { ask(); });
    }
}

/// Whether there is something to ask for: the next list has its 40 ms again.
bool list_catch_up::look() {
    const auto here = epoch();
    const auto linked = servers_.linked();
    std::erase_if(known_, [&](const auto& each) {
        return each.second <= here || !std::ranges::count(linked, each.first, &bus::peer::id);
    });
    if (here != 0 && !known_.empty()) {
        return true;
    }
    asked_.clear();
    next_.cancel();
    return false;
}

void list_catch_up::ask() {
    if (!look()) {
        return;
    }
    if (asked_.empty()) {
        base::log::warn("server",
                        "others have list {} of the servers, this server has {} and hears nothing "
                        "of a later one from its master: it asks them",
                        known_.begin()->second, epoch());
    }
    const auto after = known_.upper_bound(asked_);
    asked_ = (after != known_.end() ? after : known_.begin())->first;
    servers_.tell(asked_, wire::kind::list_wanted, wire::encoded(epoch()), {});
    next_ = clock_.after(ask_period, [this] { ask(); });
}

void list_catch_up::on_cast(const bus::peer& from, wire::kind what, std::string_view bytes) {
    wire::reader in(bytes);
    switch (what) {
    case wire::kind::list_wanted:
        return tell_later(from, in);
    case wire::kind::list:
        return take(in);
    default:
        return on_known(from, in.u64());
    }
}

void list_catch_up::tell_later(const bus::peer& to, wire::reader& in) {
    const auto after = in.u64();
    if (!in.ok() || !lists_.told) {
        return;
    }
    for (const auto& list : lists_.told(after)) {
        servers_.tell(to.id, wire::kind::list, wire::encoded(std::string_view(list)), {});
    }
}

void list_catch_up::take(wire::reader& in) {
    const auto list = in.text();
    if (in.ok() && lists_.take) {
        lists_.take(list);
        look();
    }
}

} // namespace shaddock::server
