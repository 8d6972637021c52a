#pragma once

#include "config/units.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// One option of host.yaml is one row: how its text is read, what is refused, and what the
/// reference says of it. Error texts, known keys and the table of docs/operations.md all come from
/// the rows.
namespace shaddock::config {

/// `Section`: the struct of options.hpp that holds the value.
template <class Section>
struct option_row {
    std::string name;
    /// For the reference; empty = none.
    std::string unit;
    /// Of error texts: `expected <this>`.
    std::string expected;
    /// For the reference: what is allowed beside the unit, and what 0 means.
    std::string range;
    std::string meaning;
    /// Takes the text of a scalar; false = refused. Empty: the value is no scalar and is read by
    /// hand.
    std::function<bool(std::string_view, Section&)> take;
    /// The value as the reference shows it.
    std::function<std::string(const Section&)> show;
};

struct time_rule {
    /// Of a bare number: 1 s or 1 ms.
    std::chrono::milliseconds unit = std::chrono::seconds(1);
    std::chrono::milliseconds least{0};
    std::chrono::milliseconds most = std::chrono::milliseconds::max();
    /// What 0 means; empty = it is a time like any other, or refused.
    std::string_view zero = {};
    /// Of a good value, when the default is 0.
    std::string_view example = {};
    bool is_whole_seconds = false;
};
struct size_rule {
    std::size_t least = 1;
    std::size_t most = std::numeric_limits<std::size_t>::max();
    /// What 0 means; empty = it is refused.
    std::string_view zero = {};
};
struct count_rule {
    /// `a number of threads`.
    std::string_view noun = {};
    std::size_t least = 1;
    std::size_t most = std::numeric_limits<std::size_t>::max();
    /// What 0 means; empty = it is refused unless `least` is 0.
    std::string_view zero = {};
};

namespace detail {

inline std::string with_zero(std::string text, std::string_view zero) {
    return zero.empty() ? text : fmt::format("{} (0 = {})", text, zero);
}
inline std::string range_with_zero(std::string range, std::string_view zero) {
    if (zero.empty()) {
        return range;
    }
    return fmt::format("{}{}0: {}", range, range.empty() ? "" : "; ", zero);
}
/// `more than 0`, `at most 10 s`, `100 ms to 60 s`, or empty.
inline std::string bounds_of(const time_rule& rule) {
    const bool has_most = rule.most != std::chrono::milliseconds::max();
    if (rule.least.count() > 1) {
        return fmt::format("{} to {}", show_duration(rule.least), show_duration(rule.most));
    }
    if (has_most) {
        return "at most " + show_duration(rule.most);
    }
    return rule.least.count() == 1 ? "more than 0" : "";
}

} // namespace detail

template <class Section>
option_row<Section> time_option(std::string_view name, std::chrono::milliseconds Section::*to,
                                const time_rule& rule, std::string_view meaning) {
    option_row<Section> row;
    row.name = name;
    row.unit = rule.unit == std::chrono::seconds(1) ? "s" : "ms";
    const auto standard = Section{}.*to;
    const std::string example =
        rule.example.empty() ? show_duration(standard) : std::string(rule.example);
    const std::string bounds = detail::bounds_of(rule);
    const bool has_both = rule.least.count() > 1;
    row.expected = detail::with_zero(
        fmt::format("{} such as '{}'{}{}{}", rule.is_whole_seconds ? "whole seconds" : "a time",
                    example, bounds.empty() ? "" : ", ", has_both ? "from " : "", bounds),
        rule.zero);
    row.range =
        detail::range_with_zero(rule.is_whole_seconds ? "whole seconds" : bounds, rule.zero);
    row.meaning = meaning;
    row.take = [to, rule](std::string_view text, Section& options) {
        const auto value = parse_duration(text, rule.unit);
        const bool is_good =
            value && *value >= rule.least && *value <= rule.most &&
            (!rule.is_whole_seconds || *value == std::chrono::floor<std::chrono::seconds>(*value));
        if (is_good) {
            options.*to = *value;
        }
        return is_good;
    };
    row.show = [to](const Section& options) { return show_duration(options.*to); };
    return row;
}

template <class Section>
option_row<Section> size_option(std::string_view name, std::size_t Section::*to,
                                const size_rule& rule, std::string_view meaning) {
    option_row<Section> row;
    row.name = name;
    row.unit = "bytes";
    const std::string range = fmt::format("{} to {}", show_size(rule.least), show_size(rule.most));
    row.expected = detail::with_zero(
        fmt::format("a size such as '{}', from {}", show_size(Section{}.*to), range), rule.zero);
    row.range = detail::range_with_zero(range, rule.zero);
    row.meaning = meaning;
    row.take = [to, rule](std::string_view text, Section& options) {
        const auto value = parse_size(text);
        const bool is_good = value && ((*value >= rule.least && *value <= rule.most) ||
                                       (*value == 0 && !rule.zero.empty()));
        if (is_good) {
            options.*to = *value;
        }
        return is_good;
    };
    row.show = [to](const Section& options) { return show_size(options.*to); };
    return row;
}

template <class Section, class Number>
option_row<Section> count_option(std::string_view name, Number Section::*to, const count_rule& rule,
                                 std::string_view meaning) {
    option_row<Section> row;
    row.name = name;
    const std::string range = fmt::format("{} to {}", rule.least, rule.most);
    row.expected = detail::with_zero(fmt::format("{} from {}", rule.noun, range), rule.zero);
    row.range = detail::range_with_zero(range, rule.zero);
    row.meaning = meaning;
    row.take = [to, rule](std::string_view text, Section& options) {
        const auto value = parse_count(text);
        const bool is_good = value && ((*value >= rule.least && *value <= rule.most) ||
                                       (*value == 0 && !rule.zero.empty()));
        if (is_good) {
            options.*to = static_cast<Number>(*value);
        }
        return is_good;
    };
    row.show = [to](const Section& options) { return fmt::format("{}", options.*to); };
    return row;
}

template <class Section>
option_row<Section> flag_option(std::string_view name, bool Section::*to,
                                std::string_view meaning) {
    option_row<Section> row;
    row.name = name;
    row.unit = "bool";
    row.expected = "true or false";
    row.meaning = meaning;
    row.take = [to](std::string_view text, Section& options) {
        options.*to = text == "true";
        return text == "true" || text == "false";
    };
    row.show = [to](const Section& options) { return options.*to ? "true" : "false"; };
    return row;
}

/// `Text`: std::string, which must not be empty, or a path, which may.
template <class Section, class Text>
option_row<Section> text_option(std::string_view name, Text Section::*to, std::string_view expected,
                                std::string_view range, std::string_view meaning) {
    constexpr bool is_path = std::is_same_v<Text, std::filesystem::path>;
    option_row<Section> row;
    row.name = name;
    row.unit = is_path ? "path" : "";
    row.expected = expected;
    row.range = range;
    row.meaning = meaning;
    row.take = [to](std::string_view text, Section& options) {
        options.*to = std::string(text);
        return is_path || !text.empty();
    };
    row.show = [to](const Section& options) {
        const std::string text = options.*to;
        return text.empty() ? std::string("empty") : text;
    };
    return row;
}

/// `words`: each word of the file and its value.
template <class Section, class Value>
option_row<Section> word_option(std::string_view name, Value Section::*to,
                                std::vector<std::pair<std::string_view, Value>> words,
                                std::string_view expected, std::string_view meaning) {
    option_row<Section> row;
    row.name = name;
    row.expected = expected;
    for (const auto& [word, ignored] : words) {
        row.range += (row.range.empty() ? "" : ", ") + std::string(word);
    }
    row.meaning = meaning;
    row.take = [to, words](std::string_view text, Section& options) {
        for (const auto& [word, value] : words) {
            if (word == text) {
                options.*to = value;
                return true;
            }
        }
        return false;
    };
    row.show = [to, words = std::move(words)](const Section& options) {
        for (const auto& [word, value] : words) {
            if (value == options.*to) {
                return std::string(word);
            }
        }
        return std::string();
    };
    return row;
}

/// A list or a map, which the section's reader reads by hand; the row makes its key known and
/// stands in the reference.
template <class Section>
option_row<Section> option_by_hand(std::string_view name, std::string_view unit,
                                   std::string_view standard, std::string_view range,
                                   std::string_view meaning) {
    option_row<Section> row;
    row.name = name;
    row.unit = unit;
    row.range = range;
    row.meaning = meaning;
    row.show = [standard = std::string(standard)](const Section&) { return standard; };
    return row;
}

/// The same row with another text for its default, which depends on something else.
template <class Section>
option_row<Section> with_default(option_row<Section> row, std::string_view standard) {
    row.show = [standard = std::string(standard)](const Section&) { return standard; };
    return row;
}

} // namespace shaddock::config
