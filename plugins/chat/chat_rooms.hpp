#pragma once

#include "chat/chat_api.hpp"

#include <shaddock/app.hpp>

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace chat {

/// config/chat.json; the file may be absent.
struct chat_options {
    /// Bytes. Longest text of one message: a room is sent this times its members. What clients can
    /// send is bounded by `connector: package_limit` (64 KiB), of which this is half.
    std::uint32_t content_limit = 32 * 1024;
};
BOOST_DESCRIBE_STRUCT(chat_options, (), (content_limit))

/// onAdd and onLeave.
struct presence_message {
    std::string route;
    std::string user;
};
BOOST_DESCRIBE_STRUCT(presence_message, (), (route, user))

/// onChat. `target` is a name or `*`.
struct chat_message {
    std::string msg;
    std::string from;
    std::string target;
};
BOOST_DESCRIBE_STRUCT(chat_message, (), (msg, from, target))

/// The rooms of this server: one channel each, named like the room, gone when empty.
class chat_rooms {
public:
    /// Reads config/chat.json. Throws: config.
    explicit chat_rooms(shaddock::app& app);

    /// Errors: as chat::add, and overloaded: the members cannot be told now.
    shaddock::result<users> join(const shaddock::session_ref& who, std::string_view room,
                                 bool create);
    users names(std::string_view room);
    bool leave(const shaddock::session_ref& who, std::string_view room);
    /// As chat::withdraw.
    bool withdraw(const shaddock::session_ref& who, std::string_view room);
    /// Somebody left without `leave`; the channel no longer lists it.
    void lost(std::string_view room, const shaddock::session_ref& who);

    /// Leaves that the members have not been told of, over a reload.
    static constexpr std::string_view state_name = "rooms";
    std::string save_state() const;
    shaddock::result<void> restore_state(std::string_view bytes, std::string_view version);
    /// The same of one room, which moves to another server.
    std::string save_room(std::string_view room);
    void restore_room(std::string_view room, std::string_view bytes);

    /// To all in the sender's room, the sender too, for target `*`; else to that member only.
    /// Errors: not_found when the room, the sender in it, or the target does not exist;
    /// bad_request when the text is over the limit; overloaded when nobody gets it.
    shaddock::result<void> say(const shaddock::session_ref& sender, std::string_view room,
                               const chat_message& message);

private:
    /// What cannot be told now is told as soon as there is room, before anything else of the kind.
    void announce_leave(shaddock::channel& channel, std::string_view uid);
    void tell_leaves();
    void tell_leaves_later();
    void destroy_if_empty(std::string_view room);

    shaddock::app& app_;
    std::size_t content_limit_;
    /// Names of those who have left, by room, in order.
    std::map<std::string, std::deque<std::string>, std::less<>> untold_;
    bool is_telling_ = false;
};

} // namespace chat
