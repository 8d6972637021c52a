#pragma once

#include "base/clock.hpp"
#include "config/options.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <string_view>

/// What the process of a server and that of the page have in common.
namespace shaddock::node {

/// The log of a process: a file named after `id`, and the console unless a master reads it.
void start_log(std::string_view id, const config::log_options& wanted, bool is_child);

/// SIGINT or SIGTERM call `stop` once; a second one, or `limit` (at least 1 s) later, ends the
/// process at once with status 1. SIGHUP stops nothing: it calls `reread`.
/// Logs that somebody has moved are made anew once a second, and at SIGHUP.
class stop_signals {
public:
    stop_signals(boost::asio::io_context& loop, base::clock& clock, std::chrono::milliseconds limit,
                 base::unique_function<void(int signal)> stop,
                 base::unique_function<void()> reread);
    void cancel();

private:
    void wait();
    void look();

    boost::asio::signal_set signals_;
    base::clock& clock_;
    std::chrono::milliseconds limit_;
    base::unique_function<void(int signal)> stop_;
    base::unique_function<void()> reread_;
    base::timer patience_;
    base::timer look_again_;
};

} // namespace shaddock::node
