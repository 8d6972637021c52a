#include "framing.hpp"

#include <protocol/package.hpp>

namespace shaddock::net {

namespace {

using protocol::websocket_opcode;

class websocket_framing final : public framing {
public:
    explicit websocket_framing(std::size_t package_limit)
        : decoder_(protocol::websocket_peer::client,
                   package_limit + protocol::package_header_bytes) {}

    framing_event next(char* data, std::size_t size) override { return decoder_.next(data, size); }

    std::size_t front_bytes(std::string_view sent) const override {
        return protocol::websocket_client_frame_bytes(sent);
    }
    std::size_t kept_bytes() const override { return decoder_.kept_bytes(); }

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
        return protocol::websocket_frame_bytes(queued);
    }

private:
    protocol::websocket_decoder decoder_;
};

} // namespace

encoded_package encode_for_all(std::string_view package) {
    encoded_package made{.bytes = {},
                         .header_size = protocol::websocket_header_bytes(package.size())};
    protocol::append_websocket_frame(made.bytes, websocket_opcode::binary, package);
    return made;
}

std::unique_ptr<framing> make_websocket_framing(std::size_t package_limit) {
    return std::make_unique<websocket_framing>(package_limit);
}

} // namespace shaddock::net
