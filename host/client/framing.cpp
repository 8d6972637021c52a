#include "framing.hpp"

#include <protocol/upgrade.hpp>

#include <fmt/format.h>

#include <utility>

namespace shaddock::client {
namespace {

constexpr std::size_t message_limit_bytes =
    protocol::package_header_bytes + protocol::max_package_body_bytes;

error broken(std::string_view what) {
    return {errc::bad_request, fmt::format("the server broke the protocol: {}", what)};
}

std::string close_text(const protocol::websocket_event& event) {
    const auto code =
        event.code == protocol::close_code::none ? "without a code" : fmt::format("{}", event.code);
    return event.payload.empty()
               ? fmt::format("closed by the server ({})", code)
               : fmt::format("closed by the server ({}: {})", code, event.payload);
}

} // namespace

framing::framing(transport over, std::string host, base::random& random, sink& to)
    : over_(over), host_(std::move(host)), to_(to), random_(random),
      decoder_(protocol::websocket_peer::server, message_limit_bytes) {}

std::string framing::start() {
    if (over_ == transport::tcp) {
        is_open_ = true;
        to_.opened();
        return {};
    }
    key_ = protocol::make_websocket_key(random_.next(), random_.next());
    return protocol::make_upgrade_request(host_, "/", key_);
}

void framing::put(std::string& out, std::string_view package) {
    if (over_ == transport::tcp) {
        out += package;
        return;
    }
    protocol::append_masked_websocket_frame(out, protocol::websocket_opcode::binary, package,
                                            static_cast<std::uint32_t>(random_.next()));
}

result<void> framing::take(std::string_view bytes) {
    in_ += bytes;
    if (!is_open_) {
        const auto outcome = protocol::check_upgrade_response(in_, key_);
        if (outcome.status == protocol::upgrade_status::need_more) {
            return {};
        }
        if (outcome.status == protocol::upgrade_status::refused) {
            return error(errc::refused,
                         fmt::format("it does not speak WebSocket: {}", outcome.problem));
        }
        in_.erase(0, outcome.used);
        is_open_ = true;
        to_.opened();
    }
    if (over_ == transport::websocket) {
        return take_frames();
    }
    std::string_view rest = in_;
    auto taken = take_packages(rest, false);
    in_.erase(0, in_.size() - rest.size());
    return taken;
}

result<void> framing::take_frames() {
    std::size_t used = 0;
    while (!is_stopped_) {
        const auto event = decoder_.next(in_.data() + used, in_.size() - used);
        used += event.used;
        using kind = protocol::websocket_event_kind;
        switch (event.kind) {
        case kind::need_more:
            in_.erase(0, used);
            return {};
        case kind::binary: {
            auto payload = event.payload;
            if (auto taken = take_packages(payload, true); !taken) {
                return taken;
            }
            break;
        }
        case kind::ping: {
            std::string pong;
            protocol::append_masked_websocket_frame(pong, protocol::websocket_opcode::pong,
                                                    event.payload,
                                                    static_cast<std::uint32_t>(random_.next()));
            to_.reply(pong);
            break;
        }
        case kind::pong:
            break;
        case kind::text:
            return broken("a text frame, expected binary ones");
        case kind::close:
            return error(errc::closed, close_text(event));
        case kind::error:
            return broken(event.problem);
        }
    }
    return {};
}

/// `is_whole`: a WebSocket message, in which no package may be cut off.
result<void> framing::take_packages(std::string_view& from, bool is_whole) {
    while (!from.empty() && !is_stopped_) {
        const auto cut = protocol::cut_package(from, protocol::max_package_body_bytes);
        if (cut.status == protocol::cut_status::need_more) {
            return is_whole ? result<void>(broken("a package that is cut off")) : result<void>();
        }
        if (cut.status != protocol::cut_status::ok) {
            return broken(fmt::format("a package of type {}", static_cast<unsigned char>(from[0])));
        }
        from.remove_prefix(cut.size);
        is_stopped_ = !to_.package(cut);
    }
    return {};
}

} // namespace shaddock::client
