#include "line_connection.hpp"

#include <cerrno>
#include <sys/socket.h>

namespace shaddock::cluster {

namespace {

constexpr std::size_t waiting_limit = std::size_t{4} * 1024 * 1024;
constexpr std::size_t read_bytes = std::size_t{16} * 1024;

} // namespace

void line_connection::start(line_handler on_line, end_handler on_end) {
    on_line_ = std::move(on_line);
    on_end_ = std::move(on_end);
    wait_readable();
}

void line_connection::send(std::string_view line) {
    if (is_closed_) {
        return;
    }
    if (out_.size() + line.size() > waiting_limit) {
        // By the reading side, so that nothing ends inside a call.
        ::shutdown(socket_.native_handle(), SHUT_RDWR);
        return;
    }
    out_.append(line);
    flush();
}

void line_connection::close() {
    if (!std::exchange(is_closed_, true)) {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }
}

void line_connection::wait_readable() {
    socket_.async_wait(bus::unix_socket::wait_read,
                       [self = shared_from_this(), held = gate_.enter().value()](const auto&) {
                           self->on_readable();
                       });
}

void line_connection::on_readable() {
    if (is_closed_) {
        return;
    }
    char bytes[read_bytes];
    const auto got = ::recv(socket_.native_handle(), bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got > 0) {
        in_.append(bytes, static_cast<std::size_t>(got));
        if (!cut_lines()) {
            return end();
        }
    } else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
        return end();
    }
    if (!is_closed_) {
        wait_readable();
    }
}

bool line_connection::cut_lines() {
    std::size_t begin = 0;
    for (auto stop = in_.find('\n'); stop != std::string::npos && !is_closed_;
         stop = in_.find('\n', begin)) {
        if (stop - begin > line_limit) {
            return false;
        }
        on_line_(std::string_view(in_).substr(begin, stop - begin));
        begin = stop + 1;
    }
    in_.erase(0, begin);
    return in_.size() <= line_limit;
}

void line_connection::flush() {
    if (is_waiting_writable_) {
        return;
    }
    std::size_t sent = 0;
    while (sent < out_.size()) {
        const auto written = ::send(socket_.native_handle(), out_.data() + sent, out_.size() - sent,
                                    MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written >= 0) {
            sent += static_cast<std::size_t>(written);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            is_waiting_writable_ = true;
            socket_.async_wait(
                bus::unix_socket::wait_write,
                [self = shared_from_this(), held = gate_.enter().value()](const auto&) {
                    self->is_waiting_writable_ = false;
                    if (!self->is_closed_) {
                        self->flush();
                    }
                });
            break;
        } else if (errno != EINTR) {
            sent = out_.size(); // the reading side finds the end
        }
    }
    out_.erase(0, sent);
}

void line_connection::end() {
    if (!is_closed_) {
        close();
        on_end_();
    }
}

} // namespace shaddock::cluster
