#pragma once

#include <shaddock/ids.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <string>

/// What a file needs to declare messages: a struct, and one line that describes it.
///
///     struct send_request { std::string content; std::optional<std::string> target; };
///     BOOST_DESCRIBE_STRUCT(send_request, (), (content, target))
///
/// A field may be bool, an integer, float or double, std::string, a described enum (by name),
/// std::optional (absent or null), std::vector, std::array, std::tuple, std::map with text keys,
/// std::variant (the first that fits), raw_json, session_ref, or another described struct. Members
/// of described base classes come first.
namespace shaddock {

/// Any JSON value kept as text, for what this server only passes on.
/// Form: compact JSON; strings and numbers as JavaScript writes them.
struct raw_json {
    std::string text = "null";
    friend bool operator==(const raw_json&, const raw_json&) = default;
};

/// The message without fields: `{}`.
struct nothing {
    friend bool operator==(const nothing&, const nothing&) = default;
};
BOOST_DESCRIBE_STRUCT(nothing, (), ())

BOOST_DESCRIBE_STRUCT(session_ref, (), (frontend, life, id, uid))

} // namespace shaddock
