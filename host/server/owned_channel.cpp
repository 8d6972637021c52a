#include "owned_channel.hpp"

#include <fmt/format.h>

namespace shaddock::server {

result<void> owned_channel::add(const session_ref& session) noexcept {
    if (find(session) != nullptr) {
        return error(errc::duplicate, fmt::format("channel '{}': session {} of {} is in it already",
                                                  name_, number(session.id), session.frontend));
    }
    if (store_.is_fenced(name_)) {
        return fenced();
    }
    if (store_.is_recovering()) {
        return error(errc::recovering,
                     fmt::format("channel '{}': not all of its members are known yet", name_));
    }
    if (store_.is_anothers_(name_)) {
        return error(errc::recovering,
                     fmt::format("channel '{}': the room is another server's", name_));
    }
    if (!session.uid.empty() && find(session.uid) != nullptr) {
        return error(errc::duplicate,
                     fmt::format("channel '{}': uid '{}' is in it already", name_, session.uid));
    }
    if (is_released_) {
        return error(errc::closed, fmt::format("channel '{}' is another server's now", name_));
    }
    if (!store_.is_up(session)) {
        return error(
            errc::closed,
            fmt::format("channel '{}': frontend '{}' of the session is not linked in that life",
                        name_, session.frontend));
    }
    const auto joined = store_.next_join_++;
    insert({session, joined});
    store_.to_frontends_.tell(
        session.frontend, wire::kind::join,
        wire::encoded(wire::membership{name_, session.id, session.uid, joined}, store_.epoch_),
        membership_key(name_, session.id));
    return {};
}

bool owned_channel::remove(const session_ref& session) noexcept {
    const auto* at = find(session);
    if (at == nullptr) {
        return false;
    }
    tell_leave(at->ref, 0, at->joined);
    take(at - members_.data());
    return true;
}

error owned_channel::fenced() const {
    return {errc::no_server, fmt::format("channel '{}': servers are cut off from each other, and "
                                         "another one may own it now",
                                         name_)};
}

result<void> owned_channel::push(std::string_view route, door::body_view message) noexcept {
    if (store_.is_fenced(name_)) {
        return fenced();
    }
    const auto bytes = wire::encoded(name_, route, message);
    for (const auto& group : groups_) {
        const auto load = push_load(flow_, bytes.size(), group.members);
        if (auto fits = store_.to_frontends_.admits(group.frontend, bytes.size(), load); !fits) {
            return fits; // all of them or none
        }
    }
    for (const auto& group : groups_) {
        // A frontend without a link has lost its members, or will compare its roster.
        (void)store_.to_frontends_.cast(group.frontend, wire::kind::push_channel, bytes,
                                        push_load(flow_, bytes.size(), group.members));
    }
    return {};
}

result<void> owned_channel::push_to(std::string_view route, door::body_view message,
                                    std::span<const session_ref> to) noexcept {
    if (store_.is_fenced(name_)) {
        return fenced();
    }
    std::map<std::string_view, std::vector<session_id>> by_frontend;
    for (const auto& each : to) {
        if (const auto* at = find(each)) {
            by_frontend[at->ref.frontend].push_back(at->ref.id);
        }
    }
    return store_.to_frontends_.push_to_sessions(by_frontend, route, message, flow_);
}

std::vector<door::member> owned_channel::release() {
    is_released_ = true;
    by_session_.clear();
    by_uid_.clear();
    groups_.clear();
    return std::exchange(members_, {});
}

void owned_channel::insert(door::member added) {
    store_.next_join_ = std::max(store_.next_join_, added.joined + 1);
    const auto at =
        std::upper_bound(members_.begin(), members_.end(), added.joined,
                         [](auto joined, const auto& each) { return joined < each.joined; });
    by_session_.emplace(hash_of(added.ref), added.joined);
    if (!added.ref.uid.empty()) {
        by_uid_.emplace(hash_of(added.ref.uid), added.joined);
    }
    auto group = std::find_if(groups_.begin(), groups_.end(), [&](const auto& each) {
        return each.frontend == added.ref.frontend;
    });
    if (group == groups_.end()) {
        groups_.push_back({added.ref.frontend, 1});
    } else {
        ++group->members;
    }
    members_.insert(at, std::move(added));
}

door::member owned_channel::take(std::ptrdiff_t index) {
    auto taken = std::move(members_[static_cast<std::size_t>(index)]);
    members_.erase(members_.begin() + index);
    forget(by_session_, hash_of(taken.ref), taken.joined);
    forget(by_uid_, hash_of(taken.ref.uid), taken.joined);
    const auto group = std::find_if(groups_.begin(), groups_.end(), [&](const auto& each) {
        return each.frontend == taken.ref.frontend;
    });
    if (--group->members == 0) {
        groups_.erase(group);
    }
    return taken;
}

void owned_channel::tell_leave(const session_ref& session, std::uint8_t how, std::uint64_t joined) {
    store_.to_frontends_.tell(session.frontend, wire::kind::leave,
                              wire::encoded(wire::membership{name_, session.id, {}, joined}, how),
                              membership_key(name_, session.id));
}

void owned_channel::tell_destroyed() {
    for (const auto& group : groups_) {
        store_.to_frontends_.tell(group.frontend, wire::kind::destroy_channel, wire::encoded(name_),
                                  name_);
    }
}

} // namespace shaddock::server
