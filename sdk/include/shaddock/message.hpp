#pragma once

#include <shaddock/ids.hpp>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

/// What a file needs to declare messages: a struct, and one line that describes it.
///
///     struct send_request { std::string content; std::optional<std::string> target; };
///     BOOST_DESCRIBE_STRUCT(send_request, (), (content, target))
///
/// A field may be bool, an integer, float or double, std::string, a described enum (by name),
/// std::optional (absent or null), std::vector, std::array, std::tuple, std::map whose keys are
/// text or integers of 16 to 64 bits, std::variant (the first that fits), raw_json, session_ref, or
/// another described struct. Members of described base classes come first.
namespace shaddock {

/// Names the members of a described struct that a reader does without: where one is absent, its
/// initialiser stays. It is always written. Such a member, like an optional one, may be added to
/// and removed from the types of a contract while servers of both builds run.
///
///     struct find_request {
///         std::string text;
///         int limit = 20;
///         static constexpr shaddock::defaults defaults{"limit"};
///     };
///     BOOST_DESCRIBE_STRUCT(find_request, (), (text, limit))
///
/// A name that is no described member does not compile.
template <std::size_t Count>
struct defaults {
    template <class... Names>
    consteval explicit defaults(Names... all) : names{std::string_view(all)...} {}
    std::array<std::string_view, Count> names;
};
template <class... Names>
defaults(Names...) -> defaults<sizeof...(Names)>;

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
