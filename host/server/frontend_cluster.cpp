#include "frontend.hpp"

#include "base/log.hpp"
#include "protocol/kick.hpp"

#include <shaddock/detail/json_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

// What other servers ask of a frontend: pushes, memberships of its sessions, changes of sessions.

namespace shaddock::server {

// ---- pushes ----

void frontend::push(push_forms& forms, session& to) {
    const auto* form = forms.form_for(*to.agreed);
    if (form != nullptr && to.link->send(*form) == net::send_result::queued) {
        ++deliveries_;
    } else {
        ++undelivered_;
    }
}

void frontend::on_cast(const bus::peer& from, wire::kind what, std::string_view bytes) {
    switch (what) {
    case wire::kind::push_channel:
        return push_channel(from, bytes);
    case wire::kind::push_sessions:
        return push_sessions(bytes);
    case wire::kind::broadcast:
        return broadcast(bytes);
    case wire::kind::join:
        return join(from, bytes);
    case wire::kind::leave:
        return leave(from, bytes);
    case wire::kind::destroy_channel: {
        wire::reader in(bytes);
        return mirror_.destroy(from.id, in.text());
    }
    case wire::kind::lost_taken:
        return lost_taken(from, bytes);
    default:
        base::log::warn("server", "{} sent a cast of unknown kind {}", from.id,
                        static_cast<int>(what));
    }
}

void frontend::push_channel(const bus::peer& owner, std::string_view bytes) {
    wire::reader in(bytes);
    const auto name = in.text();
    const auto route = in.text();
    const auto body = in.text();
    const auto* channel = mirror_.find(owner.id, name);
    if (!in.ok() || channel == nullptr) {
        return;
    }
    push_forms forms(codec_, route, body, package_);
    for (const auto& each : channel->members) {
        push(forms, *each.who);
    }
}

void frontend::push_sessions(std::string_view bytes) {
    wire::reader in(bytes);
    const auto route = in.text();
    const auto body = in.text();
    const auto count = in.u32();
    std::vector<session*> to;
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
        if (auto* found = sessions_.find(session_id{in.u64()})) {
            to.push_back(found);
        }
    }
    if (!in.ok()) {
        return;
    }
    push_forms forms(codec_, route, body, package_);
    for (auto* each : to) {
        push(forms, *each);
    }
}

void frontend::broadcast(std::string_view bytes) {
    wire::reader in(bytes);
    const bool only_bound = in.u8() != 0;
    const auto route = in.text();
    const auto body = in.text();
    if (!in.ok()) {
        return;
    }
    push_forms forms(codec_, route, body, package_);
    for (const auto& [id, each] : sessions_.all()) {
        if (!only_bound || !each->data->ref.uid.empty()) {
            push(forms, *each);
        }
    }
}

// ---- memberships ----

void frontend::join(const bus::peer& owner, std::string_view bytes) {
    wire::reader in(bytes);
    const auto value = wire::read_membership(in);
    const auto epoch = in.at_end() ? 0 : in.u64();
    if (!in.ok()) {
        return;
    }
    if (is_outdated(owner, value.channel, epoch)) {
        if (const auto more = rare_.due("joins by an older list")) {
            base::log::warn("server",
                            "{} has let somebody into '{}' by an older list of servers: not "
                            "taken{}",
                            owner.id, value.channel, *more);
        }
        // It may have been told that it is in: it would be deaf there, and refused.
        if (auto* found = sessions_.find(value.session)) {
            found->link->kick(protocol::kick_reason::lost);
        }
        // The owner does not acknowledge who is lost from a channel that has moved away.
        return servers_.tell(owner.id, wire::kind::member_lost, wire::encoded(value),
                             membership_key(value.channel, value.session));
    }
    if (auto* found = sessions_.find(value.session)) {
        mirror_.join(owner.id, value.channel, *found, value.uid, value.joined);
    } else {
        report_lost(owner.id, value);
    }
}

bool frontend::is_outdated(const bus::peer& owner, std::string_view channel,
                           std::uint64_t epoch) const {
    if (epoch == 0 || epoch >= epoch_) {
        return false; // of a build without epochs, or no older than ours
    }
    const auto* whose = owner_by_name(owner.id, channel);
    return whose != nullptr && *whose != owner.id;
}

const std::string* frontend::owner_by_name(std::string_view owner, std::string_view channel) const {
    const auto* known = list_.find(owner);
    return known == nullptr ? nullptr : directory::owner_in(list_.by_type(), known->type, channel);
}

void frontend::leave(const bus::peer& owner, std::string_view bytes) {
    wire::reader in(bytes);
    const auto value = wire::read_membership(in);
    const bool kicks = !in.at_end() && in.u8() == wire::leave_and_kick;
    auto* found = in.ok() ? sessions_.find(value.session) : nullptr;
    if (found == nullptr) {
        return;
    }
    if (mirror_.leave(owner.id, value.channel, *found)) {
        if (kicks) {
            found->link->kick(protocol::kick_reason::lost);
        }
        return;
    }
    const auto* whose = owner_by_name(owner.id, value.channel);
    if (whose != nullptr && *whose != owner.id && !kicks) {
        leave_moved(*whose, value, *found);
    }
}

/// The owner before took it off when the channel had moved already: it had stood still. The seat
/// that it means has moved, too; one that the present owner has given meanwhile is a newer one.
void frontend::leave_moved(const std::string& owner, const wire::membership& left, session& who) {
    const auto* there = mirror_.find(owner, left.channel);
    if (there == nullptr) {
        return;
    }
    const auto seat = std::ranges::find(there->members, &who, &mirrored_channel::entry::who);
    // An older build does not say when the member had joined.
    if (seat == there->members.end() || (left.joined != 0 && left.joined < seat->joined)) {
        return;
    }
    const std::string uid(std::string_view(seat->uid)); // the seat ends before it is told
    const auto joined = seat->joined;
    mirror_.leave(owner, left.channel, who);
    report_lost(owner, {left.channel, left.session, uid, joined});
}

void frontend::lost_taken(const bus::peer& owner, std::string_view bytes) {
    wire::reader in(bytes);
    const auto value = wire::read_membership(in);
    if (in.ok()) {
        mirror_.forget_lost(owner.id, value.channel, value.session);
    }
}

void frontend::report_lost(std::string_view owner, const wire::membership& gone) {
    if (!silent_owners_.contains(owner)) {
        mirror_.remember_lost(owner, gone);
    }
    // When the link is down the roster tells it on the next one.
    servers_.tell(owner, wire::kind::member_lost, wire::encoded(gone),
                  membership_key(gone.channel, gone.session));
}

void frontend::send_roster(const bus::peer& owner,
                           const std::function<bool(const std::string& channel)>& leaves) {
    auto channels = mirror_.of_owner(owner.id);
    std::erase_if(channels, [&](const auto* each) { return leaves(each->name); });
    auto lost = mirror_.lost_of(owner.id);
    std::erase_if(lost, [&](const std::string& bytes) {
        wire::reader in(bytes);
        return leaves(std::string(wire::read_membership(in).channel));
    });
    send_seats(owner.id, wire::kind::roster, {}, channels, lost);
    if (owner.version < wire::lost_taken_version) {
        silent_owners_.insert(owner.id);
        mirror_.forget_owner(owner.id);
    } else {
        silent_owners_.erase(owner.id);
    }
}

/// Chunks: `begin`, whether it is the last, members, lost ones, the epoch of the list that is known
/// here, those of the channels that are `to`'s by their names under that list.
void frontend::send_seats(const std::string& to, wire::kind what, std::string_view begin,
                          const std::vector<const mirrored_channel*>& of,
                          const std::vector<std::string>& lost_ones) {
    constexpr std::size_t chunk_bytes = std::size_t{64} * 1024;
    std::string members;
    std::string lost;
    std::set<std::string_view> named;
    const auto send_chunk = [&](bool is_last) {
        if (is_last || members.size() + lost.size() > chunk_bytes) {
            std::string names;
            wire::writer out(names);
            std::ranges::for_each(named, [&](auto each) { out.text(each); });
            servers_.tell(to, what,
                          std::string(begin) +
                              wire::encoded(is_last, members, lost, list_.told_epoch(), names),
                          {});
            members.clear();
            lost.clear();
            named.clear();
        }
    };
    const auto note = [&](std::string_view channel) {
        if (const auto* whose = owner_by_name(to, channel); whose != nullptr && *whose == to) {
            named.insert(channel);
        }
    };
    wire::writer out(members);
    for (const auto* channel : of) {
        for (const auto& each : channel->members) {
            note(channel->name);
            wire::write(out,
                        wire::membership{channel->name, each.who->id(), each.uid, each.joined});
            send_chunk(false);
        }
    }
    for (const auto& gone : lost_ones) {
        wire::reader in(gone);
        note(wire::read_membership(in).channel);
        lost += gone;
        send_chunk(false);
    }
    send_chunk(true);
}

void frontend::move_rooms(const std::string& owner, std::uint64_t epoch,
                          const std::function<const std::string*(const std::string&)>& to) {
    struct moved_rooms {
        std::vector<std::string> names;
        std::vector<std::string> lost;
    };
    std::map<std::string, moved_rooms> moved;
    for (const auto* channel : mirror_.of_owner(owner)) {
        if (const auto* now = to(channel->name)) {
            moved[*now].names.push_back(channel->name);
        }
    }
    for (const auto& bytes : mirror_.lost_of(owner)) {
        wire::reader in(bytes);
        const auto gone = wire::read_membership(in);
        if (const auto* now = to(std::string(gone.channel))) {
            mirror_.remember_lost(*now, gone);
            mirror_.forget_lost(owner, gone.channel, gone.session);
            moved[*now].lost.push_back(bytes);
        }
    }
    const auto linked = servers_.linked();
    for (const auto& [now, rooms] : moved) {
        if (std::ranges::any_of(linked, [&id = now](const auto& each) {
                return each.id == id && each.version < wire::moves_version;
            })) {
            base::log::warn("server",
                            "{} is of a build that takes no rooms over: who is in {} is "
                            "kicked",
                            now, rooms.names.size());
            mirror_.forget_owner(now);
            leave_rooms(owner, rooms.names);
            continue;
        }
        std::vector<const mirrored_channel*> there;
        for (const auto& name : rooms.names) {
            mirror_.move(owner, name, now);
            there.push_back(mirror_.find(now, name));
        }
        send_seats(now, wire::kind::moved_roster, wire::encoded(epoch), there, rooms.lost);
    }
}

/// Their members are to come back.
void frontend::leave_rooms(const std::string& owner, const std::vector<std::string>& names) {
    std::set<session*> all;
    for (const auto& name : names) {
        for (const auto& each : mirror_.find(owner, name)->members) {
            all.insert(each.who);
        }
        mirror_.destroy(owner, name);
    }
    for (auto* each : all) {
        each->link->kick(protocol::kick_reason::lost);
    }
}

void frontend::live_anew(incarnation life) {
    mirror_.clear();
    sessions_.live_anew(life);
    std::vector<session*> all;
    for (const auto& [id, each] : sessions_.all()) {
        all.push_back(each.get());
    }
    for (auto* each : all) {
        each->link->kick(protocol::kick_reason::lost);
    }
}

// ---- sessions, for anyone ----

result<door::body> frontend::change_session(const session_ref& who,
                                            const door::session_change& change) {
    auto* found = sessions_.find(who);
    if (found == nullptr) {
        return error(errc::closed,
                     fmt::format("session {} of {} is closed", number(who.id), who.frontend));
    }
    using kind = door::session_change::kind;
    result<void> done;
    switch (change.what) {
    case kind::bind:
        done = sessions_.bind(*found, change.uid);
        break;
    case kind::unbind:
        sessions_.unbind(*found);
        break;
    case kind::rebind:
        done = sessions_.rebind(*found, change.uid);
        break;
    case kind::push:
        done = sessions_.set(*found, change.settings);
        break;
    case kind::kick:
        found->link->kick(change.text);
        break;
    default:
        done = error(errc::bad_request,
                     fmt::format("unknown session change {}", static_cast<int>(change.what)));
    }
    if (!done) {
        return done.error();
    }
    return door::body{};
}

std::string frontend::find_sessions(const session_ref& who) const {
    std::vector<const session*> found;
    if (who.id != session_id{}) {
        if (const auto* one = sessions_.find(who)) {
            found.push_back(one);
        }
    } else {
        for (const auto* each : sessions_.of_uid(who.uid)) {
            found.push_back(each);
        }
    }
    std::string json = "[";
    for (const auto* each : found) {
        const auto& data = *each->data;
        json += json.size() > 1 ? ",{\"ref\":{\"frontend\":" : "{\"ref\":{\"frontend\":";
        shaddock::detail::append_string(json, data.ref.frontend);
        json += fmt::format(",\"life\":{},\"id\":{},\"uid\":", number(data.ref.life),
                            number(data.ref.id));
        shaddock::detail::append_string(json, data.ref.uid);
        json += "},\"settings\":{";
        for (std::size_t i = 0; i < data.settings.size(); ++i) {
            json += i != 0 ? "," : "";
            shaddock::detail::append_string(json, data.settings[i].key);
            json += ":" + data.settings[i].json;
        }
        json += "}}";
    }
    return json + "]";
}

std::size_t frontend::kick_uid(std::string_view uid, std::string_view reason) {
    const auto all = sessions_.of_uid(uid);
    for (auto* each : all) {
        each->link->kick(reason);
    }
    return all.size();
}

} // namespace shaddock::server
