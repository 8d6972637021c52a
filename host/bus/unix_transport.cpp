#include "unix_transport.hpp"

#include <boost/asio/error.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <utility>

namespace shaddock::bus {

namespace {

class unix_pipe final : public pipe {
public:
    explicit unix_pipe(unix_socket socket) : socket_(std::move(socket)) {}

    ssize_t send(std::string_view bytes) override {
        return ::send(socket_.native_handle(), bytes.data(), bytes.size(),
                      MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    ssize_t recv(char* into, std::size_t size) override {
        return ::recv(socket_.native_handle(), into, size, MSG_DONTWAIT);
    }
    bool has_unread() const override { return polls(POLLIN); }
    bool is_hung_up() const override { return polls(POLLRDHUP); }
    void close() override {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }
    void wait_readable(std::shared_ptr<pipe_user> user, base::gate::pass held) override {
        socket_.async_wait(unix_socket::wait_read, [user = std::move(user), held = std::move(held)](
                                                       const auto&) { user->on_readable(); });
    }
    void wait_writable(std::shared_ptr<pipe_user> user, base::gate::pass held) override {
        socket_.async_wait(
            unix_socket::wait_write,
            [user = std::move(user), held = std::move(held)](const auto&) { user->on_writable(); });
    }

private:
    bool polls(short what) const {
        pollfd asked{const_cast<unix_socket&>(socket_).native_handle(), what, 0};
        return ::poll(&asked, 1, 0) > 0 && (asked.revents & what) != 0;
    }

    unix_socket socket_;
};

} // namespace

void unix_transport::accept(base::unique_function<void(arrival)> done) {
    place_.acceptor().async_accept(
        [this, done = std::move(done)](const boost::system::error_code& failed,
                                       unix_socket socket) mutable {
            using trouble = arrival::trouble;
            if (failed == boost::asio::error::operation_aborted && is_open()) {
                return accept(std::move(done)); // it was opened anew
            }
            if (failed) {
                return done({trouble::failed, nullptr, failed.message()});
            }
            if (!admit(socket)) {
                return done({trouble::stranger, nullptr, {}});
            }
            done({trouble::none, std::make_unique<unix_pipe>(std::move(socket)), {}});
        });
}

boost::system::result<std::unique_ptr<pipe>, dial_failure>
unix_transport::dial(std::string_view id) {
    auto socket = shaddock::bus::dial(executor_, socket_path(place_.run_folder(), id));
    if (!socket) {
        return socket.error();
    }
    return std::make_unique<unix_pipe>(std::move(*socket));
}

} // namespace shaddock::bus
