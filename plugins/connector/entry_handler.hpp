#pragma once

#include "chat/chat_api.hpp"

#include <shaddock/app.hpp>
#include <shaddock/ticket.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace connector {

struct enter_request {
    std::string username;
    /// The room.
    std::string rid;
    /// Who says that this is `username`; passed over unless the connector has keys.
    std::optional<std::string> ticket{};
};
BOOST_DESCRIBE_STRUCT(enter_request, (), (username, rid, ticket))

/// config/connector.json; the file may be absent.
struct connector_options {
    /// File of shaddock::ticket_keys. Default: none, everybody is believed.
    std::optional<std::string> ticket_keys;
};
BOOST_DESCRIBE_STRUCT(connector_options, (), (ticket_keys))

/// `{"users":[...]}`, or `{"code":500,"error":true}` when the name is taken.
struct enter_reply {
    std::optional<int> code;
    std::optional<bool> error;
    std::optional<chat::users> users;
};
BOOST_DESCRIBE_STRUCT(enter_reply, (), (code, error, users))

/// Brings a client into a room, and from one room into another.
class entry_handler {
public:
    /// Reads config/connector.json and the keys. Throws: config.
    explicit entry_handler(shaddock::app& app);

    /// With keys: the first time the ticket must be for `username`, else 401.
    /// The first time: joins the room, then binds `name*room` and sets `rid`. Later with the same
    /// name and another room: joins the new room first and leaves the old one only when that went
    /// well; any failure changes nothing, or, when nobody knows whether it did, closes the session
    /// with the reason `lost`: nobody is in two rooms. Limits: name and room keep the rules of
    /// shaddock::broken_name_rule, and the name has no `*`. Answers `{"code":500,"error":true}`
    /// when the name is in that room already, or the session has another name; refused (500) for
    /// clients of another frontend. Into the room that the session is in: joins it again if its
    /// chat server does not know it there. `recovering` while it is not known whether an earlier
    /// join was carried out. Registered as serial: one at a time per session.
    shaddock::awaitable<enter_reply> enter(enter_request request, shaddock::session& session);

private:
    void check_ticket(const enter_request& request) const;
    shaddock::awaitable<enter_reply> enter_first(enter_request request, shaddock::session& session);
    shaddock::awaitable<enter_reply> switch_room(enter_request request, std::string old_room,
                                                 shaddock::session& session);
    /// Binds the uid in place of the present one and sets `rid`. Errors: closed.
    shaddock::awaitable<shaddock::result<void>> move_to(shaddock::session& session, std::string uid,
                                                        std::string room);
    shaddock::awaitable<enter_reply> enter_again(enter_request request, shaddock::session& session);
    /// Takes a join back, as soon as the room's chat server answers; until then the session enters
    /// nothing. Not known is after a failure also whether there was one. A session of which that
    /// cannot be done within two minutes is closed: its frontend takes it out of all rooms.
    void take_back(shaddock::session_ref who, std::string room);
    shaddock::awaitable<void> withdraw(shaddock::session_ref who, std::string room);
    /// Kicks the session, with the reason `lost`; one line a minute in the log.
    shaddock::awaitable<void> give_up(shaddock::session_ref who, std::string room,
                                      shaddock::error why);

    shaddock::app& app_;
    /// Sessions with a join that is being taken back.
    std::set<shaddock::session_id> in_doubt_;
    std::optional<shaddock::ticket_keys> tickets_;
    /// Since the last line that told of it.
    std::uint64_t given_up_ = 0;
    shaddock::door::time_point next_line_ = shaddock::door::time_point::min();
};

} // namespace connector
