#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// The spelling of quantities in host.yaml and on the command line.
namespace shaddock::config {

/// `10 s`, `500ms`, `2 min`, or a bare number of `unit`s; decimals as in `1.5 s`. Empty when it is
/// none of these, negative, finer than a millisecond, or more than a year.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text,
                                                        std::chrono::milliseconds unit);

/// `64 KiB`, `1MiB`, `1 GiB`, `100 B` or a bare number of bytes; whole numbers only. Empty when it
/// is none of these.
std::optional<std::size_t> parse_size(std::string_view text);

/// `10 s`, `500 ms`, `2 min`, `1 h`; nothing is `0`. What parse_duration reads.
std::string show_duration(std::chrono::milliseconds value);

/// `64 KiB`, `1 GiB`, `100 B`. What parse_size reads.
std::string show_size(std::size_t bytes);

/// Decimal digits only. Empty when it is anything else or too large.
std::optional<std::size_t> parse_count(std::string_view text);

} // namespace shaddock::config
