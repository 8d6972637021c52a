#pragma once

#include <shaddock/detail/json_parse.hpp>

#include <memory>
#include <string>
#include <string_view>

/// Objects and messages of any type behind one pointer, so that what is done with all of them is
/// compiled once, not per type: it is most of what a plugin's types cost to compile.
namespace shaddock::detail {

/// An object with the function that destroys it.
using any_object = std::unique_ptr<void, void (*)(void*)>;

template <class T>
void delete_object(void* object) {
    delete static_cast<T*>(object);
}
template <class T>
any_object any_of(T* made) {
    return {made, &delete_object<T>};
}

/// Decodes into the object of the type that it was made for.
using decode_function = bool (*)(void* into, const json_value& root, refusal& no);

template <class T>
bool decode_object(void* into, const json_value& root, refusal& no) {
    return decode(*static_cast<T*>(into), root, nullptr, no);
}

inline result<void> read_root(const json_value& root, std::string_view name, void* into,
                              decode_function decode,
                              absent_members members = absent_members::are_refused) {
    refusal no{.members = members};
    if (!decode(into, root, no)) {
        return error(errc::bad_request,
                     (no.where.empty() ? std::string(name) : no.where) + ": " + no.what);
    }
    return {};
}

/// As json::decode, or json::decode_tolerant.
inline result<void> read_text(std::string_view text, std::string_view name, void* into,
                              decode_function decode,
                              absent_members members = absent_members::are_refused) {
    const parsed tree(text);
    if (!tree.problem().empty()) {
        return error(errc::bad_request, std::string(name) + ": " + tree.problem());
    }
    return read_root(tree.root(), name, into, decode, members);
}

/// The body of a client's request: what is not JSON counts as `{}`. Source: Pomelo
/// lib/connectors/common/coder.js.
inline result<void> read_client_body(std::string_view text, void* into, decode_function decode) {
    const parsed tree(text);
    if (tree.problem().empty()) {
        return read_root(tree.root(), "body", into, decode);
    }
    auto read = read_root(json_value(rapidjson::kObjectType), "body", into, decode);
    if (!read) {
        return error(errc::bad_request,
                     "body: " + tree.problem() + "; taken as {}: " + read.error().text());
    }
    return read;
}

} // namespace shaddock::detail
