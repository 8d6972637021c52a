#include "base/clock.hpp"
#include "bus/direct.hpp"
#include "bus/local.hpp"
#include "cluster/direct.hpp"
#include "cluster/local.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>

namespace shaddock::contract {

namespace {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

door::server_info record(std::string id, std::string type = "chat") {
    door::server_info server;
    server.id = std::move(id);
    server.type = std::move(type);
    server.host = "127.0.0.1";
    server.record_json = fmt::format(R"({{"id":"{}"}})", server.id);
    return server;
}

std::vector<door::server_info> records(const lines& ids) {
    std::vector<door::server_info> all;
    for (const auto& id : ids) {
        all.push_back(record(id));
    }
    return all;
}

/// `1: a@5 b-` : epoch, each id with its incarnation if it is up.
std::string text_of(const cluster::view& list) {
    auto text = fmt::format("{}:", list.epoch);
    for (const auto& server : list.servers) {
        text += server.is_up ? fmt::format(" {}@{}", server.id, number(server.life))
                             : fmt::format(" {}-", server.id);
    }
    return text;
}

class quiet_receiver final : public bus::receiver {
public:
    void on_call(const bus::peer&, bus::envelope_view, bus::responder) override {}
    void on_cast(const bus::peer&, bus::envelope_view) override {}
};

class listener final : public cluster::registry_listener {
public:
    void on_view(const cluster::view_ptr& now) override { heard.push_back(text_of(*now)); }
    lines heard;
};

/// One server of a test.
class member {
public:
    virtual ~member() = default;
    virtual cluster::registry& list() = 0;
    virtual result<void> start(const door::server_info& self) = 0;
    virtual void stop(base::unique_function<void()> done) = 0;
    std::string text() { return text_of(*list().now()); }
    listener hears;
};

class world {
public:
    virtual ~world() = default;
    virtual std::unique_ptr<member> make(std::string id, std::uint64_t life) = 0;
    /// Where the expected list comes from: given to all members, now and later.
    virtual void expect(std::vector<door::server_info> servers) = 0;
    /// Dies without deregistering.
    virtual void kill(const std::string& id) = 0;

    member& add(const std::string& id, std::uint64_t life = 1) {
        auto made = make(id, life);
        auto self = record(id);
        self.life = static_cast<incarnation>(life);
        EXPECT_TRUE(made->start(self)) << id;
        return *(members_[id] = std::move(made));
    }
    member& member_of(const std::string& id) { return *members_.at(id); }
    void remove(const std::string& id) { stop(id); }
    /// Stops it and gives it out of the world's hands, with what it had heard when it was told to.
    std::pair<std::unique_ptr<member>, lines> stop(const std::string& id) {
        auto stopped = std::move(members_.at(id));
        members_.erase(id);
        bool is_stopped = false;
        stopped->stop([&] { is_stopped = true; });
        auto heard = stopped->hears.heard;
        EXPECT_FALSE(is_stopped) << "stopped inline";
        EXPECT_TRUE(runs_until([&] { return is_stopped; }));
        return {std::move(stopped), std::move(heard)};
    }
    bool runs_until(const std::function<bool()>& is_so) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (!is_so() && std::chrono::steady_clock::now() < deadline) {
            io.restart();
            io.run_one_for(10ms);
        }
        return is_so();
    }
    bool all_say(const std::string& text) {
        return runs_until([&] {
            return std::all_of(members_.begin(), members_.end(), [&](const auto& one) {
                return one.second->text() == text && !one.second->hears.heard.empty() &&
                       one.second->hears.heard.back() == text;
            });
        });
    }
    void stop_all() {
        while (!members_.empty()) {
            remove(members_.begin()->first);
        }
    }
    boost::asio::io_context io;
    base::steady_clock clock{io.get_executor()};
    base::random random{1};

protected:
    std::map<std::string, std::unique_ptr<member>> members_;
};

class local_world final : public world {
public:
    ~local_world() override { stop_all(); }
    std::unique_ptr<member> make(std::string, std::uint64_t) override {
        return std::make_unique<local_member>(*this);
    }
    void expect(std::vector<door::server_info> servers) override {
        directory_.set_expected(std::move(servers));
    }
    void kill(const std::string& id) override { directory_.kill(id); }

private:
    class local_member final : public member {
    public:
        explicit local_member(local_world& in)
            : list_(cluster::make_local_registry(in.io.get_executor(), in.directory_)) {}
        cluster::registry& list() override { return *list_; }
        result<void> start(const door::server_info& self) override {
            return list_->start(self, hears);
        }
        void stop(base::unique_function<void()> done) override { list_->stop(std::move(done)); }

    private:
        std::unique_ptr<cluster::registry> list_;
    };
    cluster::local_directory directory_;
};

/// The registry that follows the links of a bus, on the bus of one process (so that tests can kill)
/// or on sockets.
template <bool IsOnSockets>
class links_world final : public world {
public:
    links_world() {
        auto pattern = (std::filesystem::temp_directory_path() / "list-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error("cannot make a folder like " + pattern);
        }
        folder_ = pattern;
    }
    ~links_world() override {
        stop_all();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    std::unique_ptr<member> make(std::string id, std::uint64_t life) override {
        return std::make_unique<links_member>(*this, make_bus(std::move(id), life));
    }
    void expect(std::vector<door::server_info> servers) override {
        expected_ = std::move(servers);
        for (const auto& [id, one] : members_) {
            static_cast<links_member&>(*one).expect(expected_);
        }
    }
    void kill(const std::string& id) override {
        if (IsOnSockets) {
            // A process of its own would be needed; for the list a goodbye is the same.
            this->remove(id);
        } else {
            network_.kill(id);
        }
    }

private:
    class links_member final : public member {
    public:
        links_member(links_world& in, std::unique_ptr<bus::bus> links)
            : links_(std::move(links)),
              list_(cluster::make_direct_registry(in.io.get_executor(), *links_, in.expected_)) {}
        cluster::registry& list() override { return *list_; }
        result<void> start(const door::server_info& self) override {
            if (auto opened = links_->start(receiver_); !opened) {
                return opened;
            }
            return list_->start(self, hears);
        }
        void stop(base::unique_function<void()> done) override {
            done_ = std::move(done);
            list_->stop([this] { links_->stop([this] { done_(); }); });
        }
        void expect(const std::vector<door::server_info>& servers) { list_->set_expected(servers); }

    private:
        quiet_receiver receiver_;
        std::unique_ptr<bus::bus> links_;
        std::unique_ptr<cluster::direct_registry> list_;
        base::unique_function<void()> done_;
    };

    std::unique_ptr<bus::bus> make_bus(std::string id, std::uint64_t life) {
        const auto lived = static_cast<incarnation>(life);
        if (!IsOnSockets) {
            return bus::make_local(io.get_executor(), clock, network_, std::move(id), lived);
        }
        bus::direct_options options;
        options.run_folder = folder_;
        options.id = std::move(id);
        options.life = lived;
        return bus::make_direct(io.get_executor(), clock, random, std::move(options));
    }

    std::filesystem::path folder_;
    bus::local_network network_;
    std::vector<door::server_info> expected_;
};

using direct_world = links_world<true>;
using linked_world = links_world<false>;

struct world_name {
    template <class World>
    static std::string GetName(int) {
        return std::is_same_v<World, local_world>    ? "local"
               : std::is_same_v<World, linked_world> ? "links_in_memory"
                                                     : "direct";
    }
};

template <class World>
class registry_contract : public testing::Test {
public:
    World in;
};
using registry_worlds = testing::Types<local_world, linked_world, direct_world>;

} // namespace

TYPED_TEST_SUITE(registry_contract, registry_worlds, world_name);

TYPED_TEST(registry_contract, lists_all_expected_servers_sorted_by_id_up_or_down) {
    this->in.expect(records({"m", "z", "a"}));
    auto& m = this->in.add("m", 5);
    const auto now = m.list().now();
    ASSERT_NE(now, nullptr);
    ASSERT_EQ(now->servers.size(), 3U);
    EXPECT_EQ(now->servers[0].id, "a");
    EXPECT_EQ(now->servers[2].id, "z");
    EXPECT_FALSE(now->servers[0].is_up);
    EXPECT_TRUE(now->servers[1].is_up) << "itself is up at once";
    EXPECT_EQ(now->servers[1].life, static_cast<incarnation>(5));
    ASSERT_NE(now->find("z"), nullptr);
    EXPECT_EQ(now->find("z")->record_json, R"({"id":"z"})");
    EXPECT_EQ(now->find("b"), nullptr);
    EXPECT_EQ(now->find("zz"), nullptr);
}

TYPED_TEST(registry_contract, tells_everybody_who_comes_up_in_any_order) {
    this->in.expect(records({"a", "m", "z"}));
    for (const std::string id : {"m", "z", "a"}) {
        this->in.add(id, 5);
    }
    const auto epoch = this->in.member_of("m").list().now()->epoch;
    EXPECT_TRUE(this->in.all_say(fmt::format("{}: a@5 m@5 z@5", epoch)));
}

TYPED_TEST(registry_contract, keeps_the_epoch_while_servers_come_and_go) {
    this->in.expect(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    const auto epoch = a.list().now()->epoch;
    this->in.add("b", 6);
    ASSERT_TRUE(this->in.all_say(fmt::format("{}: a@5 b@6", epoch)));
    this->in.remove("b");
    ASSERT_TRUE(this->in.all_say(fmt::format("{}: a@5 b-", epoch)));
    this->in.add("b", 7);
    ASSERT_TRUE(this->in.all_say(fmt::format("{}: a@5 b@7", epoch)));
}

TYPED_TEST(registry_contract, keeps_a_server_that_died_on_the_list) {
    this->in.expect(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    this->in.add("b", 6);
    const auto epoch = a.list().now()->epoch;
    ASSERT_TRUE(this->in.runs_until([&] { return a.text() == fmt::format("{}: a@5 b@6", epoch); }));
    this->in.kill("b");
    ASSERT_TRUE(this->in.runs_until([&] { return a.text() == fmt::format("{}: a@5 b-", epoch); }));
    EXPECT_TRUE(this->in.runs_until([&] {
        return !a.hears.heard.empty() && a.hears.heard.back() == fmt::format("{}: a@5 b-", epoch);
    })) << "the listener was not told";
}

TYPED_TEST(registry_contract, counts_the_epoch_up_when_the_expected_list_changes) {
    this->in.expect(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    this->in.add("b", 6);
    const auto epoch = a.list().now()->epoch;
    ASSERT_TRUE(this->in.all_say(fmt::format("{}: a@5 b@6", epoch)));
    this->in.expect(records({"c", "a", "b"}));
    ASSERT_TRUE(this->in.all_say(fmt::format("{}: a@5 b@6 c-", epoch + 1)));
    this->in.add("c", 7);
    ASSERT_TRUE(
        this->in.runs_until([&] { return a.text() == fmt::format("{}: a@5 b@6 c@7", epoch + 1); }));
    this->in.remove("c");
    this->in.expect(records({"a", "b"}));
    ASSERT_TRUE(this->in.all_say(fmt::format("{}: a@5 b@6", epoch + 2)));
}

TYPED_TEST(registry_contract, keeps_the_epoch_when_the_same_list_is_given_again) {
    this->in.expect(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    const auto before = a.text();
    this->in.expect(records({"b", "a"}));
    this->in.runs_until([n = 0]() mutable { return ++n > 5; });
    EXPECT_EQ(a.text(), before);
}

TYPED_TEST(registry_contract, counts_another_record_of_the_same_id_as_a_change) {
    this->in.expect(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    const auto epoch = a.list().now()->epoch;
    auto changed = records({"a", "b"});
    changed[1].client_port = 3051;
    this->in.expect(changed);
    EXPECT_EQ(a.list().now()->epoch, epoch + 1);
    EXPECT_EQ(a.list().now()->find("b")->client_port, 3051);
    EXPECT_TRUE(a.list().now()->find("a")->is_up);
}

TYPED_TEST(registry_contract, keeps_an_old_view_as_it_was) {
    this->in.expect(records({"a", "b"}));
    auto& a = this->in.add("a", 5);
    const auto old = a.list().now();
    const auto text = text_of(*old);
    this->in.add("b", 6);
    ASSERT_TRUE(this->in.runs_until([&] { return a.list().now() != old; }));
    EXPECT_EQ(text_of(*old), text);
}

TYPED_TEST(registry_contract, refuses_an_id_that_is_registered) {
    this->in.expect(records({"a"}));
    this->in.add("a", 5);
    auto second = this->in.make("a", 6);
    const auto started = second->start(record("a"));
    ASSERT_TRUE(started.has_error());
    EXPECT_EQ(started.error().code(), errc::duplicate);
}

TYPED_TEST(registry_contract, tells_nothing_after_it_was_stopped) {
    this->in.expect(records({"a", "b"}));
    this->in.add("a", 5);
    const auto [a, heard] = this->in.stop("a");
    EXPECT_EQ(a->hears.heard, heard);
}

} // namespace shaddock::contract
