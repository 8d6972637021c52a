#include "connector/entry_handler.hpp"

#include <shaddock/names.hpp>

namespace connector {

using shaddock::awaitable;
using shaddock::errc;
using shaddock::error;
using shaddock::session;
using shaddock::session_ref;

namespace {

void check_text(std::string_view field, std::string_view text) {
    if (const auto broken = shaddock::broken_name_rule(text)) {
        throw error(errc::bad_request, std::string(field) + ": " + *broken);
    }
}

void check(const enter_request& request) {
    check_text("username", request.username);
    check_text("rid", request.rid);
    if (request.username.find('*') != std::string::npos) {
        throw error(errc::bad_request, "username: '*' is not allowed");
    }
}

std::optional<shaddock::ticket_keys> keys_of(const shaddock::app& app) {
    const auto options = app.load_config<connector_options>("connector");
    if (!options && options.error().code() == errc::not_found) {
        return std::nullopt;
    }
    const auto& file = options.value().ticket_keys;
    return file ? std::optional(shaddock::ticket_keys::load(*file).value()) : std::nullopt;
}

enter_reply refused() {
    return {.code = 500, .error = true, .users = std::nullopt};
}

/// The call may have been carried out although it failed.
bool is_in_doubt(const error& failed) {
    return failed.code() == errc::timeout || failed.code() == errc::disconnected ||
           failed.code() == errc::overloaded;
}

session_ref with_uid(session_ref who, std::string uid) {
    who.uid = std::move(uid);
    return who;
}

} // namespace

entry_handler::entry_handler(shaddock::app& app) : app_(app), tickets_(keys_of(app)) {}

awaitable<enter_reply> entry_handler::enter(enter_request request, session& session) {
    check(request);
    // Through another frontend (a client of the gate may name any route) the session would be the
    // one of the time of asking: a second switch asked at once would leave a room that it is not in
    // any more and stay in the one between.
    if (session.frontend() != app_.server_id()) {
        throw error(errc::refused, "enter is for this connector's own clients, not for those of " +
                                       session.frontend());
    }
    const auto old_room = session.get<std::string>("rid");
    if (!session.is_bound() || !old_room) {
        check_ticket(request);
        co_return co_await enter_first(std::move(request), session);
    }
    if (chat::name_of(session.uid()) != request.username || *old_room == request.rid) {
        co_return refused();
    }
    co_return co_await switch_room(std::move(request), *old_room, session);
}

void entry_handler::check_ticket(const enter_request& request) const {
    if (!tickets_) {
        return;
    }
    const auto who = tickets_->check(request.ticket.value_or(""));
    if (!who || *who != request.username) {
        throw error(errc::refused,
                    who ? "the ticket is for another name than " + request.username
                        : who.error().text(),
                    401);
    }
}

awaitable<enter_reply> entry_handler::enter_first(enter_request request, session& session) {
    const auto uid = chat::make_uid(request.username, request.rid);
    const auto who = with_uid(session.ref(), uid);
    auto users = co_await app_.call(chat::add, request.rid, who, request.rid, true);
    if (!users) {
        if (users.error().code() == errc::duplicate) {
            co_return refused();
        }
        if (is_in_doubt(users.error())) {
            co_await take_back(who, request.rid);
        }
        throw users.error();
    }
    auto kept = co_await session.bind(uid);
    if (kept) {
        session.set("rid", request.rid);
        kept = co_await session.push("rid");
    }
    if (!kept) {
        // A closed session has left its room by itself, and others have been told.
        if (kept.error().code() != errc::closed) {
            co_await take_back(who, request.rid);
        }
        throw kept.error();
    }
    co_return enter_reply{.code = std::nullopt, .error = std::nullopt, .users = std::move(*users)};
}

awaitable<enter_reply> entry_handler::switch_room(enter_request request, std::string old_room,
                                                  session& session) {
    const auto old_self = session.ref();
    const auto uid = chat::make_uid(request.username, request.rid);
    const auto new_self = with_uid(old_self, uid);
    auto users = co_await app_.call(chat::add, request.rid, new_self, request.rid, true);
    if (!users) {
        if (users.error().code() == errc::duplicate) {
            co_return refused();
        }
        if (is_in_doubt(users.error())) {
            co_await take_back(new_self, request.rid);
        }
        throw users.error();
    }
    // The session goes to the new room before it leaves the old one: a message sent meanwhile
    // always finds its sender in the room that it goes to. Only a closed session can fail here, and
    // that one has left both rooms by itself.
    (co_await move_to(session, uid, request.rid)).value();
    auto left = co_await app_.call(chat::kick, old_room, old_self, old_room);
    if (!left) {
        (co_await move_to(session, old_self.uid, old_room)).value();
        co_await take_back(new_self, request.rid);
        // Whether it was carried out nobody knows; a member that is still there is refused as a
        // duplicate.
        auto back = co_await app_.call(chat::add, old_room, old_self, old_room, true);
        if (!back && back.error().code() != errc::duplicate) {
            app_.log().warn(old_self.uid, ": ", back.error());
        }
        throw left.error();
    }
    co_return enter_reply{.code = std::nullopt, .error = std::nullopt, .users = std::move(*users)};
}

awaitable<shaddock::result<void>> entry_handler::move_to(session& session, std::string uid,
                                                         std::string room) {
    auto moved = co_await session.rebind(uid);
    if (moved) {
        session.set("rid", room);
        moved = co_await session.push("rid");
    }
    co_return moved;
}

awaitable<void> entry_handler::take_back(session_ref who, std::string room) {
    const auto gone = co_await app_.call(chat::kick, room, who, room);
    if (!gone) {
        app_.log().warn(who.uid, " could not be taken out of room ", room, ": ", gone.error());
    }
}

} // namespace connector
