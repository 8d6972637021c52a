#include "channels.hpp"

#include "owned_channel.hpp"

#include <algorithm>
#include <utility>

namespace shaddock::server {

channel_store::channel_store(outgoing& to_frontends, lost_callback lost)
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

bool channel_store::is_up(const session_ref& session) const {
    const auto known = frontends_.find(session.frontend);
    return known != frontends_.end() && known->second.life == session.life &&
           to_frontends_.reaches(session.frontend);
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

bool channel_store::has_members(std::string_view name) const {
    const auto at = channels_.find(name);
    return at != channels_.end() && !at->second->members().empty();
}

std::size_t channel_store::used() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        channels_, [](const auto& each) { return !each.second->members().empty(); }));
}

void channel_store::on_link_up(const bus::peer& frontend) {
    auto& state = frontends_[frontend.id];
    if (state.life != frontend.life) {
        state = {};
        state.life = frontend.life;
        // Members that came with a channel may be of a life that was never linked here.
        report({take_of(frontend.id, [&](auto life) { return life != frontend.life; }), frontend});
    }
    state.joins_before_link = next_join_;
    state.roster.clear();
    state.lost.clear();
}

void channel_store::begin_recovery(std::set<std::string, std::less<>> frontends) {
    awaited_ = std::move(frontends);
}

void channel_store::expect_nothing_of(std::string_view frontend) {
    if (const auto at = awaited_.find(frontend); at != awaited_.end()) {
        awaited_.erase(at);
        if (awaited_.empty()) {
            end_recovery();
        }
    }
}

void channel_store::end_recovery() {
    awaited_.clear();
    if (recovered_) {
        recovered_();
    }
    for (const auto& left : std::exchange(deferred_, {})) {
        tell_lost(left);
    }
}

void channel_store::live_anew(const bus::peer& old) {
    on_dead(old);
    frontends_[old.id].life = to_frontends_.self().life;
}

void channel_store::on_dead(const bus::peer& frontend) {
    auto gone = take_of(frontend.id, [&](auto life) { return life == frontend.life; });
    // A frontend that was only silent, and is too old to become a new one, comes back with the same
    // life: its seats are then leaves it has not heard of. One that was never linked may yet be
    // named with a channel that comes.
    auto& state = frontends_[frontend.id];
    if (state.life == incarnation{}) {
        state.life = frontend.life;
    }
    if (state.life == frontend.life) {
        state.is_known = state.was_dead = true;
    }
    report({std::move(gone), frontend});
    expect_nothing_of(frontend.id);
}

void channel_store::on_forgotten(const std::string& frontend) {
    const auto known = frontends_.find(frontend);
    if (known != frontends_.end() && !to_frontends_.reaches(frontend)) {
        on_dead({frontend, known->second.life});
    }
}

/// In order of joining in each channel.
template <class F>
std::vector<std::pair<std::string, door::member>> channel_store::take_of(std::string_view frontend,
                                                                         F is_gone) {
    std::vector<std::pair<std::string, door::member>> gone;
    for (const auto& each_channel : channels_) {
        const auto& name = each_channel.first;
        each_channel.second->take_all(
            [&](const door::member& each) {
                return each.ref.frontend == frontend && is_gone(each.ref.life);
            },
            [&](door::member taken) { gone.emplace_back(name, std::move(taken)); });
    }
    std::reverse(gone.begin(), gone.end());
    return gone;
}

void channel_store::on_member_lost(const bus::peer& from, std::string_view bytes) {
    wire::reader in(bytes);
    const auto lost = wire::read_membership(in);
    if (!in.ok()) {
        return;
    }
    const auto at = channels_.find(lost.channel);
    const auto* gone = at == channels_.end()
                           ? nullptr
                           : at->second->find(session_ref{from.id, from.life, lost.session, {}});
    if (gone == nullptr) {
        if (!moved_away_.contains(lost.channel)) {
            acknowledge(from, lost.channel, lost.session);
        }
        return;
    }
    departures left{{}, from, true};
    left.gone.emplace_back(at->first, at->second->take(gone - at->second->members().data()));
    report(std::move(left));
}

/// Nobody has to tell us again.
void channel_store::acknowledge(const bus::peer& to, std::string_view channel, session_id who) {
    if (to.version >= wire::lost_taken_version) {
        to_frontends_.tell(to.id, wire::kind::lost_taken,
                           wire::encoded(wire::membership{channel, who, {}, 0}), {});
    }
}

void channel_store::report(departures left) {
    if (is_recovering()) {
        deferred_.push_back(std::move(left));
    } else {
        tell_lost(left);
    }
}

void channel_store::tell_lost(const departures& left) {
    for (const auto& [channel, member] : left.gone) {
        const auto* now = find(channel);
        // Its uid may have come back by another session before its loss was known.
        if (now == nullptr || now->find(member.ref.uid) == nullptr) {
            lost_(channel, member);
        }
        if (left.is_owed_answer) {
            acknowledge(left.frontend, channel, member.ref.id);
        }
    }
}

} // namespace shaddock::server
