#include "silent_sockets.hpp"

#include <charconv>
#include <filesystem>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <system_error>

namespace shaddock::nats {

namespace {

/// 0: not connected by TCP.
std::uint16_t port_of_peer(int socket) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
        return 0;
    }
    if (peer.ss_family == AF_INET) {
        return ntohs(reinterpret_cast<const sockaddr_in*>(&peer)->sin_port);
    }
    if (peer.ss_family == AF_INET6) {
        return ntohs(reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_port);
    }
    return 0;
}

bool is_silent(int socket, std::chrono::milliseconds silence) {
    tcp_info seen{};
    socklen_t size = sizeof(seen);
    return ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &seen, &size) == 0 &&
           std::chrono::milliseconds(seen.tcpi_last_data_recv) > silence;
}

} // namespace

std::size_t shut_silent_sockets(const std::set<std::uint16_t>& ports,
                                std::chrono::milliseconds silence) {
    std::size_t count = 0;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", failed)) {
        const auto name = entry.path().filename().string();
        int socket = -1;
        std::from_chars(name.data(), name.data() + name.size(), socket);
        if (socket >= 0 && ports.contains(port_of_peer(socket)) && is_silent(socket, silence) &&
            ::shutdown(socket, SHUT_RDWR) == 0) {
            ++count;
        }
    }
    return count;
}

} // namespace shaddock::nats
