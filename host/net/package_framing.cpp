#include "framing.hpp"

#include <protocol/package.hpp>

#include <algorithm>

namespace shaddock::net {

namespace {

class package_framing final : public framing {
public:
    explicit package_framing(std::size_t package_limit) : package_limit_(package_limit) {}

    framing_event next(char* data, std::size_t size) override {
        const auto cut = protocol::cut_package({data, size}, package_limit_);
        switch (cut.status) {
        case protocol::cut_status::ok:
            return {.kind = websocket_event_kind::binary,
                    .used = cut.size,
                    .payload = {data, cut.size}};
        case protocol::cut_status::need_more:
            return {.kind = websocket_event_kind::need_more, .wanted = cut.size};
        case protocol::cut_status::too_long:
            return fail(size, protocol::close_code::too_big, "package too long");
        case protocol::cut_status::bad_type:
            break;
        }
        return fail(size, protocol::close_code::protocol_error, "unknown package type");
    }

    std::size_t front_bytes(std::string_view sent) const override {
        return protocol::cut_package(sent, package_limit_).size;
    }
    std::size_t kept_bytes() const override { return 0; }

    void begin_package(std::string& /*out*/, std::size_t /*package_bytes*/) const override {}

    std::string_view form_of(const encoded_package& made) const override {
        return std::string_view(made.bytes).substr(made.header_size);
    }

    void append_pong(std::string& /*out*/, std::string_view /*payload*/) const override {}
    void append_close(std::string& /*out*/, std::uint16_t /*code*/,
                      std::string_view /*reason*/) const override {}

    std::size_t frame_bytes(std::string_view queued) const override {
        return protocol::cut_package(queued, protocol::max_package_body_bytes).size;
    }

private:
    static framing_event fail(std::size_t used, std::uint16_t code, const char* problem) {
        return {
            .kind = websocket_event_kind::error, .used = used, .code = code, .problem = problem};
    }

    std::size_t package_limit_;
};

} // namespace

std::unique_ptr<framing> make_package_framing(std::size_t package_limit) {
    return std::make_unique<package_framing>(package_limit);
}

} // namespace shaddock::net
