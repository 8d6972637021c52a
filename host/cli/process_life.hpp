#pragma once

#include "base/clock.hpp"
#include "config/options.hpp"

#include <shaddock/ids.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <string_view>

/// What the process of a server and that of the page have in common.
namespace shaddock::cli {

/// Nanoseconds of the date: larger for each later life of an id.
incarnation new_incarnation(const base::clock& clock);

/// The log of a process: a file named after `id`, and the console unless a master reads it.
void start_log(std::string_view id, const config::log_options& wanted, bool is_child);

/// SIGINT, SIGTERM or SIGHUP call `stop` once; a second one, or `limit` (at least 1 s) later, ends
/// the process at once with status 1.
class stop_signals {
public:
    stop_signals(boost::asio::io_context& loop, base::clock& clock, std::chrono::milliseconds limit,
                 base::unique_function<void(int signal)> stop);
    void cancel();

private:
    void wait();

    boost::asio::signal_set signals_;
    base::clock& clock_;
    std::chrono::milliseconds limit_;
    base::unique_function<void(int signal)> stop_;
    base::timer patience_;
};

} // namespace shaddock::cli
