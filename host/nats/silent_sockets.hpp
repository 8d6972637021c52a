#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>

namespace shaddock::nats {

/// Shuts down TCP connections of this process to one of `ports` that have brought nothing for
/// `silence`; returns how many. The library (3.4.1) waits without end for the answer to its
/// greeting, and never lets go of a server that says nothing more; it has no other way out.
std::size_t shut_silent_sockets(const std::set<std::uint16_t>& ports,
                                std::chrono::milliseconds silence);

} // namespace shaddock::nats
