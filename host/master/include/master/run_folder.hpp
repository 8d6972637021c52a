#pragma once

#include <shaddock/error.hpp>

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// What lies under `--run DIR`: sockets, locks, tokens. Mode 0700: whoever can look inside may
/// steer the system.
namespace shaddock::master {

/// Creates the folder when it is absent, mode 0700, and returns its absolute path.
/// Errors: config (cannot be made, belongs to another user, or its path is too long for a Unix
/// socket in it).
result<std::filesystem::path> open_run_folder(const std::filesystem::path& folder);

/// Writes a file that only this user can read, in one step: a reader sees the old one or the new
/// one.
result<void> write_private_file(const std::filesystem::path& file, std::string_view text);
result<std::string> read_small_file(const std::filesystem::path& file);

/// 32 random bytes as 64 hex digits.
std::string random_token();

/// The right to be the one who runs something: a lock on a file that holds the owner's pid.
/// Held until destruction or the process's end, however it ends.
class run_lock {
public:
    /// Errors: duplicate (held; the text names the owner's pid), config (the file cannot be made).
    static result<run_lock> take(const std::filesystem::path& file);
    /// The owner's pid (0 = not known) while the lock is held, nothing when it is free.
    static std::optional<pid_t> owner(const std::filesystem::path& file);

    run_lock(run_lock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    run_lock& operator=(run_lock&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~run_lock();

private:
    explicit run_lock(int fd) : fd_(fd) {}
    int fd_;
};

} // namespace shaddock::master
