#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "master/peers.hpp"

#include <shaddock/error.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

/// Questions and answers between masters, of any length: a long answer is asked for in parts.
namespace shaddock::master {

/// Of an answer's JSON in one message. Within a part's text each character may need an escape.
inline constexpr std::size_t part_bytes = 500'000;
/// Of one answer, in all its parts.
inline constexpr std::size_t most_answer_bytes = std::size_t{16} * 1024 * 1024;

/// Asks one master. `patience` counts for each message. `done` once, never inline: the answer's
/// JSON. Errors: as peers::ask; what the other master says; bad_request (its answer cannot be read,
/// or is too long). Lifetime: `to` outlives the question.
void ask_peer(peers& to, const std::string& machine, std::string_view what, const std::string& args,
              base::duration patience, peers::done_call done);

/// Answers the questions of other masters.
/// Limits: 64 questions at a time, beyond them `overloaded`. Of long answers the last 8 are kept
/// for their other parts, each until 10 s after it was asked for. Thread: the loop. Lifetime: what
/// it is given outlives it; once destroyed it answers nobody.
class peer_answers {
public:
    /// Answers once, inline or later, JSON.
    using answer_call = base::unique_function<void(std::string_view what, const std::string& args,
                                                   peers::done_call done)>;

    peer_answers(base::clock& clock, peers& to, answer_call answer);
    ~peer_answers();
    peer_answers(const peer_answers&) = delete;
    peer_answers& operator=(const peer_answers&) = delete;

private:
    struct state;
    peers& to_;
    /// Answers under way may outlive it.
    std::shared_ptr<state> state_;
};

} // namespace shaddock::master
