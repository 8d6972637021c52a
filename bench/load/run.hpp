#pragma once

#include "cpu.hpp"
#include "user.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>
#include <vector>

namespace shaddock::bench {

/// What a run measured.
struct measures {
    double login_s = 0;
    double load_s = 0;
    cpu_reading login_cpu;
    cpu_reading load_cpu;
    std::vector<int> processes;
    /// Not empty: the run could not do what it was told (its findings still count).
    std::string problem;
};

/// One run: logs all users in, lets them talk, waits until all is quiet, sends them home.
class load_run {
public:
    explicit load_run(const load_options& options);

    /// Blocks until the run is over.
    measures run();
    const stage& everything() const { return all_; }

private:
    void resolve_gate();
    void tick();
    void tick_login();
    void tick_load();
    void tick_drain();
    void start_load();
    void start_drain(std::string problem);
    void finish();
    void talk();
    void move_people();
    bool is_login_hopeless() const;
    bool is_everything_sent() const;
    bool is_anyone_busy() const;
    user* pick_settled();
    unsigned pick_room(unsigned now);

    load_options options_;
    boost::asio::io_context io_{1};
    boost::asio::steady_timer timer_{io_};
    stage all_;
    cpu_meter meter_;
    std::vector<std::unique_ptr<user>> users_;
    std::vector<user*> senders_;
    measures result_;
    void (load_run::*step_)() = &load_run::tick_login;
    std::size_t started_ = 0;
    std::size_t next_sender_ = 0;
    std::uint64_t sent_by_rate_ = 0;
    double owed_switches_ = 0;
    double owed_departures_ = 0;
    nanoseconds phase_began_ = 0;
    nanoseconds last_tick_ = 0;
    cpu_reading cpu_before_;
};

} // namespace shaddock::bench
