#include "base/log.hpp"
#include "master_nats/nats_machines.hpp"

#include "nats_server.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

/// What masters of several machines share, over a real nats-server.
namespace shaddock::master {
namespace {

using namespace std::chrono_literals;

class nats_machines_test : public testing::Test {
protected:
    nats_machines_test() {
        base::log::start("master", {}); // before there are other threads
        std::string name = (std::filesystem::temp_directory_path() / "shaddock-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("mkdtemp " + name);
        }
        folder = name;
        system.folder = folder;
        system.host.bus.nats.servers = {"nats://127.0.0.1:1"}; // nobody is there
        system.host.bus.nats.cluster = "test";
    }
    ~nats_machines_test() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }

    result<std::unique_ptr<machines>> make(const std::string& where, const std::string& name) {
        std::filesystem::create_directories(folder / where);
        return make_nats_machines(loop.get_executor(), system, folder / where, {name, {name}});
    }

    /// Started, and known to the others that are.
    std::unique_ptr<machines> join(const std::string& name) { return join(name, name); }
    std::unique_ptr<machines> join(const std::string& where, const std::string& name) {
        auto made = make(where, name);
        EXPECT_TRUE(made && (*made)->start());
        return std::move(*made);
    }
    /// At most 10 s; says whether it is so.
    bool runs_until(const std::function<bool()>& is_so, std::chrono::seconds limit = 10s) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        while (!is_so()) {
            if (std::chrono::steady_clock::now() >= deadline) {
                return false;
            }
            loop.restart();
            loop.run_one_for(10ms);
        }
        return true;
    }
    bool knows(const machines& who, const std::vector<std::string>& names) {
        return runs_until([&] { return who.masters() == names; });
    }
    /// What becomes of a question that nobody answers.
    std::shared_ptr<std::string> ask(machines& who, const std::string& whom) {
        auto end = std::make_shared<std::string>();
        who.ask(whom, "{}", std::chrono::minutes(60), [end](const result<std::string>& said) {
            *end = said ? *said : fmt::format("{}", static_cast<int>(said.error().code()));
        });
        return end;
    }

    std::filesystem::path folder;
    config::system system;
    boost::asio::io_context loop;
};

TEST_F(nats_machines_test, ends_cleanly_when_it_cannot_start) {
    const auto starts = [this] { return (*make("a", "a"))->start().has_value(); };
    EXPECT_TRUE(starts()) << "it waits for NATS without end";
    system.host.bus.nats.servers = {"no address"};
    EXPECT_FALSE(starts());
    system.host.bus.nats.cluster = "not a name";
    EXPECT_FALSE(starts());
    EXPECT_TRUE(make("a", "a")) << "and ends as well when it never starts";
}

TEST_F(nats_machines_test, does_not_wait_for_others_when_nats_is_away) {
    const auto a = join("a");
    bool is_known = false;
    a->when_known([&is_known] { is_known = true; });
    EXPECT_TRUE(runs_until([&] { return is_known; }));
    EXPECT_EQ(a->masters(), std::vector<std::string>{});
}

class with_nats : public nats_machines_test {
protected:
    with_nats() { system.host.bus.nats.servers = {server.url()}; }

    /// `a` asks `b`, and `b` has the question.
    std::shared_ptr<std::string> question_to_b(machines& a, machines& b) {
        bool is_there = false;
        b.serve([&is_there](const std::string&, const peers::reply_call&) { is_there = true; });
        EXPECT_TRUE(knows(a, {"b"}));
        auto end = ask(a, "b");
        EXPECT_TRUE(runs_until([&] { return is_there; }));
        return end;
    }

    const std::string disconnected = fmt::format("{}", static_cast<int>(errc::disconnected));
    test::nats_server server;
};

TEST_F(with_nats, a_question_ends_when_the_master_leaves_that_has_it) {
    const auto a = join("a");
    auto b = join("b");
    const auto end = question_to_b(*a, *b);
    b.reset();
    EXPECT_TRUE(runs_until([&] { return *end == disconnected; })) << *end;
    EXPECT_TRUE(knows(*a, {}));
}

TEST_F(with_nats, a_question_ends_when_another_master_runs_in_that_place) {
    const auto a = join("a");
    const auto b = join("b");
    const auto end = question_to_b(*a, *b);
    // It has died without a word, and is there again at once: both speak for that machine.
    const auto next = join("b");
    EXPECT_TRUE(runs_until([&] { return *end == disconnected; })) << *end;
}

TEST_F(with_nats, two_machines_of_one_name_are_called_the_same_by_all) {
    const auto a = join("a", "x");
    const auto b = join("b", "x");
    ASSERT_TRUE(runs_until([&] { return a->masters().size() + b->masters().size() == 2; }));
    EXPECT_EQ(a->masters().front(), b->name());
    EXPECT_EQ(b->masters().front(), a->name());
    EXPECT_NE(a->name(), b->name());
    EXPECT_TRUE(a->name().starts_with("x-")) << a->name();
}

TEST_F(with_nats, a_master_that_begins_knows_the_others_soon) {
    const auto a = join("a");
    const auto b = join("b");
    bool is_known = false;
    b->when_known([&is_known] { is_known = true; });
    EXPECT_FALSE(is_known);
    EXPECT_TRUE(runs_until([&] { return is_known; }));
    EXPECT_EQ(b->masters(), std::vector<std::string>{"a"});
}

TEST_F(with_nats, an_answer_comes_back) {
    const auto a = join("a");
    const auto b = join("b");
    b->serve([](const std::string& said, peers::reply_call reply) { reply(said + "!"); });
    ASSERT_TRUE(knows(*a, {"b"}));
    const auto end = ask(*a, "b");
    EXPECT_TRUE(runs_until([&] { return *end == "{}!"; })) << *end;
}

} // namespace
} // namespace shaddock::master
