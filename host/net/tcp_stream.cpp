#include "stream.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace shaddock::net {

namespace {

using boost::asio::ip::tcp;

/// Calls the system until no signal interrupts it.
template <class Call>
stream_result transfer(Call call) {
    for (;;) {
        const ssize_t count = call();
        if (count >= 0) {
            return {.size = static_cast<std::size_t>(count)};
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return {.status = stream_status::would_block};
        }
        if (errno != EINTR) {
            return {.status = stream_status::failed, .problem = std::strerror(errno)};
        }
    }
}

class tcp_stream final : public stream {
public:
    explicit tcp_stream(tcp::socket socket) : socket_(std::move(socket)) {}

    stream_result read_some(char* into, std::size_t size) override {
        auto result = transfer([&] { return ::recv(socket_.native_handle(), into, size, 0); });
        if (result.status == stream_status::done && result.size == 0) {
            result.status = stream_status::ended;
        }
        return result;
    }

    stream_result write_some(std::string_view bytes) override {
        return transfer([&] {
            return ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        });
    }

    stream_result shut_down() override {
        return transfer([&] { return ::shutdown(socket_.native_handle(), SHUT_WR); });
    }

    void close() override {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }

    void reset() override {
        boost::system::error_code ignored;
        socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
        socket_.close(ignored);
    }

    void wait_readable(user_ptr user) override {
        socket_.async_wait(tcp::socket::wait_read,
                           [user = std::move(user)](const boost::system::error_code& failed) {
                               user->on_readable(problem_of(failed));
                           });
    }

    void wait_writable(user_ptr user) override {
        socket_.async_wait(tcp::socket::wait_write,
                           [user = std::move(user)](const boost::system::error_code& failed) {
                               user->on_writable(problem_of(failed));
                           });
    }

private:
    static const char* problem_of(const boost::system::error_code& failed) {
        return failed ? std::strerror(failed.value()) : nullptr;
    }

    tcp::socket socket_;
};

} // namespace

std::unique_ptr<stream> make_tcp_stream(tcp::socket socket) {
    return std::make_unique<tcp_stream>(std::move(socket));
}

} // namespace shaddock::net
