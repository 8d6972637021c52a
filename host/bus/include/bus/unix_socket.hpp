#pragma once

#include "bus/transport.hpp"

#include <shaddock/error.hpp>

#include <boost/asio/local/stream_protocol.hpp>

#include <filesystem>
#include <optional>
#include <sys/types.h>

/// Unix stream sockets between processes of one user on one machine.
namespace shaddock::bus {

using unix_socket = boost::asio::local::stream_protocol::socket;
using unix_acceptor = boost::asio::local::stream_protocol::acceptor;

/// Listens at `path`, mode 0600; a socket file of a dead process in its place is replaced (the
/// caller has made sure that nobody living owns it, see run_lock). Errors: config (path over 107
/// bytes, cannot bind).
result<unix_acceptor> listen_at(const boost::asio::any_io_executor& executor,
                                const std::filesystem::path& path);

/// Connects without waiting: a Unix socket answers at once. The socket is non-blocking.
boost::system::result<unix_socket, dial_failure> dial(const boost::asio::any_io_executor& executor,
                                                      const std::filesystem::path& path);

/// Makes a fresh socket non-blocking and not inherited by programs that this process starts (its
/// end must end with us). Returns the process at the other end (SO_PEERCRED) if it belongs to this
/// process's user; else close it.
std::optional<pid_t> admit(unix_socket& socket);

} // namespace shaddock::bus
