#include "check.hpp"

#include <protocol/websocket.hpp>

#include <string>
#include <vector>

using namespace shaddock::protocol;
using shaddock::fuzz::check;

namespace {

struct seen {
    websocket_event_kind kind;
    std::uint16_t code;
    std::string payload;
    bool operator==(const seen&) const = default;
};

constexpr std::size_t limit = 200;

/// The events of the bytes when they arrive in pieces of `step`, each in a buffer of exactly its
/// size.
std::vector<seen> events_of(websocket_peer peer, std::string_view in, std::size_t step) {
    websocket_decoder decoder(peer, limit);
    std::vector<seen> events;
    std::vector<char> waiting;
    while (!in.empty()) {
        const std::string_view piece = in.substr(0, step);
        in.remove_prefix(piece.size());
        waiting.insert(waiting.end(), piece.begin(), piece.end());
        while (true) {
            std::vector<char> buffer(waiting);
            const auto event = decoder.next(buffer.data(), buffer.size());
            check(event.used <= buffer.size(), "no more used than there is");
            check(event.payload.size() <= limit, "a payload within the limit");
            waiting.assign(buffer.begin() + static_cast<std::ptrdiff_t>(event.used), buffer.end());
            if (event.kind == websocket_event_kind::need_more) {
                check(event.wanted > waiting.size(), "need_more wants more than there is");
                check(event.wanted <= limit + 14, "need_more stays within the limit");
                break;
            }
            check(event.kind != websocket_event_kind::text || is_utf8(event.payload), "UTF-8");
            events.push_back({event.kind, event.code, std::string(event.payload)});
        }
    }
    return events;
}

/// An error swallows what was not yet seen, so only the order up to it is fixed: all the same here.
void check_pieces(websocket_peer peer, std::string_view in) {
    const auto whole = events_of(peer, in, in.size());
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
        check(events_of(peer, in, step) == whole, "the same events in pieces");
    }
}

} // namespace

/// The same events however the bytes are cut; nothing outside the buffer; both halves.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(data), size);
    if (in.empty()) {
        return 0;
    }
    check_pieces(websocket_peer::client, in);
    check_pieces(websocket_peer::server, in);
    return 0;
}
