#include "private_file.hpp"

#include "base/random.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

namespace shaddock::master {
namespace {

namespace fs = std::filesystem;

std::string system_text() {
    return std::generic_category().message(errno);
}

constexpr mode_t private_mode = 0600;
constexpr mode_t group_mode = 0640;

bool give_to(int fd, gid_t group) {
    return fchown(fd, static_cast<uid_t>(-1), group) == 0 && fchmod(fd, group_mode) == 0;
}

error cannot_write(const fs::path& file) {
    return {errc::config, fmt::format("cannot write {}: {}", file.string(), system_text())};
}

result<void> write_file(const fs::path& file, std::string_view text, std::optional<gid_t> group) {
    const auto fresh = fs::path(fmt::format("{}.{}.new", file.string(), getpid()));
    unlink(fresh.c_str());
    const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, private_mode);
    if (fd < 0) {
        return cannot_write(fresh);
    }
    const bool is_given = !group || give_to(fd, *group);
    if (is_given) {
        errno = ENOSPC; // of a write that was cut short
    }
    const bool is_whole =
        is_given && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int failed = errno;
    close(fd);
    errno = failed;
    if (!is_whole || rename(fresh.c_str(), file.c_str()) != 0) {
        const auto why = cannot_write(file);
        unlink(fresh.c_str());
        return why;
    }
    return {};
}

result<std::optional<gid_t>> group_of(const std::string& name) {
    if (name.empty()) {
        return {boost::system::in_place_value, std::nullopt};
    }
    const auto* found = getgrnam(name.c_str());
    if (found == nullptr) {
        return error(errc::config, fmt::format("there is no group '{}'", name));
    }
    return {boost::system::in_place_value, found->gr_gid};
}

/// Why what is in the file may be known to others, or has been put there by them; empty: it is
/// fine.
std::string danger_of(const struct stat& file) {
    if (!S_ISREG(file.st_mode)) {
        return "it is no regular file";
    }
    if (file.st_uid != geteuid() && file.st_uid != 0) {
        return fmt::format("it belongs to user {}, this process is user {}", file.st_uid,
                           geteuid());
    }
    if ((file.st_mode & (S_IWGRP | S_IRWXO)) != 0) {
        return fmt::format("it has mode {:o}: others may know it; chmod 640 it at most",
                           file.st_mode & 07777U);
    }
    return {};
}

bool is_secret(std::string_view text) {
    constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=";
    return text.size() >= 32 && text.size() <= 256 &&
           text.find_first_not_of(allowed) == std::string_view::npos;
}

/// Of a file that is open as `fd`.
result<std::string> checked_secret(const fs::path& file, int fd, std::optional<gid_t> group) {
    const auto refuse = [&](std::string_view why) {
        return error(errc::config, fmt::format("{}: {}", file.string(), why));
    };
    struct stat info {};
    if (fstat(fd, &info) != 0) {
        return refuse(system_text());
    }
    if (const auto why = danger_of(info); !why.empty()) {
        return refuse(why);
    }
    const bool is_given = !group || (info.st_gid == *group && (info.st_mode & S_IRGRP) != 0);
    if (!is_given && !give_to(fd, *group)) {
        return refuse(fmt::format("it cannot be given to its group: {}", system_text()));
    }
    std::array<char, 300> bytes{};
    const auto got = read(fd, bytes.data(), bytes.size());
    std::string_view text(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    while (text.ends_with('\n') || text.ends_with('\r')) {
        text.remove_suffix(1);
    }
    if (!is_secret(text)) {
        return refuse("expected one line of 32 to 256 letters, digits or '-._~+/='; remove the "
                      "file, and a new one is made");
    }
    return {boost::system::in_place_value, text};
}

} // namespace

result<void> write_private_file(const fs::path& file, std::string_view text) {
    return write_file(file, text, std::nullopt);
}

result<std::string> kept_secret(const fs::path& file, const std::string& group) {
    const auto owner = group_of(group);
    if (!owner) {
        return owner.error();
    }
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        auto made = random_token();
        if (auto written = write_file(file, made + "\n", *owner); !written) {
            return written.error();
        }
        return {boost::system::in_place_value, std::move(made)};
    }
    if (fd < 0) {
        return error(errc::config, fmt::format("{}: {}", file.string(), system_text()));
    }
    auto read = checked_secret(file, fd, *owner);
    close(fd);
    return read;
}

result<std::string> read_small_file(const fs::path& file) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error(errc::not_found, fmt::format("{}: {}", file.string(), system_text()));
    }
    std::string text(std::size_t{64} * 1024, '\0');
    const auto got = read(fd, text.data(), text.size());
    close(fd);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return {boost::system::in_place_value, std::move(text)};
}

std::string random_token() {
    std::string token;
    for (const char byte : base::random_bytes(32)) {
        token += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    }
    return token;
}

} // namespace shaddock::master
