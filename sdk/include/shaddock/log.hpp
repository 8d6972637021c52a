#pragma once

#include <shaddock/detail/json_text.hpp>
#include <shaddock/door.hpp>

#include <string>
#include <string_view>
#include <type_traits>

namespace shaddock {

namespace detail {

inline void append_words(std::string&) {}

template <class T, class... Rest>
void append_words(std::string& out, const T& word, const Rest&... rest) {
    if constexpr (std::is_same_v<T, bool>) {
        out += word ? "true" : "false";
    } else if constexpr (std::is_same_v<T, char>) {
        out += word;
    } else if constexpr (std::is_integral_v<T>) {
        append_integer(out, word);
    } else if constexpr (std::is_floating_point_v<T>) {
        append_number(out, static_cast<double>(word));
    } else if constexpr (std::is_base_of_v<error, T>) {
        out += word.text();
    } else if constexpr (std::is_base_of_v<std::exception, T>) {
        out += word.what();
    } else if constexpr (std::is_same_v<T, errc>) {
        out += to_string(word);
    } else {
        out += std::string_view(word);
    }
    append_words(out, rest...);
}

} // namespace detail

/// The server's log: `app.log().info("alice joined ", room, ", now ", count)`. Words are put side
/// by side as they are. Levels: error = someone must act; warn = degraded; info = life cycle; debug
/// = per message. Thread: any.
class logger {
public:
    explicit logger(door::host& host) : host_(&host) {}

    template <class... Words>
    void debug(const Words&... words) const {
        write(door::log_level::debug, words...);
    }
    template <class... Words>
    void info(const Words&... words) const {
        write(door::log_level::info, words...);
    }
    template <class... Words>
    void warn(const Words&... words) const {
        write(door::log_level::warn, words...);
    }
    template <class... Words>
    void error(const Words&... words) const {
        write(door::log_level::error, words...);
    }

private:
    template <class... Words>
    void write(door::log_level at, const Words&... words) const {
        if (host_->logs(at)) {
            std::string text;
            detail::append_words(text, words...);
            host_->log(at, text);
        }
    }

    door::host* host_;
};

} // namespace shaddock
