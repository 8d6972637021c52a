#pragma once

#include "check/rules.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace shaddock::bench {

/// What a run does. The command line's help says what each means; these are the defaults.
struct load_options {
    std::string gate_host = "127.0.0.1";
    std::uint16_t gate_port = 3014;
    /// Stands in all names and texts, so that several generators can share a system. Empty: made
    /// up.
    std::string tag;

    unsigned users = 10;
    unsigned rooms = 1;
    /// How many of the users talk; 0: all.
    unsigned senders = 0;
    /// Messages per second and sender; 0: as fast as the pipeline allows.
    double rate = 1;
    /// Unanswered sends per user at most.
    unsigned pipeline = 1;
    double seconds = 10;
    /// Messages per sender; 0: for `seconds`.
    std::uint64_t count = 0;
    /// Bytes of a message's content, filled up; never shorter than its own data.
    std::size_t size = 64;
    /// Share of messages that are private, 0 to 1.
    double private_share = 0;
    /// Private messages go to the sender himself.
    bool is_to_self = false;
    /// Mean seconds between a user's changes of room; 0: never.
    double switch_every_s = 0;
    /// Mean seconds between a user's leaving and coming back; 0: never.
    double churn_every_s = 0;
    /// From the wish to leave to closing; from closing to coming back.
    unsigned linger_ms = 500;
    unsigned away_ms = 200;
    /// Whether a user who loses the connection comes back.
    bool is_reconnecting = false;

    unsigned login_concurrency = 32;
    unsigned login_timeout_s = 30;
    /// The run ends when nothing has come for this long after the last send...
    unsigned settle_ms = 500;
    /// ...or after this long.
    unsigned drain_ms = 10'000;

    std::vector<int> cpu_of;
    std::vector<int> cpu_children_of;
    std::string json_file;
    std::string history_file;
    check_options check;
};

} // namespace shaddock::bench
