#include "room_moves.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

/// Owners before that are cut off, and may serve their rooms still.
namespace shaddock::server {

namespace {

constexpr std::chrono::milliseconds look_period{50};

} // namespace

void room_moves::note_silent_owners() {
    const auto own = now_->before.find(self_.type);
    if (!may_other_own_ || own == now_->before.end() ||
        std::exchange(now_->has_noted_silent, true)) {
        return;
    }
    const auto linked = servers_.linked();
    own->second.each_owner([&](const std::string& id) {
        const auto link = std::ranges::find(linked, id, &bus::peer::id);
        const bool knows_moves = link == linked.end() || link->version >= wire::moves_version;
        if (id == self_.id || !knows_moves || !may_serve_still(id, list_.epoch())) {
            return;
        }
        silent_.push_back({id, list_.epoch(), now_->before});
        base::log::warn("server",
                        "{} has not said that it gave its rooms away, and may serve them still: "
                        "until it says so or is over nobody enters them here, and nothing is "
                        "pushed in them",
                        id);
    });
    end_silence();
}

/// Until it has released its rooms, which its next life says, too, when it links (on_link_up), or
/// has lost its lease.
bool room_moves::may_serve_still(const std::string& id, std::uint64_t epoch) const {
    return !is_said(gone_, id, epoch) && may_other_own_(id);
}

/// What they had is taken over.
void room_moves::end_silence() {
    if (is_stopped_) {
        return;
    }
    if (std::erase_if(silent_, [this](const auto& one) {
            return !may_serve_still(one.id, one.epoch);
        }) != 0) {
        take_coming();
    }
    if (!silent_.empty() && !silence_.is_armed()) {
        silence_ = clock_.after(look_period, [this] { end_silence(); });
    }
}

bool room_moves::is_others_still(std::string_view room) const {
    if (silent_.empty() || !may_own(room)) {
        return false; // where it is not this server's by its name it did not move
    }
    return std::ranges::any_of(silent_, [&](const auto& one) {
        const auto* owner = directory::owner_in(one.before, self_.type, room);
        return owner != nullptr && *owner == one.id;
    });
}

} // namespace shaddock::server
