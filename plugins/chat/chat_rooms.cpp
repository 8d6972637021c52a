#include "chat/chat_rooms.hpp"

#include <shaddock/json.hpp>
#include <shaddock/names.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

namespace chat {

using shaddock::errc;
using shaddock::error;
using shaddock::result;
using shaddock::session_ref;

namespace {

/// After which what a full link did not admit is tried again.
constexpr std::chrono::milliseconds retry{20};

users names_in(const shaddock::channel& channel) {
    users names;
    names.reserve(channel.size());
    for (const auto& member : channel.members()) {
        names.push_back(name_of(member.ref.uid));
    }
    return names;
}

error no_room(std::string_view room) {
    return error(errc::not_found, "there is no room '" + std::string(room) + "'");
}

/// The state: names by room.
struct waiting_leaves {
    std::map<std::string, std::vector<std::string>> by_room;
};
BOOST_DESCRIBE_STRUCT(waiting_leaves, (), (by_room))

chat_options options_of(shaddock::app& app) {
    auto read = app.load_config<chat_options>("chat");
    if (!read && read.error().code() == errc::not_found) {
        return {};
    }
    return std::move(read).value();
}

} // namespace

chat_rooms::chat_rooms(shaddock::app& app)
    : app_(app), content_limit_(options_of(app).content_limit) {}

result<users> chat_rooms::join(const session_ref& who, std::string_view room, bool create) {
    const auto name = name_of(who.uid);
    for (const auto& [field, text] : {std::pair("name", std::string_view(name)), {"room", room}}) {
        if (const auto broken = shaddock::broken_name_rule(text)) {
            return error(errc::bad_request, std::string(field) + ": " + *broken);
        }
    }
    auto found = app_.channels().find(room);
    if (!found && !create) {
        return no_room(room);
    }
    if (untold_.contains(room)) {
        return error(errc::overloaded, "room '" + std::string(room) + "' has leaves to tell first");
    }
    auto channel = found ? *found : app_.channels().create(room);
    if (channel.find(who) != nullptr || channel.find(std::string_view(who.uid)) != nullptr) {
        return error(errc::duplicate, who.uid + " is already in its room");
    }
    // Before the joiner is a member: nobody is told about himself.
    if (!channel.empty()) {
        if (auto told = channel.push("onAdd", presence_message{"onAdd", name}); !told) {
            return std::move(told).error();
        }
    }
    if (auto added = channel.add(who); !added) {
        announce_leave(channel, who.uid);
        destroy_if_empty(room);
        return std::move(added).error();
    }
    return names_in(channel);
}

users chat_rooms::names(std::string_view room) {
    const auto channel = app_.channels().find(room);
    return channel ? names_in(*channel) : users();
}

bool chat_rooms::leave(const session_ref& who, std::string_view room) {
    auto channel = app_.channels().find(room);
    const auto* member = channel ? channel->find(who) : nullptr;
    if (member == nullptr) {
        return false;
    }
    const auto uid = member->ref.uid;
    channel->remove(who);
    announce_leave(*channel, uid);
    destroy_if_empty(room);
    return true;
}

bool chat_rooms::withdraw(const session_ref& who, std::string_view room) {
    if (leave(who, room)) {
        return true;
    }
    if (auto channel = app_.channels().find(room);
        channel && channel->find(std::string_view(who.uid)) == nullptr) {
        announce_leave(*channel, who.uid);
    }
    return false;
}

void chat_rooms::lost(std::string_view room, const session_ref& who) {
    if (auto channel = app_.channels().find(room)) {
        announce_leave(*channel, who.uid);
    }
    // Later: the host is still at work on this channel.
    app_.post([this, room = std::string(room)] { destroy_if_empty(room); });
}

result<void> chat_rooms::say(const session_ref& sender, std::string_view room,
                             const chat_message& message) {
    if (message.msg.size() > content_limit_) {
        return error(errc::bad_request, "content: expected at most " +
                                            std::to_string(content_limit_) + " bytes, found " +
                                            std::to_string(message.msg.size()));
    }
    auto channel = app_.channels().find(room);
    if (!channel) {
        return no_room(room);
    }
    if (channel->find(sender) == nullptr) {
        return error(errc::not_found, message.from + " is not in room '" + std::string(room) + "'");
    }
    if (message.target == "*") {
        return channel->push("onChat", message);
    }
    const auto* target = channel->find(std::string_view(make_uid(message.target, room)));
    if (target == nullptr) {
        return error(errc::not_found,
                     message.target + " is not in room '" + std::string(room) + "'");
    }
    const auto to = target->ref;
    return channel->push_to("onChat", message, to);
}

void chat_rooms::announce_leave(shaddock::channel& channel, std::string_view uid) {
    if (channel.empty()) {
        return;
    }
    auto at = untold_.find(channel.name());
    if (at == untold_.end()) {
        if (channel.push("onLeave", presence_message{"onLeave", name_of(uid)})) {
            return;
        }
        at = untold_.try_emplace(std::string(channel.name())).first;
    }
    // Nobody comes while leaves are untold: a name has left once.
    if (auto name = name_of(uid);
        std::find(at->second.begin(), at->second.end(), name) == at->second.end()) {
        at->second.push_back(std::move(name));
    }
    tell_leaves_later();
}

/// Not again while it is to come: each leave would put it off.
void chat_rooms::tell_leaves_later() {
    if (!std::exchange(is_telling_, true)) {
        app_.once("tell leaves", retry, [this] { tell_leaves(); });
    }
}

void chat_rooms::tell_leaves() {
    is_telling_ = false;
    for (auto at = untold_.begin(); at != untold_.end();) {
        auto channel = app_.channels().find(at->first);
        auto& names = at->second;
        while (channel && !channel->empty() && !names.empty() &&
               channel->push("onLeave", presence_message{"onLeave", names.front()})) {
            names.pop_front();
        }
        const bool is_told = !channel || channel->empty() || names.empty();
        at = is_told ? untold_.erase(at) : std::next(at);
    }
    if (!untold_.empty()) {
        tell_leaves_later();
    }
}

std::string chat_rooms::save_state() const {
    waiting_leaves kept;
    for (const auto& [room, names] : untold_) {
        kept.by_room[room].assign(names.begin(), names.end());
    }
    return shaddock::json::encode(kept);
}

result<void> chat_rooms::restore_state(std::string_view bytes, std::string_view /*version*/) {
    auto kept = shaddock::json::decode_tolerant<waiting_leaves>(bytes, "rooms");
    if (!kept) {
        return std::move(kept).error();
    }
    for (auto& [room, names] : kept->by_room) {
        untold_[room].assign(names.begin(), names.end());
    }
    if (!untold_.empty()) {
        tell_leaves_later();
    }
    return {};
}

std::string chat_rooms::save_room(std::string_view room) {
    const auto at = untold_.find(room);
    if (at == untold_.end()) {
        return {};
    }
    waiting_leaves kept;
    kept.by_room[at->first].assign(at->second.begin(), at->second.end());
    untold_.erase(at);
    return shaddock::json::encode(kept);
}

void chat_rooms::restore_room(std::string_view /*room*/, std::string_view bytes) {
    restore_state(bytes, {}).value();
}

void chat_rooms::destroy_if_empty(std::string_view room) {
    if (const auto channel = app_.channels().find(room); channel && channel->empty()) {
        app_.channels().destroy(room);
        if (const auto at = untold_.find(room); at != untold_.end()) {
            untold_.erase(at); // nobody is there to be told
        }
    }
}

} // namespace chat
