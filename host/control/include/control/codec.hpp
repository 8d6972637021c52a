#pragma once

#include <shaddock/error.hpp>

#include <string>
#include <string_view>

/// The one way in which the messages of this room become text and come back: the SDK's JSON, read
/// tolerantly (shaddock/json.hpp), so that hosts of neighbouring versions understand each other. A
/// member that is absent keeps its initialiser, one that is not known is passed over, and what is
/// there must be of its type. Which messages there are stands in codec.cpp; another one does not
/// link.
namespace shaddock::control {

template <class Message>
std::string to_json(const Message& said);

/// `name` stands in errors for the whole message. Errors: bad_request, naming the member.
template <class Message>
result<Message> from_json(std::string_view text, std::string_view name = "body");

} // namespace shaddock::control
