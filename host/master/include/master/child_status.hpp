#pragma once

#include <shaddock/error.hpp>
#include <shaddock/ids.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace shaddock::master {

/// What a child says of itself over the master link.
struct child_status {
    bool is_ready = false;
    bool is_draining = false;
    std::uint64_t connections = 0;
    std::string module;
    std::string version;
    /// Hexadecimal; empty: the module has none.
    std::string build_id;
    /// Counts from 1.
    std::uint64_t generation = 1;
    /// Generations that were replaced and still have work under way.
    std::uint64_t ending = 0;
    /// Those that did not end when they were cancelled.
    std::uint64_t kept = 0;
    /// Links to other servers: up, and how many there should be.
    std::uint64_t links = 0;
    std::uint64_t links_expected = 0;

    friend bool operator==(const child_status&, const child_status&) = default;
};

/// Form: {"state":"starting|ready|draining","connections":0,"module":"","version":"",
/// "build_id":"","generation":1,"ending":0,"kept":0,"links":0,"expected":0}.
std::string to_json(const child_status& status);
/// Absent keys have their defaults. Errors: bad_request (not an object).
result<child_status> child_status_from_json(std::string_view text);

/// Who speaks on a master link: what a child registers with. Form:
/// {"id":"chat-server-1","life":1700000000000000000}.
std::string registration_json(std::string_view id, incarnation life);
/// Errors: bad_request.
result<incarnation> life_from_registration(std::string_view text);

} // namespace shaddock::master
