#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Values of the files that come from the environment of the process.
namespace shaddock::config {

struct expanded {
    /// With every `${NAME}` and `${NAME:-otherwise}` replaced; what else begins with `$` stays.
    std::string text;
    /// The first variable that is not set and has no `otherwise`; its place in `text` is empty.
    std::optional<std::string> unset{};
};

/// Replaced once: what a variable says is not looked at again. An empty variable counts as unset
/// where there is an `otherwise`. Names: letters, digits and `_`, not beginning with a digit.
expanded expand(std::string_view text);

/// Whether the whole text is one variable, so that the file does not say the value itself.
bool is_variable(std::string_view text);

} // namespace shaddock::config
