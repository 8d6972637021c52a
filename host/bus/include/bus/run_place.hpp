#pragma once

#include "bus/run_folder.hpp"
#include "bus/unix_socket.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace shaddock::bus {

/// Where a process is found under its id in the run folder: the lock that it holds, and the socket
/// at which it listens. Thread: the executor's.
class run_place {
public:
    run_place(boost::asio::any_io_executor executor, std::filesystem::path run_folder,
              std::string id)
        : executor_(std::move(executor)), run_folder_(std::move(run_folder)), id_(std::move(id)) {}

    /// Takes the lock and listens; again too, when somebody has removed the folder or what is in
    /// it. Errors: of prepare_run_folder, run_lock::take and listen_at.
    result<void> open();
    bool is_open() const { return acceptor_ && acceptor_->is_open(); }
    /// Whether others find it: the socket is in the folder.
    bool is_reachable() const;
    /// Once open. Opening again cancels what waits at it.
    unix_acceptor& acceptor() { return *acceptor_; }
    /// Nobody is let in any more; the lock stays.
    void close();

    const std::filesystem::path& run_folder() const { return run_folder_; }

private:
    boost::asio::any_io_executor executor_;
    std::filesystem::path run_folder_;
    std::string id_;
    run_lock lock_;
    std::optional<unix_acceptor> acceptor_;
};

} // namespace shaddock::bus
