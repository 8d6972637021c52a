#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/turn_budget.hpp"
#include "bus/bus.hpp"
#include "bus/transport.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace shaddock::bus {

/// The bus between the processes of one machine: Unix sockets `<run_folder>/<id>.sock`. Over
/// another transport, which may lead to other machines, the same holds but for the sockets.
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
    /// A peer silent for longer is dead (link_end::dead). If it comes to itself it is refused and
    /// told, and links again as a new incarnation (one older than version 5: with the same).
    std::chrono::milliseconds silence{5000};
    /// No: silence is no death, as under a debugger; a peer that takes nothing loses its link only.
    bool declares_dead = true;
    /// Bytes of one message, both ways.
    std::size_t frame_limit = std::size_t{16} * 1024 * 1024;
    /// The loop's, in which links have their share; outlives the bus. Null: one of its own.
    base::turn_budget* turns = nullptr;
};

/// Sockets in the run folder, for a transport that is made of this one and another. Errors of
/// open(): those of run_place.
std::unique_ptr<transport> make_unix_transport(boost::asio::any_io_executor executor,
                                               std::filesystem::path run_folder, std::string id);

/// `random` is used in the call only; `over`: null: Unix sockets in the run folder.
/// Lifetime: `clock` outlives the bus; stop() must have ended before it is destroyed.
std::unique_ptr<bus> make_direct(boost::asio::any_io_executor executor, base::clock& clock,
                                 base::random& random, direct_options options,
                                 std::unique_ptr<transport> over = nullptr);

} // namespace shaddock::bus
