#pragma once

#include "base/function.hpp"
#include "control/log.hpp"
#include "control/reload.hpp"
#include "control/requests.hpp"
#include "control/start.hpp"
#include "control/status.hpp"
#include "metrics.hpp"

#include <shaddock/error.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::master {

/// What people and programs ask of a system. `words`: ids, types, `all`; where it makes sense, ids
/// of what is no server. `done` once, inline or later. Errors of all that take words: not_found,
/// naming each unknown one with its nearest names. Thread: the loop.
class commands {
public:
    template <class Answer>
    using done_call = base::unique_function<void(result<Answer>)>;
    using words_list = std::vector<std::string>;

    virtual void list(bool with_all, done_call<control::server_rows> done) = 0;
    /// As departures::stop, kill and remove; drains::start.
    virtual void stop(const words_list& words, done_call<void> done) = 0;
    virtual void kill(const words_list& words, done_call<void> done) = 0;
    virtual void remove(const words_list& words, done_call<void> done) = 0;
    virtual void drain(const words_list& words, std::chrono::milliseconds within,
                       done_call<void> done) = 0;
    /// As restarts::start; `master` alone is this process.
    virtual void restart(const words_list& words, done_call<control::start_results> done) = 0;
    /// Errors: as check_addition; duplicate (the system stops).
    virtual void add(const control::addition_keys& keys,
                     done_call<control::start_results> done) = 0;
    /// As reloads::start.
    virtual void reload(const control::reload_request& wanted,
                        done_call<control::reload_results> done) = 0;
    /// `all` is the master, too.
    virtual void log(const control::log_request& wanted, done_call<control::log_results> done) = 0;
    /// Errors: bad_request (lines), config (logs go to no file).
    virtual void logs(const control::logs_request& wanted, done_call<control::log_tails> done) = 0;
    virtual void metrics(done_call<std::vector<server_metrics>> done) = 0;
    /// Of this machine, the master included.
    virtual void stop_everything() = 0;
    virtual void kill_everything() = 0;

protected:
    ~commands() = default;
};

/// Has `with` do what the command `what` of the admin API asks for: `list`, `stop`, `kill`,
/// `remove`, `drain`, `restart`, `add`, `reload`, `log`, `logs`, `metrics`. `args`: the command's
/// body. `done` once, inline or later: the answer as JSON, in the forms of docs/operations.md.
/// Errors: unknown_route; bad_request (the args); as the command's.
void carry_out(commands& with, std::string_view what, const std::string& args,
               commands::done_call<std::string> done);

} // namespace shaddock::master
