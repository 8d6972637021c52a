#pragma once

#include "base/bytes.hpp"
#include "request_id.hpp"
#include "server/message_shape.hpp"

#include <shaddock/door.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What servers say to each other in the envelopes of the bus.
/// Form: fields in the order of the structs, as in base/bytes.hpp. Errors: a decoder answers false
/// for bytes that do not fit; nothing is read past the end.
/// Growth: an envelope may end in fields that its reader does not know; they are passed over. So a
/// new field goes to the end of the envelope, never into a struct within it, and its reader takes
/// the end of an older writer's envelope (`reader::at_end`) for its default. A new kind, and what
/// an older reader must not pass over, takes a new version of the bus (bus::version_range), and is
/// sent only to a `bus::peer` whose link speaks it.
namespace shaddock::server::wire {

/// The kinds of envelopes. The numbers never change meaning.
enum class kind : std::uint8_t {
    // calls; `client_request` and `remote` are also cast (notify)
    client_request = 1,
    remote = 2,
    change_session = 3,
    find_sessions = 4,
    kick_uid = 5,
    /// From version 3 of the bus on.
    contracts = 6,
    // casts, owner of a channel -> frontend
    push_channel = 16,
    push_sessions = 17,
    broadcast = 18,
    join = 19,
    leave = 20,
    destroy_channel = 21,
    // casts, frontend -> owner of a channel
    member_lost = 22,
    roster = 23,
    // a cast, owner of a channel -> frontend; from bus::rebirth_version on
    lost_taken = 24,
    // casts when the list of servers has changed, each with the epoch first (room_moves.hpp); from
    // version 5 of the bus on
    list_known = 32,
    room_state = 33,
    rooms_released = 34,
    moved_roster = 35,
    rooms_told = 36,
    rooms_ready = 37,
    /// From version 6 of the bus on.
    rooms_staying = 38,
    // casts; from version 6 of the bus on (list_catch_up.hpp): the epoch of one's own list, the same
    // as a question, and the text of a later one
    list_here = 39,
    list_wanted = 40,
    list = 41,
};

using base::reader;
using base::writer;

inline void write(writer& out, std::uint8_t number) {
    out.u8(number);
}
inline void write(writer& out, bool is_so) {
    out.u8(is_so ? 1 : 0);
}
inline void write(writer& out, std::uint64_t number) {
    out.u64(number);
}
inline void write(writer& out, std::string_view text) {
    out.text(text);
}
void write(writer& out, const session_ref& ref);
session_ref read_ref(reader& in);
void write(writer& out, const door::session_data& session);
door::session_data read_session(reader& in);

/// A request of a client, or a call of a remote.
struct request {
    std::string_view route;
    /// As which it is logged, on every server that it touches.
    request_id id;
    std::uint64_t contract = 0;
    /// Modules and versions of who calls, for people; only with a contract.
    std::string_view caller;
    bool has_session = false;
    door::session_data session;
    door::body_view body;
    /// Of the list over which it was routed; 0: it names its server, or its writer tells none.
    std::uint64_t epoch = 0;
};
std::string encode(std::string_view route, const request_id& id, std::uint64_t contract,
                   const door::session_data* session, door::body_view body,
                   std::string_view caller = {}, std::uint64_t epoch = 0);
bool decode(std::string_view in, request& out);

/// The answer to a request that was routed by an older list than its server's, and that has not
/// run: its room may have moved. Between hosts only; its text is the request's envelope.
inline constexpr errc outdated{1000};
/// The first version of the bus in which every build knows it; others are answered `no_server`.
inline constexpr std::uint16_t outdated_version = 6;

/// The question for contracts is a text, how their routes begin. The answer is a list of rows.
std::string encode(const contract_rows& rows);
bool decode(std::string_view in, contract_rows& out);
/// The first version of the bus with that question.
inline constexpr std::uint16_t contracts_version = 3;
/// The first version of the bus that moves rooms when the list of servers changes.
inline constexpr std::uint16_t moves_version = 5;
/// The first version of the bus in which rooms stay with a server that leaves.
inline constexpr std::uint16_t staying_version = 6;
/// The first version of the bus in which servers get the list of servers from each other.
inline constexpr std::uint16_t list_version = 6;

/// A session change: the session, then the change.
std::string encode(const session_ref& who, const door::session_change& change);
bool decode(std::string_view in, session_ref& who, door::session_change& change);

/// A push to some sessions of one frontend.
std::string encode_push(std::string_view route, door::body_view message,
                        std::span<const session_id> to);

/// One session's membership of one channel as its frontend keeps it.
struct membership {
    std::string_view channel;
    session_id session{};
    /// Empty in a `leave` and in a `lost_taken`.
    std::string_view uid;
    /// In a `leave` 0 where no member has left, and of older builds.
    std::uint64_t joined = 0;
};
void write(writer& out, const membership& value);
membership read_membership(reader& in);
/// In a `leave`, after the membership: the host has taken the session out of the channel, so that
/// it is to be kicked.
inline constexpr std::uint8_t leave_and_kick = 1;
/// The first version of the bus in which owners acknowledge members that were lost.
inline constexpr std::uint16_t lost_taken_version = 5;

/// An envelope of these fields.
template <class... Fields>
std::string encoded(const Fields&... fields) {
    std::string bytes;
    bytes.reserve(256); // most take no second step
    writer out(bytes);
    (write(out, fields), ...);
    return bytes;
}

} // namespace shaddock::server::wire
