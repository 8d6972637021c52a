#pragma once

#include "client.hpp"
#include "command.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <string>
#include <vector>

namespace shaddock::reload {

/// What a run does; these are the defaults.
struct run_options {
    system_under_test system;
    /// HOST:PORT of the connectors; sessions are dealt out in turn.
    std::vector<std::string> connectors;
    unsigned sessions = 100;
    unsigned rooms = 20;
    /// Requests per second in total, sent when due.
    double rate = 6000;
    /// Answered requests per second that a window must reach.
    double rate_floor = 5000;
    /// Unanswered requests of a session at most.
    unsigned pipeline = 16;
    unsigned reloads = 1000;
    /// Reloads before the first measurement: each build is read once.
    unsigned warm_up = 6;
    /// Pairs of a window without and one with reloads.
    unsigned windows = 5;
    /// Length of a window without.
    double seconds = 10;
    /// From the start of one reload to that of the next at least.
    unsigned every_ms = 0;
    /// The chat servers have a `reload: drain` above 0: rooms must go on counting over every swap,
    /// and nobody asks for what makes a drain wait (`wait`).
    bool is_drained = false;
    /// Where the chat servers write a file of rows per user; empty: they write none.
    std::string rows_in;
    unsigned settle_ms = 500;
    unsigned drain_ms = 10'000;
};

/// A stretch of the run; requests belong to the one in which they were sent.
struct window {
    nanoseconds began = 0;
    nanoseconds ended = 0;
    bool has_reloads = false;
};

struct measures {
    std::vector<window> windows;
    std::vector<server_growth> servers;
    /// Not empty: the run could not do what it was told.
    std::string problem;
};

/// One run: enters all sessions, keeps them asking, reloads, waits until all is quiet.
class proof_run {
public:
    explicit proof_run(const run_options& options);

    /// Blocks until the run is over. Throws std::runtime_error when it cannot begin.
    measures run();
    const history& seen() const { return all_.seen; }
    const std::vector<std::string>& refusals() const { return all_.refusals; }

private:
    using step = void (proof_run::*)();
    void open_sessions();
    void tick();
    void tick_enter();
    void tick_warm_up();
    /// Until the servers were looked at.
    void tick_look();
    void tick_load();
    void tick_drain();
    void talk();
    void next_window();
    void close_window();
    void reload_when_due();
    void exchange();
    /// Runs `work` beside the loop, and what it gives on the loop.
    template <class Work>
    void command(Work work);
    void look_at_servers(bool is_after);
    void note_server(const listed_server& one, const holding& held, bool is_after);
    void finish();
    void read_rows();
    void start_drain();
    double since(nanoseconds then) const;

    run_options options_;
    boost::asio::io_context io_{1};
    boost::asio::steady_timer timer_{io_};
    /// Runs `host reload` and `host list`, one at a time.
    boost::asio::thread_pool commands_{1};
    stage all_;
    std::vector<std::unique_ptr<client>> clients_;
    measures result_;
    step step_ = &proof_run::tick_enter;
    nanoseconds phase_began_ = 0;
    nanoseconds talk_began_ = 0;
    nanoseconds reload_due_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t asked_ = 0;
    unsigned exchanges_ = 0;
    /// Of this window.
    unsigned begun_ = 0;
    unsigned wanted_ = 0;
    bool is_commanding_ = false;
};

} // namespace shaddock::reload
