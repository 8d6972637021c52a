#pragma once

#include "additions.hpp"
#include "asks.hpp"
#include "base/function.hpp"
#include "commands.hpp"
#include "control/targets.hpp"
#include "departures.hpp"
#include "drains.hpp"
#include "master/master.hpp"
#include "metrics.hpp"
#include "reloads.hpp"
#include "replacement.hpp"
#include "restarts.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::master {

/// What the commands work with; all of it outlives them.
struct command_parts {
    boost::asio::any_io_executor executor;
    const master_options& options;
    const config::system& system;
    const master_phase& phase;
    const server_book& book;
    supervisor& children;
    departures& leaving;
    drains& draining;
    additions& adding;
    restarts& restarting;
    reloads& reloading;
    replacement& replacing;
    asks& questions;
    metrics_round& numbers;
    /// Of this master.
    incarnation life;
    std::function<void(std::string_view text, bool is_bad)> say;
    std::function<void()> stop_everything;
    /// This program ends, and another one takes over in its process.
    std::function<void()> end_program;
};

/// What a master does when it is asked for something: on its own machine. Thread: the loop.
class local_commands final : public commands {
public:
    explicit local_commands(command_parts parts) : with_(std::move(parts)) {}

    void list(bool with_all, done_call<control::server_rows> done) override;
    void stop(const words_list& words, done_call<void> done) override;
    void kill(const words_list& words, done_call<void> done) override;
    void remove(const words_list& words, done_call<void> done) override;
    void drain(const words_list& words, std::chrono::milliseconds within,
               done_call<void> done) override;
    void restart(const words_list& words, done_call<control::start_results> done) override;
    void add(const control::addition_keys& keys, done_call<control::start_results> done) override;
    void reload(const control::reload_request& wanted,
                done_call<control::reload_results> done) override;
    void log(const control::log_request& wanted, done_call<control::log_results> done) override;
    void logs(const control::logs_request& wanted, done_call<control::log_tails> done) override;
    void metrics(done_call<std::vector<server_metrics>> done) override;
    void stop_everything() override { with_.stop_everything(); }
    void kill_everything() override;

    control::server_rows rows(bool with_all) const;

private:
    result<words_list> ids_of(const words_list& words, control::target_words taken) const;
    result<void> drain(const words_list& words, std::chrono::milliseconds within);
    result<void> restart(const words_list& words, restarts::done_call done);
    void warn(control::start_results& made, const std::set<std::string>& drained) const;

    command_parts with_;
};

} // namespace shaddock::master
