#include "base/clock.hpp"
#include "nats/kv.hpp"
#include "nats_server.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace shaddock::test {

namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

/// What a bucket is said to have, and in which order it was told.
class bucket_listener final : public nats::kv_observer {
public:
    void on_entry(const nats::kv_entry& now) override {
        has[now.key] = now.value;
        revisions[now.key] = now.revision;
        heard.push_back(now.key + "=" + now.value);
    }
    void on_erased(std::string_view key) override {
        has.erase(std::string(key));
        heard.push_back(fmt::format("-{}", key));
    }
    void on_whole() override { heard.emplace_back("whole"); }
    void on_deaf() override { heard.emplace_back("deaf"); }
    void on_new_bucket() override {
        has.clear();
        heard.emplace_back("new");
    }
    std::map<std::string, std::string> has;
    std::map<std::string, std::uint64_t> revisions;
    lines heard;
};

/// One process's connection and its view of the bucket.
class client {
public:
    client(boost::asio::io_context& io, base::clock& clock, std::vector<std::string> servers,
           int replicas)
        : to(io.get_executor(), clock, options_of(std::move(servers))),
          bucket(io.get_executor(), clock, to, kv_options_of(replicas)) {
        EXPECT_TRUE(to.start());
        EXPECT_TRUE(bucket.start(told));
    }
    nats::connection to;
    nats::kv bucket;
    bucket_listener told;

private:
    static nats::options options_of(std::vector<std::string> servers) {
        nats::options wanted;
        wanted.servers = std::move(servers);
        wanted.name = "test";
        return wanted;
    }
    static nats::kv_options kv_options_of(int replicas) {
        nats::kv_options wanted;
        wanted.bucket = "cluster-1";
        wanted.replicas = replicas;
        wanted.timeout = 1s;
        wanted.reconcile = 1s;
        wanted.watch_beat = 200ms;
        return wanted;
    }
};

class kv_bucket : public testing::Test {
protected:
    void SetUp() override {
        if (!nats_server::is_installed()) {
            GTEST_SKIP() << "nats-server is not installed";
        }
        server.emplace();
    }
    void TearDown() override {
        for (auto& [name, one] : clients) {
            int stopped = 0;
            one->bucket.stop([&] { one->to.stop([&] { ++stopped; }); });
            EXPECT_TRUE(runs_until([&] { return stopped == 1; })) << name;
        }
    }
    bool runs_until(const std::function<bool()>& is_so, std::chrono::seconds limit = 10s) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        while (std::chrono::steady_clock::now() < deadline) {
            if (is_so()) {
                return true;
            }
            io.restart();
            io.run_one_for(10ms);
        }
        return false;
    }
    client& add(const std::string& name, std::vector<std::string> servers = {}, int replicas = 1) {
        if (servers.empty()) {
            servers = {server->url()};
        }
        auto& made = clients[name];
        made = std::make_unique<client>(io, clock, std::move(servers), replicas);
        return *made;
    }
    client& whole(const std::string& name) {
        auto& made = add(name);
        EXPECT_TRUE(runs_until([&] { return made.bucket.is_whole(); })) << made.to.trouble();
        return made;
    }
    /// `7`, or the name of the error.
    template <class Value>
    std::string text_of(const result<Value>& ended) {
        if (!ended) {
            return std::string(to_string(ended.error().code()));
        }
        if constexpr (std::is_same_v<Value, nats::kv_entry>) {
            return fmt::format("{}@{}", ended->value, ended->revision);
        } else {
            return std::to_string(*ended);
        }
    }
    template <class Value, class Call>
    std::string answer(Call call) {
        std::optional<std::string> text;
        call([&](result<Value> ended) { text = text_of(ended); });
        EXPECT_FALSE(text.has_value()) << "answered inline";
        EXPECT_TRUE(runs_until([&] { return text.has_value(); }));
        return text.value_or("no answer");
    }
    std::string create(client& by, std::string_view key, std::string_view value) {
        return answer<std::uint64_t>(
            [&](auto done) { by.bucket.create(key, value, std::move(done)); });
    }
    std::string update(client& by, std::string_view key, std::string_view value,
                       std::uint64_t revision) {
        return answer<std::uint64_t>(
            [&](auto done) { by.bucket.update(key, value, revision, std::move(done)); });
    }
    std::string erase(client& by, std::string_view key, std::uint64_t revision) {
        return answer<std::uint64_t>(
            [&](auto done) { by.bucket.erase(key, revision, std::move(done)); });
    }
    std::string get(client& by, std::string_view key) {
        return answer<nats::kv_entry>([&](auto done) { by.bucket.get(key, std::move(done)); });
    }

    boost::asio::io_context io;
    base::steady_clock clock{io.get_executor()};
    std::optional<nats_server> server;
    std::map<std::string, std::unique_ptr<client>> clients;
};

TEST_F(kv_bucket, writes_only_over_the_revision_that_the_writer_knows) {
    auto& a = whole("a");
    EXPECT_EQ(get(a, "list"), "not_found");
    EXPECT_EQ(create(a, "list", "one"), "1");
    EXPECT_EQ(create(a, "list", "two"), "duplicate");
    EXPECT_EQ(update(a, "list", "two", 1), "2");
    EXPECT_EQ(update(a, "list", "three", 1), "duplicate");
    EXPECT_EQ(get(a, "list"), "two@2");
    EXPECT_EQ(erase(a, "list", 1), "duplicate");
    EXPECT_EQ(erase(a, "list", 2), "3");
    EXPECT_EQ(get(a, "list"), "not_found");
    EXPECT_EQ(create(a, "list", "four"), "4") << "an erased key can be made again";
    EXPECT_EQ(create(a, "claim..x", "1"), "bad_request");
    EXPECT_EQ(create(a, "claim.*", "1"), "bad_request");
}

TEST_F(kv_bucket, lets_one_of_two_writers_win) {
    auto& a = whole("a");
    auto& b = whole("b");
    lines ended;
    for (auto* each : {&a, &b}) {
        each->bucket.create("list", "mine", [&](result<std::uint64_t> written) {
            ended.push_back(text_of(written));
        });
    }
    ASSERT_TRUE(runs_until([&] { return ended.size() == 2; }));
    std::ranges::sort(ended);
    EXPECT_EQ(ended, (lines{"1", "duplicate"}));
}

TEST_F(kv_bucket, tells_what_there_is_and_then_each_change) {
    auto& a = whole("a");
    EXPECT_EQ(a.told.heard, lines{"whole"}) << "an empty bucket";
    // One after the other is told: what changes before it is sent is told once.
    const auto says = [&](client& who, const std::string& last) {
        return runs_until([&] { return who.told.heard.back() == last; });
    };
    create(a, "x", "1");
    ASSERT_TRUE(says(a, "x=1"));
    create(a, "y", "1");
    ASSERT_TRUE(says(a, "y=1"));
    update(a, "x", "2", 1);
    ASSERT_TRUE(says(a, "x=2"));
    erase(a, "y", 2);
    ASSERT_TRUE(says(a, "-y"));
    auto& b = whole("b");
    EXPECT_EQ(b.told.heard, (lines{"x=2", "whole"}));
    update(b, "x", "3", 3);
    ASSERT_TRUE(says(a, "x=3") && says(b, "x=3"));
    erase(b, "x", 5);
    ASSERT_TRUE(says(a, "-x") && says(b, "-x"));
    EXPECT_EQ(a.told.heard, (lines{"whole", "x=1", "y=1", "x=2", "-y", "x=3", "-x"}));
    EXPECT_EQ(b.told.heard, (lines{"x=2", "whole", "x=3", "-x"}));
}

TEST_F(kv_bucket, is_whole_again_after_its_server_was_killed_and_came_back_with_its_store) {
    auto& a = whole("a");
    auto& b = whole("b");
    create(a, "x", "1");
    create(a, "y", "1");
    ASSERT_TRUE(runs_until([&] { return b.told.has.size() == 2; }));
    b.told.heard.clear();
    server->kill();
    ASSERT_TRUE(runs_until([&] { return !a.bucket.is_whole() && !b.bucket.is_whole(); }));
    EXPECT_EQ(update(a, "x", "2", 1), "disconnected");
    server->start();
    ASSERT_TRUE(runs_until([&] { return a.bucket.is_whole() && b.bucket.is_whole(); }, 5s));
    EXPECT_EQ(update(a, "x", "2", 1), "3");
    ASSERT_TRUE(runs_until([&] { return b.told.has["x"] == "2"; }));
    EXPECT_EQ(b.told.heard, (lines{"deaf", "whole", "x=2"})) << "what is known is not told twice";
}

TEST_F(kv_bucket, says_that_it_is_another_one_when_the_store_was_lost) {
    auto& a = whole("a");
    create(a, "x", "1");
    ASSERT_TRUE(runs_until([&] { return a.told.has.size() == 1; }));
    a.told.heard.clear();
    server->kill();
    server->lose_store();
    server->start();
    ASSERT_TRUE(runs_until([&] { return a.bucket.is_whole() && a.told.heard.size() == 3; }, 5s));
    EXPECT_EQ(a.told.heard, (lines{"deaf", "new", "whole"}));
    EXPECT_EQ(get(a, "x"), "not_found");
    EXPECT_EQ(create(a, "x", "2"), "1");
}

TEST_F(kv_bucket, is_whole_again_after_its_server_stood_still) {
    auto& a = whole("a");
    auto& b = whole("b");
    create(a, "x", "1");
    server->freeze();
    ASSERT_TRUE(runs_until([&] { return !b.bucket.is_whole(); }));
    server->thaw();
    ASSERT_TRUE(runs_until([&] { return a.bucket.is_whole() && b.bucket.is_whole(); }, 5s));
    EXPECT_EQ(update(a, "x", "2", 1), "2");
    EXPECT_TRUE(runs_until([&] { return b.told.has["x"] == "2"; }));
}

TEST_F(kv_bucket, watches_anew_when_the_server_forgets_the_watch) {
    auto& a = whole("a");
    create(a, "x", "1");
    std::string names;
    a.to.request("$JS.API.CONSUMER.NAMES.KV_cluster-1", "", 1s,
                 [&](result<std::string> told) { names = told.value(); });
    ASSERT_TRUE(runs_until([&] { return !names.empty(); }));
    const std::string_view before = R"("consumers":[")";
    const auto at = names.find(before) + before.size();
    bool is_gone = false;
    a.to.request("$JS.API.CONSUMER.DELETE.KV_cluster-1." +
                     names.substr(at, names.find('"', at) - at),
                 "", 1s, [&](const result<std::string>& told) { is_gone = told.has_value(); });
    ASSERT_TRUE(runs_until([&] { return is_gone; })) << names;
    update(a, "x", "2", 1);
    EXPECT_TRUE(runs_until([&] { return a.told.has["x"] == "2"; }, 5s));
}

TEST_F(kv_bucket, says_what_is_wrong_and_goes_on_when_it_is_mended) {
    server->stop();
    server.emplace(nats_server_options{.has_jetstream = false});
    auto& a = add("a");
    ASSERT_TRUE(runs_until([&] { return a.to.is_up(); }));
    EXPECT_EQ(get(a, "x"), "no_server");
    EXPECT_FALSE(a.bucket.is_whole());
    server->stop();
    server->start_with(
        fmt::format("jetstream {{ store_dir: \"{}\" }}", (server->folder() / "store").string()));
    EXPECT_TRUE(runs_until([&] { return a.bucket.is_whole(); }, 5s));
}

TEST_F(kv_bucket, needs_no_more_than_its_own_subjects) {
    server->stop();
    server->start_with(R"(
authorization {
  users: [{user: house, password: secret, permissions: {
    publish: ["$JS.API.STREAM.INFO.KV_cluster-1", "$JS.API.STREAM.CREATE.KV_cluster-1",
              "$JS.API.STREAM.MSG.GET.KV_cluster-1", "$JS.API.STREAM.PURGE.KV_cluster-1",
              "$JS.API.CONSUMER.CREATE.KV_cluster-1", "$KV.cluster-1.>"]
    subscribe: ["_INBOX.>"]
  }}]
})");
    auto& a = add("a", {fmt::format("nats://house:secret@127.0.0.1:{}", server->port())});
    ASSERT_TRUE(runs_until([&] { return a.bucket.is_whole(); })) << a.to.trouble();
    EXPECT_EQ(create(a, "x", "1"), "1");
    EXPECT_EQ(update(a, "x", "2", 1), "2");
    EXPECT_EQ(get(a, "x"), "2@2");
    EXPECT_TRUE(runs_until([&] { return a.told.has["x"] == "2"; }));
    EXPECT_EQ(erase(a, "x", 2), "3");
    EXPECT_TRUE(runs_until([&] { return a.told.has.empty(); }));
}

TEST_F(kv_bucket, outlives_each_server_of_a_cluster) {
    nats_cluster three;
    auto& a = add("a", three.urls(), 3);
    ASSERT_TRUE(runs_until([&] { return a.bucket.is_whole(); }, 20s)) << a.to.trouble();
    EXPECT_EQ(create(a, "x", "0"), "1");
    std::uint64_t revision = 1;
    for (std::size_t i = 0; i != three.size(); ++i) {
        three.at(i).kill();
        const auto value = std::to_string(i + 1);
        ASSERT_TRUE(runs_until(
            [&] {
                const auto written = update(a, "x", value, revision);
                // Two of three decide; who has decided may have gone, so that the answer is lost.
                if (written == std::to_string(revision + 1) || written == "duplicate") {
                    return true;
                }
                io.run_for(50ms);
                return false;
            },
            20s));
        ++revision;
        EXPECT_TRUE(runs_until([&] { return a.told.has["x"] == value; }, 20s));
        three.at(i).start();
        three.wait_until_healthy();
    }
}

} // namespace

} // namespace shaddock::test
