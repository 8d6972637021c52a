// What frontends tell of members, compared with what the store has. The rest is in channels.cpp.
#include "channels.hpp"

#include "base/log.hpp"
#include "owned_channel.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace shaddock::server {

namespace {

/// Of the rest of a chunk, which is told by the list of that epoch.
std::set<std::string_view> handed_on(wire::reader& in, std::uint64_t epoch, std::uint64_t own_epoch,
                                     const rooms_to_come& rooms) {
    std::set<std::string_view> found;
    if (in.at_end() || epoch >= own_epoch) { // an older build, or a list that is as late as ours
        return found;
    }
    for (wire::reader names(in.text()); names.ok() && !names.at_end();) {
        if (const auto name = names.text(); rooms.is_anothers_by_name(name)) {
            found.insert(name);
        }
    }
    return found;
}

} // namespace

void channel_store::on_roster(const bus::peer& from, std::string_view bytes, rooms_to_come& rooms) {
    const auto known = frontends_.find(from.id);
    if (known == frontends_.end() || known->second.life != from.life) {
        return;
    }
    wire::reader in(bytes);
    const bool is_last = in.u8() != 0;
    const auto members = in.text();
    const auto lost = in.at_end() ? std::string_view() : in.text(); // an older build ends before
    const auto epoch = in.at_end() ? 0 : in.u64();
    const auto others = handed_on(in, epoch, epoch_, rooms);
    const auto read_into = [&](std::vector<seat>& seats, std::string_view text) {
        wire::reader memberships(text);
        while (memberships.ok() && !memberships.at_end()) {
            const auto value = wire::read_membership(memberships);
            if (others.contains(value.channel)) {
                continue;
            }
            seats.push_back(
                {std::string(value.channel), value.session, std::string(value.uid), value.joined});
            next_join_ = std::max(next_join_, value.joined + 1);
        }
    };
    read_into(known->second.roster, members);
    read_into(known->second.lost, lost);
    if (is_last) {
        compare(from, known->second, epoch, rooms);
        expect_nothing_of(from.id);
    }
}

void channel_store::compare(const bus::peer& frontend, frontend_state& state, std::uint64_t epoch,
                            rooms_to_come& rooms) {
    const auto roster = std::move(state.roster);
    state.roster.clear();
    const bool adopts = !state.is_known;
    const bool was_dead = std::exchange(state.was_dead, false);
    const bool is_owed = rooms.owes_seats(frontend.id, epoch);
    const bool kicks = std::exchange(state.has_expelled, false) || was_dead || is_owed;
    const auto how = kicks ? wire::leave_and_kick : std::uint8_t{0};
    state.is_known = true;
    const auto comes = [&](const seat& each, bool is_lost) {
        const session_ref ref{frontend.id, frontend.life, each.session, each.uid};
        return is_owed && !adopts &&
               rooms.take_seat(epoch, each.channel, frontend, {ref, each.joined}, is_lost);
    };
    std::erase_if(state.lost, [&](const seat& each) { return comes(each, true); });

    // Who came with a channel is not to be told of twice, nor who had left it by then.
    std::erase_if(state.lost, [&](const seat& each) {
        const auto at = adopts ? channels_.find(each.channel) : channels_.end();
        if (at == channels_.end()) {
            return false;
        }
        const session_ref ref{frontend.id, frontend.life, each.session, {}};
        if (const auto* member = at->second->find(ref)) {
            at->second->take(member - at->second->members().data());
            return false;
        }
        if (each.joined >= at->second->came_before) {
            return false;
        }
        acknowledge(frontend, each.channel, each.session);
        return true;
    });
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
        if (!adopts) {
            if (!comes(*each, false)) {
                owned_channel(*this, each->channel).tell_leave(ref, how, each->joined);
            }
        } else if (!adopt(frontend, *each)) {
            owned_channel(*this, each->channel).tell_leave(ref, wire::leave_and_kick);
        }
    }
    if (adopts && !seats.empty()) {
        base::log::info("server", "took back {} members of {} from an earlier life", seats.size(),
                        frontend.id);
    }
    std::reverse(gone.begin(), gone.end());
    report({std::move(gone), frontend});
    bring_back_lost(frontend, state, adopts);
}

bool channel_store::adopt(const bus::peer& frontend, const seat& each) {
    if (is_anothers_(each.channel)) {
        return false;
    }
    auto& channel = static_cast<owned_channel&>(*create(each.channel));
    if (!each.uid.empty() && channel.find(each.uid) != nullptr) {
        return false;
    }
    channel.insert({{frontend.id, frontend.life, each.session, each.uid}, each.joined});
    return true;
}

/// Those that the frontend has lost and an earlier life of this server was not told of, or did not
/// live to tell.
void channel_store::bring_back_lost(const bus::peer& frontend, frontend_state& state, bool adopts) {
    departures left{{}, frontend, true};
    for (const auto& each : std::exchange(state.lost, {})) {
        if (adopts) {
            const session_ref ref{frontend.id, frontend.life, each.session, each.uid};
            left.gone.emplace_back(each.channel, door::member{ref, each.joined});
        } else {
            acknowledge(frontend, each.channel, each.session);
        }
    }
    std::ranges::sort(left.gone, {}, [](const auto& each) { return each.second.joined; });
    report(std::move(left));
}

} // namespace shaddock::server
