#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shaddock::protocol::testing {

/// Cuts `stream` into packages as it arrives in two pieces, split at every point, and byte by byte.
/// Returns what is other than in one piece; "" when nothing is. (A file of its own, as it is
/// optimised: streams of 16 MB have 16 million points.)
std::string split_complaint(std::string_view stream, std::size_t limit);

} // namespace shaddock::protocol::testing
