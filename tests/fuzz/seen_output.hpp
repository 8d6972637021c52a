#pragma once

#include "check.hpp"

#include <protocol/package.hpp>
#include <protocol/websocket.hpp>

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

namespace shaddock::fuzz {

/// What a server has written to a client: answers are packages with the body `r<number>`, from 1.
struct seen_output {
    std::size_t answers = 0;
    bool is_whole = false;
};

/// Counts the answers; checks that all is well formed and the answers are in order.
inline std::size_t take_packages(std::string_view& in, seen_output& seen) {
    std::size_t count = 0;
    while (true) {
        const auto cut = protocol::cut_package(in, protocol::max_package_body_bytes);
        if (cut.status != protocol::cut_status::ok) {
            check(cut.status == protocol::cut_status::need_more, "packages are well formed");
            return count;
        }
        ++count;
        in.remove_prefix(cut.size);
        if (cut.type == protocol::package_type::data && cut.body.starts_with('r')) {
            std::size_t number = 0;
            std::from_chars(cut.body.data() + 1, cut.body.data() + cut.body.size(), number);
            check(number == ++seen.answers, "answers are in order, each one once");
        }
    }
}

/// All that was written; behind the upgrade in frames.
inline seen_output look_at(std::string output, bool is_websocket) {
    seen_output seen;
    if (!is_websocket) {
        std::string_view packages = output;
        take_packages(packages, seen);
        seen.is_whole = packages.empty();
        return seen;
    }
    const auto head = output.find("\r\n\r\n");
    if (head == std::string::npos) {
        return seen;
    }
    output.erase(0, head + 4);
    protocol::websocket_decoder decoder(protocol::websocket_peer::server, 1U << 20U);
    std::size_t used = 0;
    bool is_over = false;
    while (true) {
        const auto event = decoder.next(output.data() + used, output.size() - used);
        used += event.used;
        switch (event.kind) {
        case protocol::websocket_event_kind::binary: {
            check(!is_over, "no package behind the close frame");
            auto packages = event.payload;
            check(take_packages(packages, seen) > 0 && packages.empty(), "a frame holds packages");
            continue;
        }
        case protocol::websocket_event_kind::pong:
            continue;
        case protocol::websocket_event_kind::close:
            is_over = true;
            continue;
        case protocol::websocket_event_kind::need_more:
            seen.is_whole = used == output.size();
            return seen;
        default:
            check(false, "frames are well formed");
        }
    }
}

} // namespace shaddock::fuzz
