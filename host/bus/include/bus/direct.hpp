#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "bus/bus.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace shaddock::bus {

/// The bus between the processes of one machine: Unix sockets `<run_folder>/<id>.sock`.
///
/// One link per pair; the smaller id dials, the larger one pokes it when it starts, so whoever
/// starts last is linked at once. Folder 0700, sockets 0600, the peer's user is checked. The id is
/// locked (`<run_folder>/<id>.lock`) as long as the bus object lives.
struct direct_options {
    std::filesystem::path run_folder;
    std::string id;
    incarnation life{};
    /// Other than this build's only in tests.
    version_range versions{};
    /// Bytes waiting on one link, and work given ahead (admission.hpp): what is over it is refused
    /// as overloaded; an empty queue takes any one message.
    std::size_t queue_limit = std::size_t{8} * 1024 * 1024;
    /// Time between two signs of life on a quiet link.
    std::chrono::milliseconds heartbeat{1000};
    /// A peer silent for longer is dead (link_end::dead). If it comes to itself it links again,
    /// with the same incarnation.
    std::chrono::milliseconds silence{5000};
    /// Bytes of one message, both ways.
    std::size_t frame_limit = std::size_t{16} * 1024 * 1024;
};

/// `random` is used in the call only. Lifetime: `clock` outlives the bus; stop() must have ended
/// before it is destroyed.
std::unique_ptr<bus> make_direct(boost::asio::any_io_executor executor, base::clock& clock,
                                 base::random& random, direct_options options);

} // namespace shaddock::bus
