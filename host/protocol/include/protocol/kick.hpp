#pragma once

#include <string>
#include <string_view>

namespace shaddock::protocol {

/// Why the host itself kicks a client, as the client reads it; the application may give any other
/// text. docs/wire.md, section 6, lists them.
namespace kick_reason {

/// A request that only an attacker makes: `type.handler.constructor`.
inline constexpr std::string_view attack = "attack";
/// No place is left, and somebody who wants one came later than this client, which has said nothing
/// so far.
inline constexpr std::string_view full = "full";
/// Its network is on the deny list now.
inline constexpr std::string_view denied = "denied";
/// The server stops. After this one and the next clients come back by themselves.
inline constexpr std::string_view shutdown = "shutdown";
/// What others knew of it is lost: its server was declared dead and goes on as a new one, or the
/// owner of one of its channels knows it no longer.
inline constexpr std::string_view lost = "lost";
/// More bytes wait for the client than it may have waiting (`connector: pending_limit`).
inline constexpr std::string_view slow_consumer = "slow consumer";

/// All clients together hold more memory than they may (`connector: input_limit, output_limit`).
inline constexpr std::string_view memory = "out of memory";

} // namespace kick_reason

/// The body of a kick package: `{"reason":"..."}`. Thread: any.
std::string kick_body(std::string_view reason);

} // namespace shaddock::protocol
