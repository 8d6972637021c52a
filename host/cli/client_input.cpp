#include "client_input.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace shaddock::cli {
namespace {

constexpr std::size_t line_limit_bytes = std::size_t{1024} * 1024;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

input::input(boost::asio::io_context& loop, int fd) : watch_(loop), loop_(loop), fd_(fd) {
    // Asio would make the descriptor itself non-blocking, for everybody who shares it.
    const int watch = epoll_create1(EPOLL_CLOEXEC);
    if (watch < 0) {
        fail("epoll_create1");
    }
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    if (epoll_ctl(watch, EPOLL_CTL_ADD, fd, &wanted) == 0) {
        watch_.assign(watch);
        return;
    }
    const bool is_file = errno == EPERM;
    close(watch);
    if (!is_file) {
        fail("the standard input");
    }
}

void input::wait(base::unique_function<void()> ready) {
    if (!watch_.is_open()) {
        boost::asio::post(loop_, [ready = std::move(ready)]() mutable { ready(); });
        return;
    }
    watch_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                      [ready = std::move(ready)](const boost::system::error_code& failed) mutable {
                          if (!failed) {
                              ready();
                          }
                      });
}

result<std::string> input::read() const {
    std::array<char, 4096> buffer{};
    ssize_t got = 0;
    do {
        got = ::read(fd_, buffer.data(), buffer.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return error(errc::internal, "reading: " + std::generic_category().message(errno));
    }
    return std::string(buffer.data(), static_cast<std::size_t>(got));
}

void input::stop() {
    boost::system::error_code ignored;
    watch_.close(ignored);
}

void line_input::next(
    base::unique_function<void(const result<std::optional<std::string>>& line)> call) {
    call_ = std::move(call);
    if (is_over_ || text_.find('\n') != std::string::npos) {
        input_.wait([this] { take(); });
        return;
    }
    input_.wait([this] {
        auto more = input_.read();
        if (!more) {
            answer(more.error());
            return;
        }
        is_over_ = more->empty();
        text_ += *more;
        take();
    });
}

void line_input::take() {
    const auto end = text_.find('\n');
    if (end != std::string::npos) {
        auto line = text_.substr(0, end);
        text_.erase(0, end + 1);
        answer(std::optional(std::move(line)));
    } else if (text_.size() > line_limit_bytes) {
        answer(error(errc::bad_request, fmt::format("found a line of over {} bytes, expected less",
                                                    line_limit_bytes)));
    } else if (!is_over_) {
        next(std::move(call_));
    } else if (text_.empty()) {
        answer(std::optional<std::string>());
    } else {
        answer(std::optional(std::exchange(text_, {})));
    }
}

void line_input::answer(const result<std::optional<std::string>>& line) {
    auto call = std::exchange(call_, nullptr);
    call(line);
}

} // namespace shaddock::cli
