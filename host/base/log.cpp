#include "base/log.hpp"

#include "log_file.hpp"

#include <shaddock/detail/json_text.hpp>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>

namespace shaddock::base::log {

namespace {

/// `%*` is the level, in the words of the options.
constexpr auto pattern = "%Y-%m-%d %H:%M:%S.%e %* [%n] %v";

constexpr std::array<std::string_view, 5> words{"debug", "info", "warn", "error", "off"};

/// Sorted; what is not here is a plugin.
constexpr std::array<std::string_view, 12> known_areas{"base",   "bus",    "cluster", "config",
                                                       "host",   "master", "module",  "net",
                                                       "plugin", "reload", "server",  "web"};

/// Where the levels stand: each area's, and the lowest of all, which turns most questions away.
struct gates {
    std::array<std::atomic<level>, known_areas.size()> areas{};
    std::atomic<level> lowest{level::info};
    std::atomic<level> threshold{level::info};
    std::atomic<format> lines{format::text};
    /// Of the logger that is in use.
    std::shared_ptr<log_file> file;
    /// What stdout and stderr were appended to; empty: no file.
    std::array<std::filesystem::path, 2> outputs;

    gates() { set({}); }
    void set(const levels& wanted);
    levels now() const;
};

gates& the_gates() {
    static gates all;
    return all;
}

std::size_t index_of(std::string_view area) {
    const auto at = std::lower_bound(known_areas.begin(), known_areas.end(), area);
    if (at != known_areas.end() && *at == area) {
        return static_cast<std::size_t>(at - known_areas.begin());
    }
    return index_of("plugin");
}

void gates::set(const levels& wanted) {
    auto least = wanted.threshold;
    for (std::size_t i = 0; i < known_areas.size(); ++i) {
        const auto own = wanted.areas.find(known_areas[i]);
        const auto at = own == wanted.areas.end() ? wanted.threshold : own->second;
        areas[i].store(at, std::memory_order_relaxed);
        least = std::min(least, at);
    }
    threshold.store(wanted.threshold, std::memory_order_relaxed);
    lowest.store(least, std::memory_order_relaxed);
}

levels gates::now() const {
    levels all;
    all.threshold = threshold.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < known_areas.size(); ++i) {
        const auto at = areas[i].load(std::memory_order_relaxed);
        if (at != all.threshold) {
            all.areas.emplace(known_areas[i], at);
        }
    }
    return all;
}

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

/// spdlog says `warning` where the options say `warn`.
class level_word : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& line, const std::tm&,
                spdlog::memory_buf_t& out) override {
        fmt::format_to(std::back_inserter(out), "{:<5}", to_string(level_of(line.level)));
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<level_word>();
    }

private:
    static level level_of(spdlog::level::level_enum at) {
        switch (at) {
        case spdlog::level::warn:
            return level::warn;
        case spdlog::level::err:
        case spdlog::level::critical:
            return level::error;
        case spdlog::level::info:
            return level::info;
        default:
            return level::debug;
        }
    }
};

std::unique_ptr<spdlog::formatter> text_lines() {
    auto made = std::make_unique<spdlog::pattern_formatter>();
    made->add_flag<level_word>('*').set_pattern(pattern);
    return made;
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

/// Stands for itself: neither a control character nor one that turns the direction of a line.
bool is_harmless(char32_t code) {
    const bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    const bool is_turn = (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return !is_control && !is_turn;
}

void put_json_text(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const auto at = detail::whole_character(text);
        const auto code = at.code.value_or(detail::replacement);
        if (code == U'"' || code == U'\\') {
            out += '\\';
            detail::append_utf8(out, code);
        } else if (is_harmless(code)) {
            detail::append_utf8(out, code);
        } else {
            detail::append_escape(out, code);
        }
        text.remove_prefix(at.size);
    }
    out += '"';
}

std::string time_text() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    const auto seconds = static_cast<std::time_t>(ms / 1000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                       ms % 1000);
}

std::string json_line(level at, std::string_view name, std::string_view area,
                      std::string_view text) {
    auto out = fmt::format(R"({{"time":"{}","level":"{}","server":)", time_text(), to_string(at));
    put_json_text(out, name);
    out += ",\"area\":";
    put_json_text(out, area);
    out += ",\"text\":";
    put_json_text(out, text);
    out += '}';
    return out;
}

/// Nothing when it is no file that is appended to.
std::filesystem::path appended_to(int fd) {
    std::error_code failed;
    if ((::fcntl(fd, F_GETFL) & O_APPEND) == 0) {
        return {};
    }
    auto file = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), failed);
    return std::filesystem::is_regular_file(file, failed) ? file : std::filesystem::path();
}

} // namespace

void start(std::string_view name, const options& wanted) {
    std::vector<spdlog::sink_ptr> sinks;
    if (wanted.console) {
        sinks.push_back(std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    }
    std::shared_ptr<log_file> file;
    if (!wanted.file.empty()) {
        file = std::make_shared<log_file>(wanted.file, wanted.file_limit_bytes, wanted.files);
        sinks.push_back(file);
    }
    auto logger = std::make_shared<spdlog::logger>(std::string(name), sinks.begin(), sinks.end());
    if (wanted.lines == format::json) {
        logger->set_pattern("%v");
    } else {
        logger->set_formatter(text_lines());
    }
    logger->set_level(spdlog::level::trace); // the gates are ours
    logger->flush_on(spdlog::level::trace);
    the_gates().lines.store(wanted.lines, std::memory_order_relaxed);
    set_levels({wanted.threshold, wanted.areas});
    spdlog::set_default_logger(std::move(logger));
    the_gates().file = std::move(file);
    the_gates().outputs = {appended_to(STDOUT_FILENO), appended_to(STDERR_FILENO)};
}

void look_after_files() {
    const auto& all = the_gates();
    if (all.file) {
        all.file->look();
    }
    for (const int output : {STDOUT_FILENO, STDERR_FILENO}) {
        const auto& path = all.outputs.at(static_cast<std::size_t>(output - STDOUT_FILENO));
        if (path.empty() || is_name_of(path, output)) {
            continue;
        }
        const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (file >= 0) {
            ::dup2(file, output);
            ::close(file);
        }
    }
}

std::uint64_t lost_lines() {
    const auto& file = the_gates().file;
    return file ? file->lost() : 0;
}

void stop() {
    spdlog::default_logger_raw()->flush();
}

std::string_view to_string(level of) {
    return words.at(static_cast<std::size_t>(of));
}

std::optional<level> level_of(std::string_view word) {
    const auto at = std::find(words.begin(), words.end(), word);
    return at == words.end() ? std::nullopt : std::optional(static_cast<level>(at - words.begin()));
}

const std::vector<std::string>& areas() {
    static const std::vector<std::string> all(known_areas.begin(), known_areas.end());
    return all;
}

void set_levels(const levels& wanted) {
    the_gates().set(wanted);
}

levels current_levels() {
    return the_gates().now();
}

bool is_on(level wanted, std::string_view area) {
    const auto& all = the_gates();
    return wanted >= all.lowest.load(std::memory_order_relaxed) &&
           wanted >= all.areas[index_of(area)].load(std::memory_order_relaxed);
}

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto at = detail::whole_character(text);
        if (at.code && is_harmless(*at.code)) {
            detail::append_utf8(out, *at.code);
        } else if (at.code && *at.code >= 0x80) {
            detail::append_escape(out, *at.code);
        } else {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
        }
        text.remove_prefix(at.size);
    }
    return out;
}

void write(level at, std::string_view area, std::string_view text) {
    auto* logger = spdlog::default_logger_raw();
    if (the_gates().lines.load(std::memory_order_relaxed) == format::json) {
        logger->log(translate(at), "{}", json_line(at, logger->name(), area, text));
    } else if (!is_ascii(text)) {
        logger->log(translate(at), "{}: {}", area, printable(text));
    } else {
        logger->log(translate(at), "{}: {}", area, text);
    }
    if (const auto& file = the_gates().file) {
        if (const auto loss = file->take_loss(); !loss.empty()) {
            write(level::error, "base", loss);
        }
    }
}

} // namespace shaddock::base::log
