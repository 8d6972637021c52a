#pragma once

#include <shaddock/detail/erased.hpp>
#include <shaddock/message.hpp>

/// Messages to text and back; which types may stand in a message says message.hpp. `decode` is for
/// what two sides agree on now, requests and calls: what is missing is an error. `decode_tolerant`
/// is for what is kept, and outlives the build that wrote it: states, config, settings.
///
/// Written: compact; numbers as JavaScript writes them (`1`, not `1.0`; NaN as null); fields in
/// order of description, empty optionals left out; characters beyond U+FFFF as `\uXXXX` pairs,
/// which every client reads. Read: strict JSON in UTF-8 (CESU-8 pairs of JavaScript clients are put
/// together, half of one becomes U+FFFD), at most 64 levels. `3.0` is an integer; unknown fields
/// are ignored; of a key twice the last counts. Limits: the caller bounds the length. Errors:
/// bad_request, `content: expected string, found number 3`, `users[2].name: missing`, `body: not
/// JSON at byte 7: ...`. Thread: any.
namespace shaddock::json {

template <class T>
void append(std::string& out, const T& value) {
    detail::encode(out, value);
}

template <class T>
std::string encode(const T& value) {
    std::string out;
    out.reserve(64);
    detail::encode(out, value);
    return out;
}

/// `name` stands in errors for the whole value.
template <class T>
result<T> decode(std::string_view text, std::string_view name = "body") {
    T value{};
    if (auto read = detail::read_text(text, name, &value, &detail::decode_object<T>); !read) {
        return std::move(read).error();
    }
    return value;
}

/// As `decode`, but a member that is absent keeps its initialiser, in every struct of the value; an
/// optional that is absent is empty, as it is when an empty one was written. So
/// a build that has a member more reads what one without it has written; one that has a member less
/// passes over it, as always. What is there must be of its type.
template <class T>
result<T> decode_tolerant(std::string_view text, std::string_view name = "body") {
    T value{};
    if (auto read = detail::read_text(text, name, &value, &detail::decode_object<T>,
                                      detail::absent_members::keep_initialisers);
        !read) {
        return std::move(read).error();
    }
    return value;
}

/// The body of a client's request: what is not JSON counts as `{}`. Source: Pomelo
/// lib/connectors/common/coder.js.
template <class T>
result<T> decode_client_body(std::string_view text) {
    T value{};
    if (auto read = detail::read_client_body(text, &value, &detail::decode_object<T>); !read) {
        return std::move(read).error();
    }
    return value;
}

} // namespace shaddock::json
