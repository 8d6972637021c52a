#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The log: one line per life event, nothing per message above debug.
/// Levels: error = someone must act; warn = degraded; info = life cycle; debug = per message.
/// Thread: any.
namespace shaddock::base::log {

enum class level { debug, info, warn, error, off };
std::string_view to_string(level of);
/// The level that the word names; nothing for any other word.
std::optional<level> level_of(std::string_view word);

/// How a line is written.
enum class format {
    /// `2026-11-21 22:41:02.176 info  [chat-server-1] server: linked with ...`, in local time.
    text,
    /// One JSON object: {"time":"2026-11-21T22:41:02.176Z","level","server","area","text"}, in UTC.
    json,
};

/// From which level on something is written.
struct levels {
    /// Of every area that has none of its own.
    level threshold = level::info;
    std::map<std::string, level, std::less<>> areas{};
    friend bool operator==(const levels&, const levels&) = default;
};

/// The areas that can have a level of their own: the rooms that speak, and `plugin` for whatever
/// plugins say.
const std::vector<std::string>& areas();

struct options {
    level threshold = level::info;
    /// Overrides `threshold`; unknown areas are ignored.
    std::map<std::string, level, std::less<>> areas{};
    format lines = format::text;
    /// Empty: console (stderr) only.
    std::filesystem::path file;
    /// Rotation: size of one file and how many are kept.
    std::size_t file_limit_bytes = std::size_t{10} * 1024 * 1024;
    std::size_t files = 5;
    bool console = true;
};

/// Sets up the sinks; `name` is the server's id and stands in every line. Until then: console,
/// info.
void start(std::string_view name, const options& wanted);
/// Flushes and closes the sinks.
void stop();
/// Makes the file anew, and those that stdout and stderr were appended to when the log started, if
/// somebody has moved or deleted them. To be called about once a second.
void look_after_files();
/// Lines that could not be written since the process started.
std::uint64_t lost_lines();

/// From now on; replaces all levels. Unknown areas are ignored.
void set_levels(const levels& wanted);
levels current_levels();

/// `area` is the room that speaks: net, bus, module, ...; anything else is a plugin.
bool is_on(level wanted, std::string_view area);
/// `text` as a part of one line that steers no terminal, for what others have said: control
/// characters (C0, DEL, C1) and those that turn the direction of writing are escaped (`\x0a`,
/// `\u009b`), and so are bytes that are no UTF-8 (`\xff`). Lines of the log are so by themselves.
std::string printable(std::string_view text);

/// Whether the area is on is for the caller to ask.
void write(level at, std::string_view area, std::string_view text);

template <class... Args>
void debug(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
    if (is_on(level::debug, area)) {
        write(level::debug, area, fmt::format(format, std::forward<Args>(args)...));
    }
}
template <class... Args>
void info(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
    if (is_on(level::info, area)) {
        write(level::info, area, fmt::format(format, std::forward<Args>(args)...));
    }
}
template <class... Args>
void warn(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
    if (is_on(level::warn, area)) {
        write(level::warn, area, fmt::format(format, std::forward<Args>(args)...));
    }
}
template <class... Args>
void error(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
    if (is_on(level::error, area)) {
        write(level::error, area, fmt::format(format, std::forward<Args>(args)...));
    }
}

} // namespace shaddock::base::log
