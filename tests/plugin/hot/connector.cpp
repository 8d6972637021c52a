#include "mark.hpp"

#include <shaddock/plugin.hpp>

namespace hot {

using shaddock::awaitable;
using shaddock::errc;
using shaddock::error;
using shaddock::result;

struct enter_request {
    std::string user;
    std::string room;
};
BOOST_DESCRIBE_STRUCT(enter_request, (), (user, room))

class front {
public:
    front(shaddock::app& app, memory& known) : app_(app), known_(known) {}

    awaitable<void> enter(enter_request request, shaddock::session& session) {
        auto who = session.ref();
        who.uid = request.user;
        (co_await app_.call(join, request.room, who, request.room)).value();
        (co_await session.bind(request.user)).value();
        session.set("rid", request.room);
        (co_await session.push("rid")).value();
        co_return;
    }
    /// Answered here.
    auto echo(const request& asked) {
        return give(app_, [this, n = asked.n] { return mark(app_, known_, n); });
    }
    /// Asks a chat server, and answers when that has.
    awaitable<reply> relay(request asked, shaddock::session& session) {
        reply made;
        made.taken = mark(app_, known_, asked.n);
        const auto room = session.get<std::string>("rid").value_or("");
        auto outcome = co_await app_.call(ask, room, asked.n);
        made.asked = std::move(outcome).value();
        made.given = mark(app_, known_, asked.n);
        co_return made;
    }

private:
    shaddock::app& app_;
    memory& known_;
};

result<std::string> room_of(const shaddock::route_param& by) {
    if (const auto* session = by.by_session()) {
        if (auto room = session->get<std::string>("rid")) {
            return std::move(*room);
        }
        return error(errc::refused, "the session has not entered a room");
    }
    return std::string(by.text());
}

} // namespace hot

SHADDOCK_PLUGIN("connector", registrar) {
    const auto known = registrar.state<hot::memory>();
    registrar.handler<hot::front>("hot", known)
        .method("enter", &hot::front::enter)
        .method("echo", &hot::front::echo)
        .serial()
        .method("relay", &hot::front::relay);
    registrar.route_by("chat", &hot::room_of);
}
