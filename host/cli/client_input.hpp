#pragma once

#include "client/script.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <string>

namespace shaddock::cli {

/// Waits on the loop for a descriptor to have bytes. The flags of the descriptor stay as they are:
/// the shell and other programs share the standard input with us.
class input {
public:
    /// `fd` stays the caller's and outlives it. Throws std::system_error.
    input(boost::asio::io_context& loop, int fd);

    /// Calls `ready` once, later, when a read would not block; not after stop().
    void wait(base::unique_function<void()> ready);
    /// Reads what there is, at most 4 KiB, blocking only without a wait() before. Empty at the end.
    /// Errors: internal, with the system's words.
    result<std::string> read() const;
    void stop();

private:
    /// Tells of `fd_`; closed: of such a descriptor, a file, one never has to wait.
    boost::asio::posix::stream_descriptor watch_;
    boost::asio::io_context& loop_;
    int fd_;
};

/// The lines of a descriptor. Limits: 1 MiB a line.
class line_input final : public client::line_source {
public:
    line_input(boost::asio::io_context& loop, int fd) : input_(loop, fd) {}

    void
    next(base::unique_function<void(const result<std::optional<std::string>>& line)> call) override;
    void stop() { input_.stop(); }

private:
    void take();
    void answer(const result<std::optional<std::string>>& line);

    input input_;
    std::string text_;
    bool is_over_ = false;
    base::unique_function<void(const result<std::optional<std::string>>& line)> call_;
};

} // namespace shaddock::cli
