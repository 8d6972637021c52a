#pragma once

#include "cluster_view.hpp"
#include "commands.hpp"
#include "master/peers.hpp"
#include "peer_talk.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::master {

/// The commands, over all machines: each machine's master does what concerns its own servers, and
/// the answers are put together. While no other master is there it is as if `here` were asked
/// itself. Answers the other masters, too: with `here` alone, so that nothing goes on from one to
/// the next. Right after the start it waits until the others are known (peers::when_known); metrics
/// are of those that are known. A machine whose master does not answer within 2 s is shown as
/// silent; what is meant for it fails with that reason, and the rest is done. Thread: the loop.
/// Lifetime: what it is given outlives it, and answers nobody once it is gone.
class cluster_commands final : public commands {
public:
    cluster_commands(base::clock& clock, commands& here, peers& others, machine_place place);

    void list(bool with_all, done_call<control::server_rows> done) override;
    /// All machines at a time. Errors: those of the machines, a line each.
    void stop(const words_list& words, done_call<void> done) override;
    void kill(const words_list& words, done_call<void> done) override;
    void remove(const words_list& words, done_call<void> done) override;
    void drain(const words_list& words, std::chrono::milliseconds within,
               done_call<void> done) override;
    /// One machine after the other, this one first: of a type that has failed on one the rest is
    /// left alone.
    void restart(const words_list& words, done_call<control::start_results> done) override;
    void reload(const control::reload_request& wanted,
                done_call<control::reload_results> done) override;
    /// On the machine that has the record's `host`. Errors: refused (none has).
    void add(const control::addition_keys& keys, done_call<control::start_results> done) override;
    void log(const control::log_request& wanted, done_call<control::log_results> done) override;
    void logs(const control::logs_request& wanted, done_call<control::log_tails> done) override;
    void metrics(done_call<std::vector<server_metrics>> done) override;
    /// Of this machine.
    void stop_everything() override { here_.stop_everything(); }
    void kill_everything() override { here_.kill_everything(); }

private:
    template <class Answer>
    struct said {
        std::string machine;
        bool is_here = false;
        result<Answer> answer;
    };
    template <class Answer>
    using all_call = base::unique_function<void(std::vector<said<Answer>>)>;
    template <class Answer>
    class joining;

    std::string name() const;
    bool is_alone() const { return others_.masters().empty(); }
    /// As soon as the masters that are there are known.
    void look(base::unique_function<void(const cluster_view&)> done);
    void look_at_all(base::unique_function<void(const cluster_view&)> done);
    void answer(std::string_view what, const std::string& args, peers::done_call done);
    template <class Answer>
    void ask(const std::string& machine, std::string_view what, const std::string& args,
             base::duration patience, done_call<Answer> done);
    template <class Answer>
    using here_call = std::function<void(const words_list&, done_call<Answer>)>;
    using args_call = std::function<std::string(const words_list&)>;
    void end(std::string_view what, const words_list& words, args_call args, here_call<void> here,
             done_call<void> done);
    template <class Results>
    void roll(std::string_view what, const words_list& words, std::string not_tried,
              base::duration patience, args_call args, here_call<Results> here,
              done_call<Results> done);
    /// All machines at a time.
    template <class Results>
    void gather(std::string_view what, const words_list& words, args_call args,
                here_call<Results> here, done_call<Results> done);
    template <class Answer>
    void each(const std::vector<command_share>& shares, std::string_view what,
              const args_call& args, base::duration patience, const here_call<Answer>& here,
              all_call<Answer> done);

    commands& here_;
    peers& others_;
    machine_place place_;
    peer_answers answers_;
};

} // namespace shaddock::master
