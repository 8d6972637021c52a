#include "connector/entry_handler.hpp"

#include <shaddock/plugin.hpp>

namespace {

/// Clients' requests to `chat` go by the room in the session, calls by the room that the caller
/// names.
shaddock::result<std::string> room_of(const shaddock::route_param& by) {
    if (const auto* session = by.by_session()) {
        if (auto room = session->get<std::string>("rid")) {
            return std::move(*room);
        }
        return shaddock::error(shaddock::errc::refused, "the session has not entered a room");
    }
    if (by.text().empty()) {
        return shaddock::error(shaddock::errc::bad_request,
                               "calls to chat are routed by a room's name");
    }
    return std::string(by.text());
}

} // namespace

SHADDOCK_PLUGIN("connector", registrar) {
    registrar.handler<connector::entry_handler>("entryHandler")
        .method("enter", &connector::entry_handler::enter)
        .serial();
    registrar.filter<shaddock::timeout_filter>();
    registrar.route_by("chat", &room_of);
    registrar.calls(chat::add, chat::kick, chat::withdraw);
}
