#pragma once

#include <shaddock/error.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The one form of this room's error texts. Inside the room errors are thrown (start-up); load()
/// and read_for_env() turn them into values.
namespace shaddock::config {

/// Where in the files something stands.
struct place {
    std::filesystem::path path;
    /// From 1; 0 = the file as a whole.
    std::size_t line = 0;
    /// As `development.connector[0].port`; empty = the file as a whole.
    std::string key;
};

/// `<file>[:<line>][: <key>]`.
std::string to_string(const place& where);

/// `<place>: found <found>, expected <expected>`.
error complaint(const place& where, std::string_view found, std::string_view expected);

/// As complaint(), with `; nearest known key: '<one of known>'`, when anything is known.
error unknown_key(const place& where, std::string_view key, std::string_view expected,
                  const std::vector<std::string>& known);

/// The known key that `key` was probably meant to be: one or two letters away, not the same;
/// else nothing.
std::optional<std::string> likely_slip(std::string_view key, const std::vector<std::string>& known);

/// 'text' in quotes, cut at 60 bytes, control characters as \xNN.
std::string in_quotes(std::string_view text);

/// `a, b, c`.
std::string join(const std::vector<std::string>& words);

} // namespace shaddock::config
