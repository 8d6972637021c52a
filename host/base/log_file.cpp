#include "log_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace shaddock::base::log {
namespace {

constexpr std::chrono::minutes tell_again{1};
constexpr mode_t file_mode = 0666; // less the umask

std::string text_of(int number) {
    return std::generic_category().message(number);
}

} // namespace

bool is_name_of(const std::filesystem::path& path, int fd) {
    struct stat there {};
    struct stat ours {};
    return ::stat(path.c_str(), &there) == 0 && ::fstat(fd, &ours) == 0 &&
           there.st_ino == ours.st_ino && there.st_dev == ours.st_dev;
}

log_file::log_file(std::filesystem::path path, std::size_t limit_bytes, std::size_t kept)
    : path_(std::move(path)), limit_(limit_bytes), kept_(kept) {
    if (!open()) {
        throw std::runtime_error(
            fmt::format("cannot open the log file '{}': {}", path_.string(), text_of(errno)));
    }
}

log_file::~log_file() {
    ::close(fd_);
}

void log_file::sink_it_(const spdlog::details::log_msg& line) {
    spdlog::memory_buf_t text;
    formatter_->format(line, text);
    if (!write({text.data(), text.size()})) {
        lose(errno, std::chrono::steady_clock::now());
    } else if (untold_ != 0) {
        has_loss_.store(true, std::memory_order_relaxed);
    }
}

bool log_file::write(std::string_view line) {
    if (size_ != 0 && size_ + line.size() > limit_ && !turn_over()) {
        return false;
    }
    if (is_cut_ && ::write(fd_, "\n", 1) != 1) {
        return false;
    }
    const auto written = ::write(fd_, line.data(), line.size());
    is_cut_ = written > 0 && static_cast<std::size_t>(written) < line.size();
    size_ += static_cast<std::size_t>(std::max<ssize_t>(written, 0));
    errno = is_cut_ ? ENOSPC : errno; // or a limit of the user: the next write would say
    return written == static_cast<ssize_t>(line.size());
}

void log_file::look() {
    const std::lock_guard held(mutex_);
    if (!is_name_of(path_, fd_)) {
        open();
    } else if (struct stat now{}; ::fstat(fd_, &now) == 0) {
        size_ = static_cast<std::size_t>(now.st_size); // somebody may have cut it
    }
}

/// False: the one that was open stays.
bool log_file::open() {
    constexpr int how = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    int fd = ::open(path_.c_str(), how, file_mode);
    if (fd < 0 && errno == ENOENT) {
        std::error_code ignored;
        std::filesystem::create_directories(path_.parent_path(), ignored);
        fd = ::open(path_.c_str(), how, file_mode);
    }
    if (fd < 0) {
        return false;
    }
    if (fd_ >= 0) {
        ::close(fd_);
    }
    fd_ = fd;
    is_cut_ = false;
    struct stat ours {};
    size_ = ::fstat(fd_, &ours) == 0 ? static_cast<std::size_t>(ours.st_size) : 0;
    return true;
}

bool log_file::turn_over() {
    for (auto number = kept_; number > 0; --number) {
        if (::rename(numbered(number - 1).c_str(), numbered(number).c_str()) != 0 &&
            errno != ENOENT) {
            return false;
        }
    }
    return open();
}

std::filesystem::path log_file::numbered(std::size_t number) const {
    return number == 0 ? path_
                       : path_.parent_path() / fmt::format("{}.{}{}", path_.stem().string(), number,
                                                           path_.extension().string());
}

void log_file::lose(int why, time_point now) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    why_ = why;
    ++untold_;
    if (told_at_ == time_point() || now - told_at_ >= tell_again) {
        told_at_ = now;
        fmt::print(stderr, "the log file {} cannot be written: {}: lines are lost\n",
                   path_.string(), text_of(why));
    }
}

std::string log_file::take_loss() {
    if (!has_loss_.load(std::memory_order_relaxed)) {
        return {};
    }
    const std::lock_guard held(mutex_);
    has_loss_.store(false, std::memory_order_relaxed);
    return fmt::format("{} lines of this log were lost: {}", std::exchange(untold_, 0),
                       text_of(why_));
}

} // namespace shaddock::base::log
