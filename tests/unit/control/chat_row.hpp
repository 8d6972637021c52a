#pragma once

#include "control/status.hpp"

namespace shaddock::control {

/// A row of `host list` with all that a server says.
inline server_row chat_row() {
    server_row row;
    row.id = "chat-server-1";
    row.type = "chat";
    row.set_process(1234);
    row.state = "ready";
    row.uptime_s = 12;
    row.rss_kb = 9876;
    row.connections = 3;
    row.module = "chat.so";
    row.version = "1.0";
    row.build_id = "0123456789abcdef";
    row.links = 5;
    row.expected = 6;
    row.epoch = 7;
    row.incarnation = 1'795'000'000'123'456'789U;
    return row;
}

} // namespace shaddock::control
