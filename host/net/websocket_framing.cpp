#include "framing.hpp"

#include <protocol/package.hpp>
#include <protocol/websocket.hpp>

namespace shaddock::net {

namespace {

using protocol::websocket_event_kind;
using protocol::websocket_opcode;

framing_event_kind translate(websocket_event_kind kind) {
    switch (kind) {
    case websocket_event_kind::need_more:
        return framing_event_kind::need_more;
    case websocket_event_kind::text:
    case websocket_event_kind::binary:
        return framing_event_kind::packages;
    case websocket_event_kind::ping:
        return framing_event_kind::ping;
    case websocket_event_kind::pong:
        return framing_event_kind::nothing;
    case websocket_event_kind::close:
        return framing_event_kind::close;
    case websocket_event_kind::error:
        break;
    }
    return framing_event_kind::error;
}

class websocket_framing final : public framing {
public:
    explicit websocket_framing(std::size_t package_limit)
        : decoder_(protocol::websocket_peer::client,
                   package_limit + protocol::package_header_bytes) {}

    framing_event next(char* data, std::size_t size) override {
        const auto found = decoder_.next(data, size);
        return {.kind = translate(found.kind),
                .used = found.used,
                .payload = found.payload,
                .code = found.code,
                .problem = found.problem,
                .wanted = found.wanted};
    }

    void begin_package(std::string& out, std::size_t package_bytes) const override {
        protocol::append_websocket_header(out, websocket_opcode::binary, package_bytes);
    }

    std::string_view form_of(const encoded_package& made) const override { return made.bytes; }

    void append_pong(std::string& out, std::string_view payload) const override {
        protocol::append_websocket_frame(out, websocket_opcode::pong, payload);
    }

    void append_close(std::string& out, std::uint16_t code,
                      std::string_view reason) const override {
        protocol::append_websocket_frame(out, websocket_opcode::close,
                                         protocol::websocket_close_payload(code, reason));
    }

    std::size_t frame_bytes(std::string_view queued) const override {
        const auto byte = [queued](std::size_t i) {
            return static_cast<std::size_t>(static_cast<unsigned char>(queued[i]));
        };
        const std::size_t small = byte(1) & 0x7f;
        if (small <= 125) {
            return 2 + small;
        }
        std::size_t payload = 0;
        const std::size_t header = small == 126 ? 4 : 10;
        for (std::size_t i = 2; i < header; ++i) {
            payload = payload << 8 | byte(i);
        }
        return header + payload;
    }

private:
    protocol::websocket_decoder decoder_;
};

} // namespace

std::unique_ptr<framing> make_websocket_framing(std::size_t package_limit) {
    return std::make_unique<websocket_framing>(package_limit);
}

} // namespace shaddock::net
