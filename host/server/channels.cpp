#include "channels.hpp"

#include "base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace shaddock::server {

/// Members in order of joining, where they are by session and by uid, and how many are on each
/// frontend.
class owned_channel final : public door::channel {
public:
    owned_channel(channel_store& store, std::string_view name)
        : store_(store), name_(name), flow_(flow_of_channel(name)) {}

    std::string_view name() const noexcept override { return name_; }
    std::span<const door::member> members() const noexcept override { return members_; }

    const door::member* find(std::string_view uid) const noexcept override {
        return find_in(by_uid_, hash_of(uid),
                       [&](const door::member& each) { return each.ref.uid == uid; });
    }

    const door::member* find(const session_ref& session) const noexcept override {
        return find_in(by_session_, hash_of(session),
                       [&](const door::member& each) { return same_session(each.ref, session); });
    }

    result<void> add(const session_ref& session) noexcept override {
        if (find(session) != nullptr) {
            return error(errc::duplicate,
                         fmt::format("channel '{}': session {} of {} is in it already", name_,
                                     number(session.id), session.frontend));
        }
        if (!session.uid.empty() && find(session.uid) != nullptr) {
            return error(errc::duplicate, fmt::format("channel '{}': uid '{}' is in it already",
                                                      name_, session.uid));
        }
        const auto known = store_.frontends_.find(session.frontend);
        const bool is_up = known != store_.frontends_.end() && known->second.life == session.life &&
                           store_.to_frontends_.reaches(session.frontend);
        if (!is_up) {
            return error(
                errc::closed,
                fmt::format("channel '{}': frontend '{}' of the session is not linked in that life",
                            name_, session.frontend));
        }
        const auto joined = store_.next_join_++;
        insert({session, joined});
        store_.to_frontends_.tell(
            session.frontend, wire::kind::join,
            wire::encoded(wire::membership{name_, session.id, session.uid, joined}),
            membership_key(name_, session.id));
        return {};
    }

    bool remove(const session_ref& session) noexcept override {
        const auto* at = find(session);
        if (at == nullptr) {
            return false;
        }
        tell_leave(at->ref);
        take(at - members_.data());
        return true;
    }

    result<void> push(std::string_view route, door::body_view message) noexcept override {
        const auto bytes = wire::encoded(name_, route, message);
        for (const auto& group : groups_) {
            const auto load = push_load(flow_, bytes.size(), group.members);
            if (auto fits = store_.to_frontends_.admits(group.frontend, bytes.size(), load);
                !fits) {
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

    result<void> push_to(std::string_view route, door::body_view message,
                         std::span<const session_ref> to) noexcept override {
        std::map<std::string_view, std::vector<session_id>> by_frontend;
        for (const auto& each : to) {
            if (const auto* at = find(each)) {
                by_frontend[at->ref.frontend].push_back(at->ref.id);
            }
        }
        return store_.to_frontends_.push_to_sessions(by_frontend, route, message, flow_);
    }

    /// Keeps the order of joining.
    void insert(door::member added) {
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

    door::member take(std::ptrdiff_t index) {
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

    void tell_leave(const session_ref& session) {
        store_.to_frontends_.tell(session.frontend, wire::kind::leave,
                                  wire::encoded(wire::membership{name_, session.id, {}, 0}),
                                  membership_key(name_, session.id));
    }

    void tell_destroyed() {
        for (const auto& group : groups_) {
            store_.to_frontends_.tell(group.frontend, wire::kind::destroy_channel,
                                      wire::encoded(name_), name_);
        }
    }

private:
    struct frontend_group {
        std::string frontend;
        std::size_t members = 0;
    };
    /// From a hash to when those with it have joined, which tells their places. So a leave, which
    /// moves all who came later, changes nothing in it.
    using places = std::unordered_multimap<std::size_t, std::uint64_t>;

    static std::size_t hash_of(std::string_view uid) { return std::hash<std::string_view>()(uid); }
    static std::size_t hash_of(const session_ref& session) {
        return (hash_of(std::string_view(session.frontend)) ^ number(session.life)) +
               number(session.id);
    }
    template <class Is>
    const door::member* find_in(const places& where, std::size_t hash, Is is) const {
        const auto [first, last] = where.equal_range(hash);
        for (auto each = first; each != last; ++each) {
            auto at =
                std::lower_bound(members_.begin(), members_.end(), each->second,
                                 [](const auto& m, auto joined) { return m.joined < joined; });
            // Two have joined at the same time only if a frontend says so.
            for (; at != members_.end() && at->joined == each->second; ++at) {
                if (is(*at)) {
                    return &*at;
                }
            }
        }
        return nullptr;
    }
    static void forget(places& where, std::size_t hash, std::uint64_t joined) {
        const auto [first, last] = where.equal_range(hash);
        const auto named =
            std::find_if(first, last, [&](const auto& each) { return each.second == joined; });
        if (named != last) {
            where.erase(named);
        }
    }

    channel_store& store_;
    std::string name_;
    std::uint64_t flow_;
    std::vector<door::member> members_;
    places by_session_;
    places by_uid_;
    std::vector<frontend_group> groups_;
};

channel_store::channel_store(line& to_frontends, lost_callback lost)
    : to_frontends_(to_frontends), lost_(std::move(lost)),
      next_join_(number(to_frontends.self().life)) {
    // Sessions of this very server need no link.
    auto& self = frontends_[to_frontends.self().id];
    self.life = to_frontends.self().life;
    self.is_known = true;
}

channel_store::~channel_store() = default;

door::channel* channel_store::find(std::string_view name) {
    const auto at = channels_.find(name);
    return at == channels_.end() ? nullptr : at->second.get();
}

door::channel* channel_store::create(std::string_view name) {
    if (auto* found = find(name)) {
        return found;
    }
    return channels_.emplace(name, std::make_unique<owned_channel>(*this, name))
        .first->second.get();
}

void channel_store::destroy(std::string_view name) {
    if (const auto at = channels_.find(name); at != channels_.end()) {
        at->second->tell_destroyed();
        channels_.erase(at);
    }
}

std::vector<std::string> channel_store::names() const {
    std::vector<std::string> found;
    found.reserve(channels_.size());
    for (const auto& [name, channel] : channels_) {
        found.push_back(name);
    }
    return found;
}

std::size_t channel_store::members() const {
    std::size_t count = 0;
    for (const auto& [name, channel] : channels_) {
        count += channel->members().size();
    }
    return count;
}

void channel_store::on_link_up(const bus::peer& frontend) {
    auto& state = frontends_[frontend.id];
    if (state.life != frontend.life) {
        state = {};
        state.life = frontend.life;
    }
    state.joins_before_link = next_join_;
    state.roster.clear();
}

void channel_store::on_dead(const bus::peer& frontend) {
    std::vector<std::pair<std::string, door::member>> gone;
    for (const auto& [name, channel] : channels_) {
        const auto& members = channel->members();
        for (auto i = static_cast<std::ptrdiff_t>(members.size()) - 1; i >= 0; --i) {
            const auto& ref = members[static_cast<std::size_t>(i)].ref;
            if (ref.frontend == frontend.id && ref.life == frontend.life) {
                gone.emplace_back(name, channel->take(i));
            }
        }
    }
    // A frontend that was only silent may come back with the same life: its seats are then leaves
    // it has not heard of.
    if (const auto at = frontends_.find(frontend.id);
        at != frontends_.end() && at->second.life == frontend.life) {
        at->second.is_known = true;
    }
    // Backwards through each channel above: people hear of the leavers in order of joining.
    std::reverse(gone.begin(), gone.end());
    report(gone);
}

void channel_store::on_member_lost(const bus::peer& from, std::string_view bytes) {
    wire::reader in(bytes);
    const auto lost = wire::read_membership(in);
    const auto at = channels_.find(lost.channel);
    if (!in.ok() || at == channels_.end()) {
        return;
    }
    const auto members = at->second->members();
    const auto* lost_seat = at->second->find(session_ref{from.id, from.life, lost.session, {}});
    if (lost_seat != nullptr) {
        std::vector<std::pair<std::string, door::member>> gone;
        gone.emplace_back(at->first, at->second->take(lost_seat - members.data()));
        report(gone);
    }
}

void channel_store::on_roster(const bus::peer& from, std::string_view bytes) {
    const auto known = frontends_.find(from.id);
    if (known == frontends_.end() || known->second.life != from.life) {
        return;
    }
    wire::reader in(bytes);
    const bool is_last = in.u8() != 0;
    wire::reader memberships(in.text());
    while (memberships.ok() && !memberships.at_end()) {
        const auto value = wire::read_membership(memberships);
        known->second.roster.push_back(
            {std::string(value.channel), value.session, std::string(value.uid), value.joined});
    }
    if (is_last) {
        compare(from, known->second);
    }
}

void channel_store::compare(const bus::peer& frontend, frontend_state& state) {
    const auto roster = std::move(state.roster);
    state.roster.clear();
    const bool adopts = !state.is_known;
    state.is_known = true;

    std::map<std::pair<std::string_view, session_id>, const seat*> seats;
    for (const auto& each : roster) {
        seats.emplace(std::pair{std::string_view(each.channel), each.session}, &each);
    }
    // Members that the frontend no longer has, of those who joined before this link.
    std::vector<std::pair<std::string, door::member>> gone;
    for (const auto& [name, channel] : channels_) {
        const auto& members = channel->members();
        for (auto i = static_cast<std::ptrdiff_t>(members.size()) - 1; i >= 0; --i) {
            const auto& member = members[static_cast<std::size_t>(i)];
            if (member.ref.frontend != frontend.id || member.ref.life != frontend.life) {
                continue;
            }
            const bool is_there = seats.erase({name, member.ref.id}) > 0;
            if (!is_there && member.joined < state.joins_before_link) {
                gone.emplace_back(name, channel->take(i));
            }
        }
    }
    // Seats that we do not know: from an earlier life of ours, or a leave that never arrived.
    for (const auto& [key, each] : seats) {
        const session_ref ref{frontend.id, frontend.life, each->session, each->uid};
        if (adopts) {
            static_cast<owned_channel*>(create(each->channel))->insert({ref, each->joined});
        } else if (auto* channel = static_cast<owned_channel*>(find(each->channel))) {
            channel->tell_leave(ref);
        } else {
            owned_channel(*this, each->channel).tell_leave(ref);
        }
    }
    if (adopts && !seats.empty()) {
        base::log::info("server", "took back {} members of {} from an earlier life", seats.size(),
                        frontend.id);
    }
    std::reverse(gone.begin(), gone.end());
    report(gone);
}

void channel_store::report(const std::vector<std::pair<std::string, door::member>>& gone) {
    for (const auto& [channel, member] : gone) {
        lost_(channel, member);
    }
}

} // namespace shaddock::server
