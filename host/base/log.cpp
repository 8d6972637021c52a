#include "base/log.hpp"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <vector>

namespace shaddock::base::log {

namespace {

constexpr auto pattern = "%Y-%m-%d %H:%M:%S.%e %-5l [%n] %v";

spdlog::level::level_enum translate(level at) {
    switch (at) {
    case level::debug:
        return spdlog::level::debug;
    case level::info:
        return spdlog::level::info;
    case level::warn:
        return spdlog::level::warn;
    case level::error:
        return spdlog::level::err;
    case level::off:
        break;
    }
    return spdlog::level::off;
}

/// Text may hold what a client sent: a line stays one line, and no byte steers a terminal.
std::string without_controls(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

bool has_controls(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

} // namespace

void start(std::string_view name, const options& wanted) {
    std::vector<spdlog::sink_ptr> sinks;
    if (wanted.console) {
        sinks.push_back(std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    }
    if (!wanted.file.empty()) {
        sinks.push_back(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
            wanted.file.string(), wanted.file_limit_bytes, wanted.files));
    }
    auto logger = std::make_shared<spdlog::logger>(std::string(name), sinks.begin(), sinks.end());
    logger->set_pattern(pattern);
    logger->set_level(translate(wanted.threshold));
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
}

void stop() {
    spdlog::default_logger_raw()->flush();
}

bool is_on(level wanted) {
    return spdlog::default_logger_raw()->should_log(translate(wanted));
}

void write(level at, std::string_view area, std::string_view text) {
    if (has_controls(text)) {
        spdlog::default_logger_raw()->log(translate(at), "{}: {}", area, without_controls(text));
    } else {
        spdlog::default_logger_raw()->log(translate(at), "{}: {}", area, text);
    }
}

} // namespace shaddock::base::log
