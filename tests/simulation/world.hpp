#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/random.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <vector>

/// A cluster in one process whose time, network and chance are made: the shipped server, bus and
/// registry run on them, thousands of seconds in one. The same seed gives the same history.
namespace shaddock::simulation {

using base::duration;
using base::time_point;
using namespace std::chrono_literals;

/// The dice of one run.
class dice {
public:
    explicit dice(std::uint64_t seed) : random_(seed) {}
    std::uint64_t next() { return random_.next(); }
    std::size_t below(std::size_t count) {
        return static_cast<std::size_t>(random_.next() % count);
    }
    bool chance(double part) { return static_cast<double>(random_.next() >> 11) * 0x1p-53 < part; }
    duration between(duration least, duration most) {
        const auto span = static_cast<std::uint64_t>((most - least).count());
        return least + duration(static_cast<duration::rep>(random_.next() % (span + 1)));
    }

private:
    base::random random_;
};

class process;

/// What is to happen, in order of time; of one time in the order in which it was said.
class world {
public:
    explicit world(std::uint64_t seed) : chance(seed) {}
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    time_point now() const { return now_; }
    duration since_start() const { return now_ - time_point(start); }
    /// Outside of all processes: the network, the clients, the master.
    void at(time_point due, base::unique_function<void()> call) {
        events_.push({due, ++said_, nullptr, std::move(call)});
    }
    void after(duration delay, base::unique_function<void()> call) {
        at(now_ + delay, std::move(call));
    }
    /// A wake-up of a process: its loop turns until it is idle. Nothing when it is gone by then.
    void wake(time_point due, std::shared_ptr<process> whom, base::unique_function<void()> call) {
        events_.push({due, ++said_, std::move(whom), std::move(call)});
    }
    /// Runs what is due up to `until`.
    void run(time_point until);
    void run_for(duration span) { run(now_ + span); }
    std::uint64_t events() const { return ran_; }

    dice chance;
    /// What the date of the machine is off by.
    duration wall_offset{};

private:
    static constexpr duration start = std::chrono::hours(1);
    struct event {
        time_point due;
        std::uint64_t number = 0;
        std::shared_ptr<process> whom;
        // Taken out of the queue's top, which is const.
        mutable base::unique_function<void()> call;
        bool operator<(const event& other) const {
            return due != other.due ? due > other.due : number > other.number;
        }
    };

    std::priority_queue<event> events_;
    time_point now_{start};
    std::uint64_t said_ = 0;
    std::uint64_t ran_ = 0;
};

/// A loop that can stand still while time goes on, and its clock. Lifetime: shared by the events
/// that wake it.
class process final : public base::clock, public std::enable_shared_from_this<process> {
public:
    process(world& in, std::string id) : world_(in), id_(std::move(id)) {}

    const std::string& id() const { return id_; }
    boost::asio::any_io_executor executor() { return loop_.get_executor(); }

    time_point now() const override { return world_.now(); }
    base::wall_time wall_now() const override {
        return base::wall_time(std::chrono::hours(24 * 365 * 56) + world_.now().time_since_epoch() +
                               world_.wall_offset);
    }
    base::timer at(time_point due, base::unique_function<void()> call) override;

    /// As SIGSTOP and SIGCONT: what would have woken it waits.
    void freeze() { is_frozen_ = true; }
    void thaw();
    bool is_frozen() const { return is_frozen_; }
    /// Killed: the kernel has closed all that it had. What it still runs reaches nobody.
    bool is_dead = false;
    /// Its objects are destroyed: it runs no more.
    bool is_gone = false;

    void woken(base::unique_function<void()> call);

private:
    struct armed final : base::timer::state {
        void cancelled() override {}
    };

    world& world_;
    std::string id_;
    boost::asio::io_context loop_{1};
    bool is_frozen_ = false;
    std::vector<base::unique_function<void()>> missed_;
};

} // namespace shaddock::simulation
