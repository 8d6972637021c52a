#include "master/run_folder.hpp"

#include <fmt/format.h>

#include <array>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace shaddock::master {
namespace {

namespace fs = std::filesystem;

error failed_with(const std::string& what, const fs::path& on) {
    return {errc::config,
            fmt::format("{} {}: {}", what, on.string(), std::generic_category().message(errno))};
}

/// Room for the longest name in the folder, `<64 characters>.sock` and its NUL.
constexpr std::size_t longest_name = 70;

} // namespace

result<fs::path> open_run_folder(const fs::path& folder) {
    std::error_code failed;
    const auto absolute = fs::absolute(folder, failed).lexically_normal();
    if (!failed && !absolute.parent_path().empty()) {
        fs::create_directories(absolute.parent_path(), failed);
    }
    if (failed) {
        return error(errc::config, fmt::format("--run {}: {}", folder.string(), failed.message()));
    }
    if (absolute.string().size() + 1 + longest_name > sizeof(sockaddr_un::sun_path)) {
        return error(errc::config,
                     fmt::format("--run {}: the path is too long for Unix sockets in it: found {} "
                                 "bytes, expected at most {}; choose a shorter one",
                                 absolute.string(), absolute.string().size(),
                                 sizeof(sockaddr_un::sun_path) - longest_name - 1));
    }
    if (mkdir(absolute.c_str(), 0700) != 0 && errno != EEXIST) {
        return failed_with("cannot make the run folder", absolute);
    }
    struct stat info {};
    if (stat(absolute.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
        return error(errc::config, fmt::format("--run {}: not a folder", absolute.string()));
    }
    if (info.st_uid != geteuid()) {
        return error(errc::config, fmt::format("--run {}: belongs to user {}, expected {}",
                                               absolute.string(), info.st_uid, geteuid()));
    }
    if ((info.st_mode & 0777) != 0700 && chmod(absolute.c_str(), 0700) != 0) {
        return failed_with("cannot close to others", absolute);
    }
    return {boost::system::in_place_value, absolute};
}

result<void> write_private_file(const fs::path& file, std::string_view text) {
    const auto fresh = fs::path(fmt::format("{}.{}.new", file.string(), getpid()));
    unlink(fresh.c_str());
    const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return failed_with("cannot write", fresh);
    }
    const auto written = write(fd, text.data(), text.size());
    close(fd);
    if (written != static_cast<ssize_t>(text.size()) || rename(fresh.c_str(), file.c_str()) != 0) {
        return failed_with("cannot write", file);
    }
    return {};
}

result<std::string> read_small_file(const fs::path& file) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error(errc::not_found,
                     fmt::format("{}: {}", file.string(), std::generic_category().message(errno)));
    }
    std::string text(64 * 1024, '\0');
    const auto got = read(fd, text.data(), text.size());
    close(fd);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return {boost::system::in_place_value, std::move(text)};
}

std::string random_token() {
    std::array<unsigned char, 32> bytes{};
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        throw error(errc::internal, "getrandom gave no bytes");
    }
    std::string token;
    for (const auto byte : bytes) {
        token += fmt::format("{:02x}", byte);
    }
    return token;
}

result<run_lock> run_lock::take(const fs::path& file) {
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return failed_with("cannot make the lock", file);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return error(errc::duplicate, fmt::format("{} is held by process {}", file.string(),
                                                  owner(file).value_or(0)));
    }
    const auto text = fmt::format("{}\n", getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text.data(), text.size(), 0) < 0) {
        auto failed = failed_with("cannot write the lock", file);
        close(fd);
        return failed;
    }
    return run_lock(fd);
}

std::optional<pid_t> run_lock::owner(const fs::path& file) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return std::nullopt;
    }
    // A shared lock: two who only look do not see each other.
    const bool is_free = flock(fd, LOCK_SH | LOCK_NB) == 0;
    std::array<char, 32> text{};
    const auto got = read(fd, text.data(), text.size() - 1);
    close(fd);
    if (is_free) {
        return std::nullopt;
    }
    return got > 0 ? static_cast<pid_t>(std::strtol(text.data(), nullptr, 10)) : 0;
}

run_lock::~run_lock() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

} // namespace shaddock::master
