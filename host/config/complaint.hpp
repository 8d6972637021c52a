#pragma once

#include "config/load.hpp"

#include <shaddock/error.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The one form of this room's error texts. Inside the room errors are thrown (start-up); check()
/// collects them, load() and read_for_env() turn them into values.
namespace shaddock::config {

/// An error that knows where it stands.
class located_error : public error {
public:
    located_error(place where, std::string text)
        : error(errc::config, std::move(text)), where_(std::move(where)) {}
    const place& where() const { return where_; }

private:
    place where_;
};

/// `<place>: found <found>, expected <expected>`.
located_error complaint(const place& where, std::string_view found, std::string_view expected);

/// As complaint(), with `; nearest known key: '<one of known>'`, when anything is known.
located_error unknown_key(const place& where, std::string_view key, std::string_view expected,
                          const std::vector<std::string>& known);

/// What was found in the files so far. Limits: 1000; the rest is only counted.
class findings {
public:
    /// Runs `step`. What it throws is noted, so that the next step can be looked at too. Returns
    /// whether it threw nothing.
    template <class Step>
    bool attempt(Step step) {
        try {
            step();
            return true;
        } catch (const located_error& failed) {
            add({false, failed.where(), failed.text()});
        } catch (const error& failed) {
            add({false, {}, failed.text()});
        }
        return false;
    }
    /// `<place>: <text>`.
    void warn(const place& where, std::string_view text);

    std::size_t problems() const { return problems_; }
    const std::vector<finding>& all() const { return all_; }

private:
    void add(finding one);

    std::vector<finding> all_;
    std::size_t problems_ = 0;
};

/// 'text' in quotes, cut at 60 bytes, control characters as \xNN.
std::string in_quotes(std::string_view text);

/// `a, b, c`.
std::string join(const std::vector<std::string>& words);

} // namespace shaddock::config
