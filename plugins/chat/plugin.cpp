#include "chat/chat_api.hpp"
#include "chat/chat_rooms.hpp"

#include <shaddock/plugin.hpp>

namespace chat {

/// The client also sends `rid` and `from`; both come from the session, so nobody speaks for others
/// or into other rooms.
struct send_request {
    std::string content;
    /// A name, or `*` for all.
    std::string target;
};
BOOST_DESCRIBE_STRUCT(send_request, (), (content, target))

class chat_handler {
public:
    explicit chat_handler(chat_rooms& rooms) : rooms_(rooms) {}

    /// Says `content` to everyone in the sender's room or to one member. Answers `{}`; 500 when
    /// there is no such room or target, or the sender has not entered.
    shaddock::result<void> send(const send_request& request, shaddock::session& session) {
        const auto room = session.get<std::string>("rid");
        if (!room || !session.is_bound()) {
            return shaddock::error(shaddock::errc::refused, "send before enter");
        }
        return rooms_.say(session.ref(), *room,
                          {request.content, name_of(session.uid()), request.target});
    }

private:
    chat_rooms& rooms_;
};

class chat_remote {
public:
    explicit chat_remote(chat_rooms& rooms) : rooms_(rooms) {}

    shaddock::result<users> add(const shaddock::session_ref& who, const std::string& room,
                                bool create) {
        return rooms_.join(who, room, create);
    }
    users get(const std::string& room) { return rooms_.names(room); }
    bool kick(const shaddock::session_ref& who, const std::string& room) {
        return rooms_.leave(who, room);
    }
    bool withdraw(const shaddock::session_ref& who, const std::string& room) {
        return rooms_.withdraw(who, room);
    }

private:
    chat_rooms& rooms_;
};

} // namespace chat

SHADDOCK_PLUGIN("chat", registrar) {
    const auto rooms = registrar.state<chat::chat_rooms>();
    registrar.handler<chat::chat_handler>("chatHandler", rooms)
        .method("send", &chat::chat_handler::send);
    registrar.remote<chat::chat_remote>("chatRemote", rooms)
        .method(chat::add, &chat::chat_remote::add)
        .method(chat::get, &chat::chat_remote::get)
        .method(chat::kick, &chat::chat_remote::kick)
        .method(chat::withdraw, &chat::chat_remote::withdraw);
    registrar.filter<shaddock::timeout_filter>();
    registrar.on_member_lost(
        [rooms](shaddock::app&, std::string_view channel, const shaddock::member& gone) {
            rooms->lost(channel, gone.ref);
        });
}
