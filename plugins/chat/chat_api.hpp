#pragma once

#include <shaddock/remote.hpp>

#include <string>
#include <string_view>
#include <vector>

/// What other server types may ask the chat servers. All are routed by the room's name.
namespace chat {

/// Names of a room's members, in order of joining.
using users = std::vector<std::string>;

/// Adds `who`, whose uid is make_uid(name, room), and tells the others (onAdd). Gives all names,
/// the new one too. Errors: duplicate (the name is in the room, from whatever connector, or the
/// session is), not_found (no such room and not `create`), closed, bad_request (the name or the
/// room breaks a rule of shaddock::broken_name_rule).
inline constexpr shaddock::remote_method<users(shaddock::session_ref who, std::string room,
                                               bool create)>
    add{"chat.chatRemote.add"};

/// The names in a room; empty when there is no such room.
inline constexpr shaddock::remote_method<users(std::string room)> get{"chat.chatRemote.get"};

/// Removes `who` and tells the others (onLeave). False when it was not in the room; nobody is told
/// then.
inline constexpr shaddock::remote_method<bool(shaddock::session_ref who, std::string room)> kick{
    "chat.chatRemote.kick"};

/// Undoes an `add` whose call has failed, so that nobody knows whether it was carried out. False
/// when `who` was not in the room; the others are told all the same, since they may have heard of
/// it from a chat server that did not live to tell more.
inline constexpr shaddock::remote_method<bool(shaddock::session_ref who, std::string room)>
    withdraw{"chat.chatRemote.withdraw"};

/// The uid under which a name is in a room: `name*room`. A name has no `*`, a room may.
inline std::string make_uid(std::string_view name, std::string_view room) {
    std::string uid(name);
    uid.append("*").append(room);
    return uid;
}
inline std::string name_of(std::string_view uid) {
    return std::string(uid.substr(0, uid.find('*')));
}

} // namespace chat
