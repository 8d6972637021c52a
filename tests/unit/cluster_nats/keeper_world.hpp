#pragma once

#include "base/clock.hpp"
#include "cluster_nats/keeper.hpp"
#include "cut.hpp"
#include "nats_server.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>

/// Servers' keepers on a real nats-server, on one loop, with short times.
namespace shaddock::test {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;
using base::time_point;

inline door::server_info record_of(std::string id) {
    door::server_info server;
    server.id = std::move(id);
    server.type = "chat";
    server.host = "10.0.0.1";
    server.record_json = fmt::format(R"({{"id":"{}","n":1e3}})", server.id);
    return server;
}

inline std::vector<door::server_info> records_of(const lines& ids) {
    std::vector<door::server_info> all;
    for (const auto& id : ids) {
        all.push_back(record_of(id));
    }
    return all;
}

/// `2: a b (c)`: epoch, ids, guests in brackets.
inline std::string text_of(const cluster::view& list) {
    auto text = fmt::format("{}:", list.epoch);
    for (const auto& each : list.servers) {
        text += " " + each.id;
    }
    for (const auto& each : list.guests) {
        text += fmt::format(" ({})", each.id);
    }
    return text;
}

/// The clock of a process that can be stopped: nothing falls due meanwhile.
class stoppable_clock final : public base::clock {
public:
    explicit stoppable_clock(base::clock& real) : real_(real) {}
    void stop() { is_stopped_ = true; }
    void go_on() {
        is_stopped_ = false;
        for (auto& call : std::exchange(waiting_, {})) {
            (*call)();
        }
    }
    time_point now() const override { return real_.now(); }
    base::wall_time wall_now() const override { return real_.wall_now(); }
    base::timer at(time_point due, base::unique_function<void()> call) override {
        return real_.at(
            due, [this, call = std::make_shared<base::unique_function<void()>>(std::move(call))] {
                if (is_stopped_) {
                    waiting_.push_back(call);
                } else {
                    (*call)();
                }
            });
    }

private:
    base::clock& real_;
    bool is_stopped_ = false;
    std::vector<std::shared_ptr<base::unique_function<void()>>> waiting_;
};

/// One process: its connection, its keeper, and what it was told.
class process final : private cluster::keeper_observer, private cluster::lease_observer {
public:
    process(boost::asio::io_context& io, base::clock& real, const lines& urls, const lines& first,
            const std::string& machine, cluster::lease_times times)
        : clock(real), to(io.get_executor(), clock, options_of(urls)) {
        cluster::nats_keeper_options wanted;
        wanted.bucket.bucket = "house";
        wanted.bucket.timeout = 500ms;
        wanted.bucket.reconcile = 500ms;
        wanted.bucket.watch_beat = 200ms;
        wanted.bucket.replicas = static_cast<int>(urls.size());
        wanted.machine = machine;
        wanted.times = times;
        keeper =
            cluster::make_nats_keeper(io.get_executor(), clock, to,
                                      cluster::view{1, records_of(first), {}}, std::move(wanted));
        keeper->observe(*this);
        EXPECT_TRUE(to.start());
        EXPECT_TRUE(keeper->start(*this));
    }
    void claim(const std::string& id, std::uint64_t life) {
        auto self = record_of(id);
        self.life = static_cast<incarnation>(life);
        keeper->claim(self, [this](const result<void>& ended) {
            claimed = ended ? "ok" : ended.error().text();
            claimed_at = clock.now();
        });
    }
    std::string text() const { return text_of(*keeper->now()); }

    stoppable_clock clock;
    nats::connection to;
    std::unique_ptr<cluster::nats_keeper> keeper;
    /// Empty: not yet.
    std::string claimed;
    time_point claimed_at{};
    /// Of each list that was told.
    std::vector<std::uint64_t> epochs;
    std::vector<std::pair<bool, time_point>> leases;
    /// Who has the claim instead; `-`: nobody.
    lines lost_to;
    /// Whose lives are over, as it was told.
    lines over;

private:
    static nats::options options_of(const lines& urls) {
        nats::options wanted;
        wanted.servers = urls;
        wanted.name = "house";
        wanted.ping_interval = 200ms;
        return wanted;
    }
    void on_list(const cluster::view_ptr& now) override { epochs.push_back(now->epoch); }
    void on_over(std::string_view id, incarnation) override { over.emplace_back(id); }
    void on_lease(bool has_it) override { leases.emplace_back(has_it, clock.now()); }
    void on_claim_lost(const std::optional<cluster::claim_holder>& by) override {
        lost_to.push_back(by ? by->machine : "-");
    }
};

class keeper_test : public testing::Test {
protected:
    void SetUp() override {
        if (!nats_server::is_installed()) {
            GTEST_SKIP() << "nats-server is not installed";
        }
        server.emplace();
        times.beat = 50ms;
        times.host_lost = 1s;
        times.machine_lost = 0ms;
    }
    void TearDown() override {
        while (!all.empty()) {
            stop(all.begin()->first);
        }
    }
    void stop(const std::string& name) {
        auto& one = *all.at(name);
        one.clock.go_on();
        bool is_stopped = false;
        one.keeper->stop([&] { one.to.stop([&] { is_stopped = true; }); });
        EXPECT_TRUE(runs_until([&] { return is_stopped; })) << name;
        all.erase(name);
    }
    bool runs_until(const std::function<bool()>& is_so, std::chrono::milliseconds limit = 10s) {
        const auto deadline = clock.now() + limit;
        while (clock.now() < deadline) {
            if (is_so()) {
                return true;
            }
            io.restart();
            io.run_one_for(10ms);
        }
        return false;
    }
    void run_for(std::chrono::milliseconds time) {
        runs_until([] { return false; }, time);
    }
    /// Named after the id that it claims.
    process& add(const std::string& id, const std::string& machine, const lines& first = {"a", "b"},
                 const std::string& url = {}, const std::string& name = {}) {
        auto& made = all[name.empty() ? id : name];
        const auto urls = three ? three->urls() : lines{url.empty() ? server->url() : url};
        made = std::make_unique<process>(io, clock, urls, first, machine, times);
        made->claim(id, ++lives);
        return *made;
    }
    /// One that claims nothing, as a master.
    process& watch(const std::string& machine) {
        auto& made = all["master"];
        made = std::make_unique<process>(io, clock, lines{server->url()}, lines{"a", "b"}, machine,
                                         times);
        EXPECT_TRUE(runs_until([&] { return made->keeper->is_current(); }));
        return *made;
    }
    process& up(const std::string& id, const std::string& machine, const lines& first = {"a", "b"},
                const std::string& url = {}) {
        auto& made = add(id, machine, first, url);
        EXPECT_TRUE(runs_until([&] { return made.claimed == "ok"; })) << made.claimed;
        EXPECT_TRUE(runs_until([&] { return made.keeper->has_lease(); }));
        return made;
    }
    bool all_say(const std::string& text, std::chrono::milliseconds limit = 10s) {
        return runs_until(
            [&] {
                return std::ranges::all_of(
                    all, [&](const auto& one) { return one.second->text() == text; });
            },
            limit);
    }
    /// Nothing is left of an outage.
    bool all_are_whole(std::chrono::milliseconds limit = 5s) {
        return runs_until(
            [&] {
                return std::ranges::all_of(all, [](const auto& one) {
                    return one.second->keeper->has_lease() && one.second->keeper->is_current();
                });
            },
            limit);
    }
    /// `taken 2`, `late 3`, or the error's name.
    std::string propose(process& by, const lines& ids, std::uint64_t epoch) {
        std::string answer;
        by.keeper->propose(records_of(ids), epoch, [&](result<cluster::proposal> made) {
            answer = made
                         ? fmt::format("{} {}", made->is_taken ? "taken" : "late", made->now->epoch)
                         : std::string(to_string(made.error().code()));
        });
        EXPECT_EQ(answer, "") << "answered inline";
        EXPECT_TRUE(runs_until([&] { return !answer.empty(); }));
        return answer;
    }
    /// The loss of the bucket is over: it may change again.
    std::string propose_when_settled(process& by, const lines& ids, std::uint64_t epoch) {
        std::string answer;
        runs_until([&] {
            answer = propose(by, ids, epoch);
            return answer != "no_server";
        });
        return answer;
    }
    /// Past all keepers, as a stranger would. Empty value: erased.
    void put(const std::string& key, const std::string& value) {
        nats::options wanted;
        wanted.servers = {server->url()};
        nats::connection stranger(io.get_executor(), clock, wanted);
        EXPECT_TRUE(stranger.start());
        EXPECT_TRUE(runs_until([&] { return stranger.is_up(); }));
        bool is_put = false;
        stranger.request("$KV.house." + key, value, 2s,
                         [&](const result<std::string>& stored) { is_put = stored.has_value(); });
        EXPECT_TRUE(runs_until([&] { return is_put; }));
        bool is_stopped = false;
        stranger.stop([&] { is_stopped = true; });
        EXPECT_TRUE(runs_until([&] { return is_stopped; }));
    }
    /// No list that was told had a lower epoch than one before.
    void no_epoch_went_back() {
        for (const auto& [name, one] : all) {
            EXPECT_TRUE(std::ranges::is_sorted(one->epochs)) << name;
        }
    }

    boost::asio::io_context io;
    base::steady_clock clock{io.get_executor()};
    std::optional<nats_server> server;
    /// Instead of it.
    std::optional<nats_cluster> three;
    cluster::lease_times times;
    std::map<std::string, std::unique_ptr<process>> all;
    std::uint64_t lives = 0;
};

} // namespace shaddock::test
