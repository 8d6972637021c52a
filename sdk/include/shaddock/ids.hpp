#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace shaddock {

/// A client's session, unique within one incarnation of its frontend; not its connection, which has
/// no id outside the frontend. Counts from 1; 0 is none.
enum class session_id : std::uint64_t {};

/// One life of a server process: a restarted server has the same id and a larger incarnation.
/// Form: nanoseconds of the system clock at the start. 0 is none.
enum class incarnation : std::uint64_t {};

constexpr std::uint64_t number(session_id id) {
    return static_cast<std::uint64_t>(id);
}
constexpr std::uint64_t number(incarnation id) {
    return static_cast<std::uint64_t>(id);
}

/// Where a session lives and whose it is: all that another server needs to reach it. A value that
/// may be kept and sent. The session is (frontend, life, id); the uid is an attribute at the time
/// of the copy.
struct session_ref {
    std::string frontend;
    incarnation life{};
    session_id id{};
    std::string uid;

    /// The same session, whatever its uid.
    friend bool same_session(const session_ref& a, const session_ref& b) {
        return a.id == b.id && a.life == b.life && a.frontend == b.frontend;
    }
    friend bool operator==(const session_ref&, const session_ref&) = default;
};

} // namespace shaddock
