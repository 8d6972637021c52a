#pragma once

#include <fmt/core.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

/// The log: one line per life event, nothing per message above debug.
/// Levels: error = someone must act; warn = degraded; info = life cycle; debug = per message.
/// Thread: any.
namespace shaddock::base::log {

enum class level { debug, info, warn, error, off };

struct options {
    level threshold = level::info;
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

bool is_on(level wanted);
/// `area` is the room that speaks: net, bus, module, ...
void write(level at, std::string_view area, std::string_view text);

template <class... Args>
void debug(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
    if (is_on(level::debug)) {
        write(level::debug, area, fmt::format(format, std::forward<Args>(args)...));
    }
}
template <class... Args>
void info(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
    if (is_on(level::info)) {
        write(level::info, area, fmt::format(format, std::forward<Args>(args)...));
    }
}
template <class... Args>
void warn(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
    if (is_on(level::warn)) {
        write(level::warn, area, fmt::format(format, std::forward<Args>(args)...));
    }
}
template <class... Args>
void error(std::string_view area, fmt::format_string<Args...> format, Args&&... args) {
    if (is_on(level::error)) {
        write(level::error, area, fmt::format(format, std::forward<Args>(args)...));
    }
}

} // namespace shaddock::base::log
