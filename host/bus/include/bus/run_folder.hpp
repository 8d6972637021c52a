#pragma once

#include <shaddock/error.hpp>

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

/// The folder where the processes of one system meet (`--run`): `<id>.sock` to call a server,
/// `<id>.lock` held as long as its process lives.
namespace shaddock::bus {

std::filesystem::path socket_path(const std::filesystem::path& run, std::string_view id);
std::filesystem::path lock_path(const std::filesystem::path& run, std::string_view id);

/// Makes the folder with mode 0700, its parents too. Errors: config (it cannot be made, is
/// no folder or a symbolic link, belongs to another user, or has another mode).
result<void> prepare_run_folder(const std::filesystem::path& run);

/// Who shares this run folder, so that its processes reach each other by sockets: 32 hexadecimal
/// digits, kept in `<run>/machine`, made when it is absent. Errors: config (it can be neither read
/// nor made, or holds something else).
result<std::string> machine_id(const std::filesystem::path& run);

/// Says that the server `id` runs, as long as this object or its process lives; the file holds the
/// pid for people. The file stays when the lock goes.
class run_lock {
public:
    /// Errors: duplicate (the id runs already; names its pid), config (the file cannot be made).
    static result<run_lock> take(const std::filesystem::path& run, std::string_view id);

    run_lock() = default;
    run_lock(run_lock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
    run_lock& operator=(run_lock&& other) noexcept {
        std::swap(file_, other.file_);
        return *this;
    }
    ~run_lock();

private:
    explicit run_lock(int file) : file_(file) {}
    int file_ = -1;
};

/// Whether a living process holds the id. Asking does not take the lock, so it never disturbs a
/// starting server.
bool is_running(const std::filesystem::path& run, std::string_view id);
/// The pid that the lock file names while a living process holds it.
std::optional<pid_t> running_pid(const std::filesystem::path& run, std::string_view id);

/// Whether any process of the system lives: a server, the page's, the master.
bool is_anyone_running(const std::filesystem::path& run);

} // namespace shaddock::bus
