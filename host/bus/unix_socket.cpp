#include "bus/unix_socket.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace shaddock::bus {

namespace {

using boost::asio::local::stream_protocol;

constexpr std::size_t path_limit = sizeof(sockaddr_un::sun_path) - 1;

bool fits(const std::filesystem::path& path) {
    return path.native().size() <= path_limit;
}

/// Asio's sockets are inherited by default.
bool close_on_exec(int socket) {
    return ::fcntl(socket, F_SETFD, FD_CLOEXEC) == 0;
}

error cannot_listen(const std::filesystem::path& path, std::string_view why) {
    return error(errc::config, fmt::format("cannot listen at '{}': {}", path.string(), why));
}

} // namespace

result<unix_acceptor> listen_at(const boost::asio::any_io_executor& executor,
                                const std::filesystem::path& path) {
    if (!fits(path)) {
        return cannot_listen(
            path, fmt::format(
                      "the path has {} bytes, a socket's may have {}: choose a shorter run folder",
                      path.native().size(), path_limit));
    }
    try {
        unix_acceptor acceptor(executor, stream_protocol());
        ::unlink(path.c_str());
        acceptor.bind(stream_protocol::endpoint(path.native()));
        // Before listen(): until then nobody can connect, whatever the umask made of the mode.
        std::filesystem::permissions(path, std::filesystem::perms::owner_read |
                                               std::filesystem::perms::owner_write);
        acceptor.listen();
        acceptor.non_blocking(true);
        if (!close_on_exec(acceptor.native_handle())) {
            return cannot_listen(path, std::strerror(errno));
        }
        return acceptor;
    } catch (const std::system_error& failed) {
        return cannot_listen(path, failed.what());
    }
}

boost::system::result<unix_socket, dial_failure> dial(const boost::asio::any_io_executor& executor,
                                                      const std::filesystem::path& path) {
    if (!fits(path)) {
        return dial_failure::nobody;
    }
    boost::system::error_code failed;
    unix_socket socket(executor);
    socket.open(stream_protocol(), failed);
    if (failed) {
        return dial_failure::try_again;
    }
    socket.native_non_blocking(true, failed);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(static_cast<void*>(address.sun_path), path.c_str(), path.native().size());
    // Not through Asio: it takes a full queue (EAGAIN) for a connection under way.
    if (::connect(socket.native_handle(), reinterpret_cast<const sockaddr*>(&address),
                  sizeof(address)) != 0) {
        return errno == ECONNREFUSED || errno == ENOENT ? dial_failure::nobody
                                                        : dial_failure::try_again;
    }
    if (!admit(socket)) {
        return dial_failure::stranger;
    }
    return socket;
}

std::optional<pid_t> admit(unix_socket& socket) {
    boost::system::error_code failed;
    socket.non_blocking(true, failed);
    if (failed || !close_on_exec(socket.native_handle())) {
        return std::nullopt;
    }
    ucred who{};
    socklen_t size = sizeof(who);
    const bool is_known =
        ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0;
    return is_known && who.uid == ::geteuid() ? std::optional(who.pid) : std::nullopt;
}

} // namespace shaddock::bus
