#pragma once

#include "client/session.hpp"

#include <optional>
#include <string>

namespace shaddock::client {

/// Where a script's lines come from.
class line_source {
public:
    virtual ~line_source() = default;
    /// Calls `call` once, later, with the next line without its end, none at the end, or an error.
    /// Not called again before.
    virtual void
    next(base::unique_function<void(const result<std::optional<std::string>>& line)> call) = 0;
};

/// Runs the lines of a source in a session until the end, `quit` or the first error.
/// Thread: the loop. Lifetime: what it is given outlives it; the session outlives what waits in it.
class script_run {
public:
    /// `name`: what errors call the source, such as the file.
    script_run(session& runs, line_source& lines, std::string name);
    script_run(const script_run&) = delete;
    script_run& operator=(const script_run&) = delete;

    /// `ended` is called once. Errors: `<name>:<line>: <why>`.
    void start(base::unique_function<void(const result<void>& outcome)> ended);
    /// The connection has ended: an error of the line that was run last, unless it has an own one.
    void closed(const error& why);

private:
    void next();
    void take(const std::string& line);
    void ran(const result<void>& outcome);
    void fail(const error& why);
    void end(const result<void>& outcome);

    session& runs_;
    line_source& lines_;
    std::string name_;
    std::size_t line_ = 0;
    base::unique_function<void(const result<void>& outcome)> ended_;
};

} // namespace shaddock::client
