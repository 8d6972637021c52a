#pragma once

#include <protocol/websocket.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::protocol::testing {

/// First bytes of frames, whole and fragmented, right and wrong.
inline constexpr unsigned fin = 0x80;
inline constexpr unsigned text_frame = 1;
inline constexpr unsigned binary_frame = 2;
inline constexpr unsigned close_frame = 8;
inline constexpr unsigned ping_frame = 9;
inline constexpr unsigned pong_frame = 10;

/// A frame without mask with any first byte, written independently of the encoder under test.
inline std::string server_frame(unsigned first, std::string_view payload, unsigned mask_bit = 0) {
    std::string out(1, static_cast<char>(first));
    const auto put = [&out](std::size_t byte) { out.push_back(static_cast<char>(byte & 0xff)); };
    if (payload.size() < 126) {
        put(payload.size() | mask_bit);
    } else if (payload.size() < 65536) {
        put(126U | mask_bit);
        put(payload.size() >> 8);
        put(payload.size());
    } else {
        put(127U | mask_bit);
        for (int shift = 56; shift >= 0; shift -= 8) {
            put(payload.size() >> shift);
        }
    }
    return out.append(payload);
}

/// The same, masked.
inline std::string client_frame(unsigned first, std::string_view payload) {
    constexpr std::string_view mask = "\x37\xfa\x21\x3d";
    std::string out = server_frame(first, payload, 0x80);
    const std::size_t start = out.size() - payload.size();
    for (std::size_t i = 0; i < payload.size(); ++i) {
        out[start + i] = static_cast<char>(out[start + i] ^ mask[i % 4]);
    }
    return out.insert(start, mask);
}

/// An event with a payload of its own.
struct seen_event {
    websocket_event_kind kind;
    std::string payload;
    std::uint16_t code = 0;
    bool operator==(const seen_event&) const = default;
};

/// Feeds pieces as a connection would: what is left of one piece stands in front of the next.
class feeder {
public:
    explicit feeder(websocket_peer peer, std::size_t limit = 1 << 20) : decoder_(peer, limit) {}

    void feed(std::string_view piece) {
        waiting_ += piece;
        while (true) {
            // A copy of exactly the right size, so that a sanitizer sees any step outside.
            std::vector<char> bytes(waiting_.begin(), waiting_.end());
            const websocket_event event = decoder_.next(bytes.data(), bytes.size());
            wanted_ = event.wanted;
            if (event.kind != websocket_event_kind::need_more) {
                events_.push_back({event.kind, std::string(event.payload), event.code});
            }
            waiting_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(event.used), bytes.end());
            if (event.kind == websocket_event_kind::need_more) {
                return;
            }
        }
    }

    const std::vector<seen_event>& events() const { return events_; }
    std::size_t left() const { return waiting_.size(); }
    std::size_t wanted() const { return wanted_; }
    bool is_finished() const { return decoder_.is_finished(); }

private:
    websocket_decoder decoder_;
    std::string waiting_;
    std::vector<seen_event> events_;
    std::size_t wanted_ = 0;
};

/// All events of one input from a client.
inline std::vector<seen_event> events_of(std::string_view bytes, std::size_t limit = 1 << 20) {
    feeder feeder(websocket_peer::client, limit);
    feeder.feed(bytes);
    return feeder.events();
}

} // namespace shaddock::protocol::testing
