#include "frontend.hpp"

#include "base/log.hpp"

#include <shaddock/detail/json_text.hpp>

#include <fmt/format.h>

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
    if (!in.ok()) {
        return;
    }
    if (auto* found = sessions_.find(value.session)) {
        mirror_.join(owner.id, value.channel, *found, value.uid, value.joined);
    } else {
        report_lost(owner.id, value.channel, value.session);
    }
}

void frontend::leave(const bus::peer& owner, std::string_view bytes) {
    wire::reader in(bytes);
    const auto value = wire::read_membership(in);
    auto* found = in.ok() ? sessions_.find(value.session) : nullptr;
    if (found != nullptr) {
        (void)mirror_.leave(owner.id, value.channel, *found);
    }
}

void frontend::report_lost(std::string_view owner, std::string_view channel, session_id gone) {
    // When the link is down the roster tells it on the next one.
    servers_.tell(owner, wire::kind::member_lost,
                  wire::encoded(wire::membership{channel, gone, {}, 0}),
                  membership_key(channel, gone));
}

void frontend::send_roster(const bus::peer& owner) {
    constexpr std::size_t chunk_bytes = std::size_t{64} * 1024;
    std::string memberships;
    wire::writer out(memberships);
    for (const auto* channel : mirror_.of_owner(owner.id)) {
        for (const auto& each : channel->members) {
            wire::write(out,
                        wire::membership{channel->name, each.who->id(), each.uid, each.joined});
            if (memberships.size() > chunk_bytes) {
                servers_.tell(owner.id, wire::kind::roster, wire::encoded(false, memberships), {});
                memberships.clear();
            }
        }
    }
    servers_.tell(owner.id, wire::kind::roster, wire::encoded(true, memberships), {});
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
