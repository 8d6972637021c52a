#pragma once

#include "client.hpp"
#include "plugin_door.hpp"

#include "base/clock.hpp"
#include "bus/local.hpp"
#include "cluster/local.hpp"
#include "protocol/message.hpp"
#include "server/server.hpp"

#include <boost/asio/io_context.hpp>
#include <shaddock/dispatch.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Many servers in one process on one loop, with the real plugins and real client connections over
/// loopback.
namespace shaddock::cluster_test {

/// What a client hears of every failure.
inline constexpr auto failed = R"({"code":500})";

using namespace std::chrono_literals;

using test::door_of;

/// One server with what it runs on. Killed: it stays, but hears and says nothing on the bus any
/// more.
struct running {
    std::unique_ptr<bus::bus> links;
    std::unique_ptr<cluster::registry> registry;
    std::unique_ptr<server::server> instance;
    std::optional<result<void>> started;
    bool is_stopped = false;
};

/// A client of the wire protocol; answers and pushes are kept until asked for.
struct chat_client {
    net::testing::client* link = nullptr;
    std::uint32_t next_id = 1;
    std::map<std::uint32_t, std::string> answers;
    /// `route body`, or `#code body`, in order.
    std::vector<std::string> pushes;
    std::vector<std::string> kicks;

    void sort() {
        while (!link->packages.empty()) {
            const auto package = std::move(link->packages.front());
            link->packages.pop_front();
            if (package.type == protocol::package_type::kick) {
                kicks.push_back(package.body);
            }
            if (package.type != protocol::package_type::data) {
                continue;
            }
            const auto message = protocol::decode_message(package.body).value();
            if (message.type == protocol::message_type::response) {
                EXPECT_FALSE(answers.contains(message.id)) << "answered twice: " << message.id;
                answers[message.id] = message.body;
            } else {
                const auto route = message.route_code == 0 ? std::string(message.route)
                                                           : fmt::format("#{}", message.route_code);
                pushes.push_back(route + " " + std::string(message.body));
            }
        }
    }
    std::uint32_t send(std::string_view route, std::string_view body,
                       protocol::message_type type = protocol::message_type::request) {
        std::string package;
        const auto id = type == protocol::message_type::request ? next_id++ : 0;
        (void)protocol::append_message_package(
            package, {.type = type, .id = id, .route = route, .body = body});
        link->write_frame(package);
        return id;
    }
    std::vector<std::string> take_pushes() { return std::exchange(pushes, {}); }
};

/// gate, connectors and chats as the default system has them; the clock is real, waits have
/// deadlines.
class system {
public:
    struct shape {
        int connectors = 2;
        int chats = 2;
        /// Further servers `probe-server-1`, ... with this door.
        const door::plugin_door* probe = nullptr;
        bool is_probe_frontend = false;
        int probes = 1;
        /// What each server speaks on the bus.
        std::function<bus::version_range(const std::string& id)> speaks = [](const auto&) {
            return bus::version_range();
        };
        /// Last word on the options of each server.
        std::function<void(server::server_options&)> adjust = [](server::server_options&) {};
    };

    explicit system(int connectors = 2, int chats = 2, const door::plugin_door* probe = nullptr)
        : system(shape{.connectors = connectors, .chats = chats, .probe = probe}) {}
    explicit system(shape wanted)
        : probe_(wanted.probe), speaks_(std::move(wanted.speaks)),
          adjust_(std::move(wanted.adjust)) {
        add_expected("gate", 1, true);
        add_expected("connector", wanted.connectors, true);
        add_expected("chat", wanted.chats, false);
        add_expected("probe", wanted.probe == nullptr ? 0 : wanted.probes,
                     wanted.is_probe_frontend);
        list_ = std::make_unique<cluster::local_directory>(expected_);
        for (const auto& each : expected_) {
            start(each.id);
        }
        EXPECT_TRUE(until([&] { return is_linked(); })) << "the links did not come up";
    }
    ~system() {
        for (auto& one : clients_) {
            one.link->drop();
        }
        for (auto& [id, one] : servers_) {
            if (!one.is_stopped) {
                stop(id);
            }
        }
        for (auto& one : killed_) {
            one->instance->stop("test over", [&one] { one->is_stopped = true; });
        }
        EXPECT_TRUE(until([&] {
            return std::all_of(servers_.begin(), servers_.end(),
                               [](const auto& each) { return each.second.is_stopped; }) &&
                   std::all_of(killed_.begin(), killed_.end(),
                               [](const auto& each) { return each->is_stopped; });
        })) << "a server did not stop";
    }

    /// Starts a server of the list, with a new incarnation.
    void start(const std::string& id) {
        auto self = *std::find_if(expected_.begin(), expected_.end(),
                                  [&](const auto& each) { return each.id == id; });
        self.life = incarnation{++lives_};
        self.is_up = true;
        auto& one = servers_[id];
        one = {};
        one.links = bus::make_local(loop.get_executor(), clock, network, id, self.life,
                                    {.versions = speaks_(id)});
        one.registry = cluster::make_local_registry(loop.get_executor(), *list_);
        server::server_options options;
        options.self = self;
        options.call_timeout = 2s;
        options.drain_timeout = 1s;
        if (self.is_frontend) {
            options.listener = net::listener_options{};
            options.listener->host = "127.0.0.1";
            options.listener->port = ports_[id];
        }
        adjust_(options);
        one.instance = std::make_unique<server::server>(loop.get_executor(), clock, *one.links,
                                                        *one.registry, options);
        const auto& door = self.type == "probe" ? *probe_ : door_of(self.type);
        one.instance->start({{&door, self.type + ".so"}},
                            [&one](result<void> outcome) { one.started = std::move(outcome); });
        ASSERT_TRUE(until([&] { return one.started.has_value(); })) << id;
        ASSERT_TRUE(*one.started) << id << ": " << one.started->error().text();
    }
    void begin_stop(const std::string& id, server::stop_pace pace = server::stop_pace::drains) {
        auto& one = servers_.at(id);
        one.instance->stop(
            "test", [&one] { one.is_stopped = true; }, pace);
    }
    bool is_stopped(const std::string& id) const { return servers_.at(id).is_stopped; }
    void stop(const std::string& id) {
        begin_stop(id);
        EXPECT_TRUE(until([&] { return is_stopped(id); })) << id;
    }
    /// The server dies: nobody hears a goodbye, its clients' connections break.
    void kill(const std::string& id) {
        network.kill(id);
        list_->kill(id);
        auto moved = std::make_unique<running>(std::move(servers_.at(id)));
        servers_.erase(id);
        killed_.push_back(std::move(moved));
    }

    /// As SIGSTOP and SIGCONT do to a server whose clients say nothing: what others tell it waits,
    /// and so does the list. It comes last.
    void freeze(const std::string& id) {
        network.freeze(id);
        list_->freeze(id);
    }
    void thaw(const std::string& id) {
        network.thaw(id);
        until([] { return false; }, 50ms);
        list_->thaw(id);
    }

    /// `by` takes that server for dead, though it lives.
    void declare_dead(const std::string& by, const std::string& id) {
        auto& links = *servers_.at(by).links;
        for (const auto& each : links.linked()) {
            if (each.id == id) {
                links.report_dead(each);
            }
        }
    }

    /// One more server of the type, which the list does not have yet; started.
    std::string add_guest(const std::string& type) {
        const auto count = std::ranges::count(expected_, type, &door::server_info::type);
        expected_.push_back(record(type, static_cast<int>(count) + 1));
        const auto id = expected_.back().id;
        start(id);
        EXPECT_TRUE(until([&] { return is_linked(); })) << id;
        return id;
    }
    /// Proposes the list of all that were ever started, but for these; and some leave. Gives its
    /// epoch.
    std::uint64_t propose_without(const std::vector<std::string>& out = {},
                                  const std::vector<std::string>& leaving = {}) {
        auto wanted = expected_;
        const auto is_of = [](const auto& ids, const auto& each) {
            return std::ranges::find(ids, each.id) != ids.end();
        };
        std::erase_if(wanted, [&](const auto& each) { return is_of(out, each); });
        for (auto& each : wanted) {
            each.is_leaving = is_of(leaving, each);
        }
        const auto made = list_->propose(std::move(wanted), list_->now()->epoch);
        EXPECT_TRUE(made.is_taken);
        return made.now->epoch;
    }
    bool is_settled() {
        return std::ranges::all_of(servers_, [this](const auto& each) {
            return each.second.is_stopped ||
                   each.second.instance->now().epoch == list_->now()->epoch;
        });
    }
    server::server& at(const std::string& id) { return *servers_.at(id).instance; }
    bool is_running(const std::string& id) const { return servers_.contains(id); }

    /// A connection on which nothing was said yet.
    net::testing::client& open(const std::string& frontend) {
        sockets_.push_back(std::make_unique<net::testing::client>(at(frontend).client_port()));
        auto& link = *sockets_.back();
        clients_.push_back({.link = &link, .next_id = 1, .answers = {}, .pushes = {}, .kicks = {}});
        link.write_upgrade();
        EXPECT_TRUE(until([&] { return link.is_upgraded; }));
        return link;
    }
    /// Shakes hands; gives the body of the answer.
    std::string shake(net::testing::client& link, std::string_view json) {
        link.write_package(protocol::package_type::handshake, json);
        EXPECT_TRUE(until([&] { return !link.packages.empty(); }));
        auto body = link.packages.front().body;
        link.packages.clear();
        return body;
    }
    /// A client whose handshake is done.
    chat_client& connect(const std::string& frontend,
                         std::string_view handshake = R"({"sys":{"type":"test","version":"1"}})") {
        auto& link = open(frontend);
        last_handshake = shake(link, handshake);
        return admit(frontend, link);
    }
    /// The last connection that was opened, its handshake answered, becomes a client.
    chat_client& admit(const std::string& frontend, net::testing::client& link) {
        const auto before = at(frontend).now().sessions;
        link.write_package(protocol::package_type::handshake_ack);
        EXPECT_TRUE(until([&] { return at(frontend).now().sessions > before; }));
        return clients_.back();
    }
    /// A client in a room, with the answer of enter.
    chat_client& enter(const std::string& frontend, const std::string& name,
                       const std::string& room) {
        auto& made = connect(frontend);
        last_enter = ask(made, "connector.entryHandler.enter",
                         fmt::format(R"({{"username":"{}","rid":"{}"}})", name, room));
        return made;
    }
    std::string ask(chat_client& who, std::string_view route, std::string_view body) {
        return answer(who, who.send(route, body));
    }
    std::string answer(chat_client& who, std::uint32_t id) {
        EXPECT_TRUE(until([&] { return who.answers.contains(id); }))
            << "no answer to request " << id;
        return who.answers[id];
    }
    std::string say(chat_client& who, std::string_view text, std::string_view target = "*") {
        return ask(who, "chat.chatHandler.send",
                   fmt::format(R"({{"content":"{}","target":"{}"}})", text, target));
    }
    /// Waits until the client has at least `count` pushes, then lets late ones come, and gives all.
    std::vector<std::string> pushes(chat_client& who, std::size_t count) {
        EXPECT_TRUE(until([&] { return who.pushes.size() >= count; }))
            << "got " << who.pushes.size() << " of " << count;
        settle();
        return who.take_pushes();
    }
    std::string chat_of(const std::string& room) const {
        return fmt::format("chat-server-{}",
                           dispatch_index(room, static_cast<std::size_t>(chats_)) + 1);
    }

    template <class Condition>
    bool until(Condition is_true, base::duration patience = 10s) {
        const auto limit = std::chrono::steady_clock::now() + patience;
        while (!is_true()) {
            if (std::chrono::steady_clock::now() > limit) {
                return false;
            }
            turn();
        }
        return true;
    }
    /// Until nothing has happened for a while: loopback and the loop deliver at once.
    void settle() {
        for (int quiet = 0; quiet < 5;) {
            quiet = turn() ? 0 : quiet + 1;
        }
    }

    boost::asio::io_context loop;
    base::steady_clock clock{loop.get_executor()};
    bus::local_network network;
    std::string last_enter;
    std::string last_handshake;

private:
    static door::server_info record(const std::string& type, int number) {
        door::server_info info;
        info.id = fmt::format("{}-server-{}", type, number);
        info.type = type;
        info.host = "127.0.0.1";
        info.record_json = "{}";
        return info;
    }
    void add_expected(const std::string& type, int count, bool is_frontend) {
        for (int i = 1; i <= count; ++i) {
            expected_.push_back(record(type, i));
            expected_.back().is_frontend = is_frontend;
        }
        chats_ = type == "chat" ? count : chats_;
    }
    bool is_linked() {
        return std::all_of(servers_.begin(), servers_.end(), [](const auto& each) {
            const auto now = each.second.instance->now();
            return now.links >= now.expected; // guests are more
        });
    }
    bool turn() {
        loop.restart();
        bool is_busy = loop.run_one_for(1ms) > 0;
        is_busy |= loop.poll() > 0;
        for (auto& one : clients_) {
            const auto before = one.link->bytes_read;
            one.link->read();
            is_busy |= one.link->bytes_read != before;
            if (one.link->is_upgraded && one.next_id != 0) {
                if (!one.link->packages.empty() &&
                    one.link->packages.front().type != protocol::package_type::handshake) {
                    one.sort();
                }
            }
        }
        return is_busy;
    }

    const door::plugin_door* probe_;
    std::function<bus::version_range(const std::string& id)> speaks_;
    std::function<void(server::server_options&)> adjust_;
    std::vector<door::server_info> expected_;
    std::map<std::string, std::uint16_t> ports_;
    std::unique_ptr<cluster::local_directory> list_;
    std::map<std::string, running> servers_;
    std::vector<std::unique_ptr<running>> killed_;
    std::vector<std::unique_ptr<net::testing::client>> sockets_;
    std::list<chat_client> clients_;
    std::uint64_t lives_ = 0;
    int chats_ = 0;
};

} // namespace shaddock::cluster_test
