#pragma once

#include "config/load.hpp"
#include "master/machines.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <memory>

/// What masters of several machines share, over NATS.
namespace shaddock::master {

/// This machine, by the hosts of its records; its name is the first that is no loopback address,
/// else the hostname.
machine_place place_of(const config::system& system);

/// NATS is spoken to on a thread of its own, which ends with the object (within about two seconds),
/// so that a command may wait for the list. Thread: the loop of `executor`, which outlives it.
///
/// Subjects: `shaddock.CLUSTER.masters`, on which each master says once a second who it is
/// (control/masters.hpp), and `shaddock.CLUSTER.master.MACHINE` for questions to it. A question ends
/// as `disconnected` once the master that it was for has said that it leaves, runs anew, or was not
/// heard for 5 s.
/// Limits: 1000 other masters. Errors: config (the run folder has no id).
result<std::unique_ptr<machines>> make_nats_machines(boost::asio::any_io_executor executor,
                                                     const config::system& system,
                                                     const std::filesystem::path& run,
                                                     const machine_place& place);

} // namespace shaddock::master
