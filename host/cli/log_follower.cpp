#include "log_follower.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace shaddock::cli {
namespace {

constexpr std::size_t most_at_once = std::size_t{1024} * 1024;

} // namespace

log_follower::log_follower(std::filesystem::path file) : path_(std::move(file)) {
    open();
    struct stat now {};
    if (file_ >= 0 && fstat(file_, &now) == 0) {
        offset_ = now.st_size;
    }
}

log_follower::~log_follower() {
    close();
}

void log_follower::open() {
    file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    offset_ = 0;
}

void log_follower::close() {
    if (file_ >= 0) {
        ::close(std::exchange(file_, -1));
    }
}

bool log_follower::take(std::string& text) {
    std::array<char, std::size_t{64} * 1024> buffer{};
    const auto got = pread(file_, buffer.data(), buffer.size(), offset_);
    if (got <= 0) {
        return false;
    }
    offset_ += got;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    return text.size() < most_at_once;
}

bool log_follower::was_replaced() const {
    struct stat named {};
    struct stat opened {};
    if (stat(path_.c_str(), &named) != 0 || fstat(file_, &opened) != 0) {
        return false; // being replaced: its successor comes
    }
    const bool is_another = named.st_ino != opened.st_ino || named.st_dev != opened.st_dev;
    return is_another || named.st_size < offset_;
}

std::string log_follower::read_more() {
    if (file_ < 0) {
        open();
        if (file_ < 0) {
            return {};
        }
    }
    std::string text = std::exchange(begun_, {});
    while (take(text)) {
    }
    if (text.size() < most_at_once && was_replaced()) {
        while (take(text)) { // what came before the name was another's
        }
        close();
        open();
        while (file_ >= 0 && take(text)) {
        }
    }
    const auto end = text.rfind('\n') + 1; // 0 when there is none
    begun_ = text.substr(end);
    text.resize(end);
    return text;
}

} // namespace shaddock::cli
