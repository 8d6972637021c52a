#include "config/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

namespace shaddock::config {
namespace {

using std::chrono::milliseconds;

struct quantity {
    std::string_view number;
    std::string_view unit;
};

/// Cuts `12.5 s` into number and unit; spaces between them do not count.
quantity split(std::string_view text) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
    std::string_view unit = text.substr(end);
    unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
    return {text.substr(0, end), unit};
}

} // namespace

std::string show_duration(milliseconds value) {
    constexpr milliseconds second = std::chrono::seconds(1);
    constexpr milliseconds minute = std::chrono::minutes(1);
    constexpr milliseconds hour = std::chrono::hours(1);
    if (value.count() == 0) {
        return "0";
    }
    if (value % hour == milliseconds::zero()) {
        return fmt::format("{} h", value / hour);
    }
    // 60 s and 90 s stay what people write.
    if (value % minute == milliseconds::zero() && value > minute) {
        return fmt::format("{} min", value / minute);
    }
    return value % second == milliseconds::zero() ? fmt::format("{} s", value / second)
                                                  : fmt::format("{} ms", value.count());
}

std::string show_size(std::size_t bytes) {
    static constexpr std::array<std::pair<std::string_view, unsigned>, 3> units{
        {{"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};
    for (const auto& [name, shift] : units) {
        const std::size_t one = std::size_t{1} << shift;
        if (bytes >= one && bytes % one == 0) {
            return fmt::format("{} {}", bytes >> shift, name);
        }
    }
    return fmt::format("{} B", bytes);
}

std::optional<std::size_t> parse_count(std::string_view text) {
    std::size_t value = 0;
    const char* const last = text.data() + text.size();
    const auto [end, failed] = std::from_chars(text.data(), last, value);
    if (failed != std::errc{} || end != last) {
        return std::nullopt;
    }
    return value;
}

std::optional<milliseconds> parse_duration(std::string_view text, milliseconds unit) {
    static constexpr std::array<std::pair<std::string_view, milliseconds>, 4> units{
        {{"ms", milliseconds(1)},
         {"s", std::chrono::seconds(1)},
         {"min", std::chrono::minutes(1)},
         {"h", std::chrono::hours(1)}}};
    constexpr std::size_t longest = milliseconds(std::chrono::hours(24 * 365)).count();
    const auto [number, name] = split(text);
    if (!name.empty()) {
        unit = milliseconds(0);
        for (const auto& [known, length] : units) {
            if (known == name) {
                unit = length;
            }
        }
        if (unit.count() == 0) {
            return std::nullopt;
        }
    }
    const auto per_unit = static_cast<std::size_t>(unit.count());
    const std::size_t point = number.find('.');
    const auto whole = parse_count(number.substr(0, point));
    if (!whole || *whole > longest / per_unit) {
        return std::nullopt;
    }
    std::size_t total = *whole * per_unit;
    if (point != std::string_view::npos) {
        const std::string_view digits = number.substr(point + 1);
        const auto fraction = parse_count(digits);
        if (!fraction || digits.size() > 7) {
            return std::nullopt;
        }
        std::size_t scale = 1;
        for (std::size_t i = 0; i < digits.size(); ++i) {
            scale *= 10;
        }
        if (*fraction * per_unit % scale != 0) {
            return std::nullopt;
        }
        total += *fraction * per_unit / scale;
    }
    return milliseconds(static_cast<milliseconds::rep>(total));
}

std::optional<std::size_t> parse_size(std::string_view text) {
    static constexpr std::array<std::pair<std::string_view, unsigned>, 5> units{
        {{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}}};
    const auto [number, name] = split(text);
    const auto value = parse_count(number);
    for (const auto& [known, shift] : units) {
        if (known == name && value &&
            *value <= (std::numeric_limits<std::size_t>::max() >> shift)) {
            return *value << shift;
        }
    }
    return std::nullopt;
}

} // namespace shaddock::config
