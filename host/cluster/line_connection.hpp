#pragma once

#include "base/function.hpp"
#include "base/gate.hpp"
#include "bus/unix_socket.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace shaddock::cluster {

/// Bytes of one line, without its end.
inline constexpr std::size_t line_limit = std::size_t{1024} * 1024;

/// Lines of text both ways over a Unix socket.
/// Limits: a line of line_limit bytes, 4 MiB waiting to be sent; past either it closes.
/// Lifetime: shared with its pending I/O; `gate` outlives it.
class line_connection : public std::enable_shared_from_this<line_connection> {
public:
    using line_handler = base::unique_function<void(std::string_view line)>;
    using end_handler = base::unique_function<void()>;

    line_connection(bus::unix_socket socket, base::gate& owner)
        : socket_(std::move(socket)), gate_(owner) {}
    line_connection(const line_connection&) = delete;
    line_connection& operator=(const line_connection&) = delete;

    /// `on_end`: the other side closed, or broke a limit; not called after `close`.
    void start(line_handler on_line, end_handler on_end);
    /// `line` ends with its line break.
    void send(std::string_view line);
    void close();
    bool is_closed() const { return is_closed_; }

private:
    void wait_readable();
    void on_readable();
    bool cut_lines();
    void flush();
    void end();

    bus::unix_socket socket_;
    base::gate& gate_;
    line_handler on_line_;
    end_handler on_end_;
    std::string in_;
    std::string out_;
    bool is_closed_ = false;
    bool is_waiting_writable_ = false;
};

} // namespace shaddock::cluster
