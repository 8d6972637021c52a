#include "connector/entry_handler.hpp"

#include <shaddock/names.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

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

/// The call may have been carried out although it failed. What is refused as overloaded was not.
bool is_in_doubt(const error& failed) {
    return failed.code() == errc::timeout || failed.code() == errc::disconnected;
}

/// It may be answered when it is asked again.
bool is_passing(const error& failed) {
    return is_in_doubt(failed) || failed.code() == errc::no_server ||
           failed.code() == errc::recovering || failed.code() == errc::overloaded;
}

constexpr std::chrono::milliseconds first_pause{10};
constexpr std::chrono::milliseconds longest_pause{200};
/// After so long a chat server is not waited for.
constexpr std::chrono::minutes withdraw_limit{2};

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
    if (in_doubt_.contains(session.id())) {
        throw error(errc::recovering, "it is not known yet what came of the enter before this one");
    }
    const auto old_room = session.get<std::string>("rid");
    if (!session.is_bound() || !old_room) {
        check_ticket(request);
        co_return co_await enter_first(std::move(request), session);
    }
    if (chat::name_of(session.uid()) != request.username) {
        co_return refused();
    }
    if (*old_room == request.rid) {
        co_return co_await enter_again(std::move(request), session);
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
            take_back(who, request.rid);
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
            take_back(who, request.rid);
        }
        throw kept.error();
    }
    co_return enter_reply{.code = std::nullopt, .error = std::nullopt, .users = std::move(*users)};
}

awaitable<enter_reply> entry_handler::enter_again(enter_request request, session& session) {
    auto users = co_await app_.call(chat::add, request.rid, session.ref(), request.rid, true);
    if (!users && users.error().code() == errc::duplicate) {
        co_return refused();
    }
    // Nothing is taken back after a failure: it is in its room, or not yet.
    co_return enter_reply{
        .code = std::nullopt, .error = std::nullopt, .users = std::move(users).value()};
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
            take_back(new_self, request.rid);
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
        take_back(new_self, request.rid);
        // Whether it was carried out nobody knows; a member that is still there is refused as a
        // duplicate.
        auto back = co_await app_.call(chat::add, old_room, old_self, old_room, true);
        if (!back && back.error().code() != errc::duplicate) {
            co_await give_up(session.ref(), old_room, std::move(back).error());
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

void entry_handler::take_back(session_ref who, std::string room) {
    in_doubt_.insert(who.id);
    app_.spawn("take back a join", withdraw(std::move(who), std::move(room)));
}

awaitable<void> entry_handler::withdraw(session_ref who, std::string room) {
    const auto end = app_.now() + withdraw_limit;
    for (auto pause = first_pause;; pause = std::min(2 * pause, longest_pause)) {
        auto gone = co_await app_.call(chat::withdraw, room, who, room);
        if (!gone && is_passing(gone.error()) && app_.now() < end) {
            co_await app_.sleep(pause);
            continue;
        }
        if (!gone) {
            co_await give_up(who, room, std::move(gone).error());
        }
        break;
    }
    in_doubt_.erase(who.id);
}

awaitable<void> entry_handler::give_up(session_ref who, std::string room, error why) {
    ++given_up_;
    if (app_.now() >= next_line_) {
        next_line_ = app_.now() + std::chrono::minutes(1);
        app_.log().warn(std::exchange(given_up_, 0),
                        " sessions were closed since the last line of this kind, the last of them ",
                        who.uid, ": whether it is in room ", room, " nobody knows: ", why);
    }
    (void)co_await app_.sessions().at(std::move(who)).kick("lost");
}

} // namespace connector
