// Channels that go to another owner, or come from one. The rest is in channels.cpp.
#include "channels.hpp"

#include "owned_channel.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace shaddock::server {

namespace {

using full_id = std::tuple<std::string_view, incarnation, session_id>;

full_id id_of(const session_ref& who) {
    return {who.frontend, who.life, who.id};
}

/// Views into `all`.
std::set<full_id> ids_of(const std::vector<door::member>& all) {
    std::set<full_id> ids;
    for (const auto& each : all) {
        ids.insert(id_of(each.ref));
    }
    return ids;
}

} // namespace

std::vector<door::member> channel_store::release(std::string_view name) {
    moved_away_.emplace(name);
    auto node = channels_.extract(channels_.find(name));
    released_.push_back(std::move(node.mapped()));
    return released_.back()->release();
}

void channel_store::forget_moved() {
    released_.clear();
}

std::vector<door::member>
channel_store::take_over(const std::string& name, const moved& from,
                         const std::function<bool(const session_ref&)>& has_told) {
    std::vector<door::member> gone;
    const auto seated = ids_of(from.seats);
    if (!from.is_told && seated.empty() && from.lost.empty()) {
        return gone;
    }
    moved_away_.erase(name);
    auto& channel = static_cast<owned_channel&>(*create(name));
    if (from.is_told) {
        next_join_ = std::max(next_join_, from.next_join);
    }
    const auto let_in = [&](const door::member& each) {
        if (channel.find(each.ref) != nullptr) {
            return;
        }
        if (channel.find(each.ref.uid) != nullptr) {
            return expel(channel, each.ref);
        }
        channel.insert(each);
    };
    for (const auto& each : from.members) {
        if (!may_live(each.ref) || (!seated.contains(id_of(each.ref)) && has_told(each.ref))) {
            gone.push_back(each);
        } else {
            let_in(each);
        }
    }
    for (const auto& each : from.seats) {
        if (may_live(each.ref)) {
            let_in(each);
        }
    }
    for (const auto& [peer, each] : from.lost) {
        if (const auto* at = channel.find(each.ref)) {
            gone.push_back(channel.take(at - channel.members().data()));
        } else if (!from.is_told && each.joined >= channel.came_before) {
            gone.push_back(each); // else the owner before has told of it, or named it a member
        }
        acknowledge(peer, name, each.ref.id);
    }
    if (from.is_told) {
        channel.came_before = next_join_;
    }
    return gone;
}

std::vector<door::member> channel_store::take_late(const bus::peer& frontend,
                                                   const std::string& name, const moved& from) {
    auto gone = take_over(name, from, [](const auto&) { return false; });
    if (const auto at = channels_.find(name); at != channels_.end()) {
        const auto seated = ids_of(from.seats);
        auto& channel = *at->second;
        channel.take_all(
            [&](const door::member& each) {
                return each.ref.frontend == frontend.id && each.ref.life == frontend.life &&
                       each.joined < channel.came_before && !seated.contains(id_of(each.ref));
            },
            [&](door::member taken) { gone.push_back(std::move(taken)); });
    }
    return gone;
}

/// It is not a member here, though its frontend has it: it is kicked, now or when that links.
void channel_store::expel(owned_channel& from, const session_ref& who) {
    if (to_frontends_.reaches(who.frontend)) {
        return from.tell_leave(who, wire::leave_and_kick);
    }
    if (const auto known = frontends_.find(who.frontend); known != frontends_.end()) {
        known->second.has_expelled = true; // else it is adopted, or kicked, then
    }
}

/// Who comes with a channel. A frontend that is only not linked compares when it is.
bool channel_store::may_live(const session_ref& session) const {
    const auto known = frontends_.find(session.frontend);
    return known == frontends_.end() ||
           (known->second.life == session.life &&
            (!known->second.was_dead || to_frontends_.reaches(session.frontend)));
}

} // namespace shaddock::server
