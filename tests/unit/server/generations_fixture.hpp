#pragma once

#include "generations.hpp"

#include "fakes.hpp"
#include "versions.hpp"

#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::server::testing {

using namespace std::chrono_literals;
using versions::seen;
using versions::start_step;
using texts = std::vector<std::string>;

/// A client's request that notes its answer.
class noted_request final : public pending_call {
public:
    noted_request(texts& answers, int n, base::time_point deadline)
        : pending_call(std::make_shared<door::session_data>(
                           door::session_data{{"f", incarnation{1}, session_id{1}, ""}, {}}),
                       fmt::format(R"({{"n":{}}})", n), deadline, 0, false),
          answers_(answers) {}
    ~noted_request() override { abandon(); }

private:
    void answer(result<door::body> made) noexcept override {
        answers_.push_back(made ? *made : std::string(to_string(made.error().code())));
    }
    texts& answers_;
};

/// The generations of one server under a clock moved by hand.
struct server_generations : ::testing::Test {
    server_generations() {
        seen() = {};
        options.self.id = "probe-server-1";
        options.self.type = "probe";
        all.emplace(host_parts{loop.get_executor(), clock, options, servers, list, calls, channels,
                               nullptr, settings});
        EXPECT_TRUE(all->create({{&versions::door<1>(), "probe.so"}}));
        all->start_components([](const result<void>& started) { EXPECT_TRUE(started); });
        turn();
        all->begin();
        seen().log.clear();
    }
    ~server_generations() override {
        all->stop_reloading();
        bool is_stopped = false;
        all->stop_components(1s, [&] { is_stopped = true; });
        pass(3s);
        EXPECT_TRUE(is_stopped);
        all->cancel();
        calls.cancel_all();
        turn();
        seen().parked.clear();
        turn();
        calls.use(nullptr);
        all->destroy();
        all.reset();
        turn();
        EXPECT_EQ(alive(1), 0);
        EXPECT_EQ(alive(2), 0);
        EXPECT_FALSE(seen().is_destroyed_in_frame);
    }

    void turn() {
        loop.restart();
        loop.poll();
    }
    /// Time passes in steps in which the loop turns.
    void pass(base::duration how_long) {
        for (base::duration gone{}; gone < how_long; gone += 5ms) {
            clock.advance(5ms);
            turn();
        }
    }
    void ask(std::string_view method, int n = 0, base::duration patience = 1h) {
        calls.run_handler(fmt::format("probe.probeHandler.{}", method),
                          std::make_unique<noted_request>(answers, n, clock.now() + patience));
    }
    /// Coroutines of the plugin that wait for the test go on.
    void release(std::size_t count = 1) {
        for (; count > 0 && !seen().parked.empty(); --count) {
            release_within_the_turn();
            turn();
        }
    }
    void release_within_the_turn() {
        auto first = std::move(seen().parked.front());
        seen().parked.erase(seen().parked.begin());
        first->done(door::body{});
    }
    /// What is in flight does not matter.
    static reload_options at_once() {
        reload_options how;
        how.drain = 0s;
        return how;
    }
    void begin_reload(reload_options how = at_once()) {
        outcome.reset();
        all->reload({{&versions::door<2>(), "probe.so"}}, how,
                    [this](result<void> got) { outcome = std::move(got); });
        EXPECT_FALSE(outcome) << "completed inline";
    }
    std::string reload(reload_options how = at_once()) {
        begin_reload(how);
        turn();
        return word();
    }
    std::string word() const {
        return !outcome ? "nothing" : *outcome ? "done" : outcome->error().text();
    }
    int alive(int version) const { return seen().alive[version]; }
    bool logged(std::string_view line) const { return count(line) != 0; }
    long count(std::string_view line) const {
        return std::count(seen().log.begin(), seen().log.end(), line);
    }
    void expect_old_serves() {
        EXPECT_EQ(all->current()->number(), 1u);
        EXPECT_EQ(all->current()->versions(), "1");
        answers.clear();
        ask("who");
        ASSERT_EQ(answers.size(), 1u);
        EXPECT_TRUE(answers[0].starts_with(R"({"version":1,)")) << answers[0];
    }
    void expect_candidate_gone() {
        pass(6s);
        EXPECT_EQ(alive(2), 0);
        EXPECT_EQ(all->ending(), 0u);
        EXPECT_EQ(all->kept(), 0u);
        EXPECT_FALSE(logged("tick 2"));
    }

    boost::asio::io_context loop;
    base::manual_clock clock;
    server_options options;
    fake_bus links;
    outgoing servers{loop.get_executor(), links, {"probe-server-1", incarnation{1}}};
    directory list;
    dispatcher calls{loop.get_executor(), clock, 64};
    channel_store channels{servers, [](const std::string&, const door::member&) {}};
    std::map<std::string, std::string, std::less<>> settings;
    std::optional<generations> all;
    texts answers;
    std::optional<result<void>> outcome;
};

} // namespace shaddock::server::testing
