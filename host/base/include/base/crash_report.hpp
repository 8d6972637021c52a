#pragma once

#include <array>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <string_view>

/// What a process leaves when it crashes: a file that says by which signal, what served, and which
/// routes were asked for last. It is written in the signal's handler, from memory that was filled
/// before, by calls that may be made there (signal-safety(7)); the signal then does what it does
/// without us, a core dump included. One per process.
namespace shaddock::base::crash_report {

/// The signals of a crash.
inline constexpr std::array signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/// From now on these leave `file`, over the one before. Not in builds with sanitizers, which report
/// by themselves. Thread: that of the loop, once.
void start(const std::filesystem::path& file, std::string_view id);
/// What serves: `chat.so 1.2.0 build 5be2a1c09f3d`; at most 256 bytes count. Thread: the loop.
void set_build(std::string_view build, std::uint64_t generation);
/// A request, or a call of another server, begins; at most 64 bytes count. Costs a copy.
/// Thread: the loop.
void note_route(std::string_view route);

} // namespace shaddock::base::crash_report
