#pragma once

#include "base/clock.hpp"
#include "bus/direct.hpp"
#include "bus/local.hpp"
#include "cluster/direct.hpp"
#include "cluster/local.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>

/// Servers of one test and the registry of each.
namespace shaddock::contract {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

inline door::server_info record(std::string id, std::string type = "chat") {
    door::server_info server;
    server.id = std::move(id);
    server.type = std::move(type);
    server.host = "127.0.0.1";
    server.record_json = fmt::format(R"({{"id":"{}"}})", server.id);
    return server;
}

inline std::vector<door::server_info> records(const lines& ids) {
    std::vector<door::server_info> all;
    for (const auto& id : ids) {
        all.push_back(record(id));
    }
    return all;
}

/// `1: a@5 b- d@8~ (c@7)` : epoch, each id with its incarnation if it is up, a mark if it leaves,
/// guests in brackets.
inline std::string text_of(const cluster::view& list) {
    const auto text_of_one = [](const door::server_info& server) {
        return (server.is_up ? fmt::format("{}@{}", server.id, number(server.life))
                             : fmt::format("{}-", server.id)) +
               (server.is_leaving ? "~" : "");
    };
    auto text = fmt::format("{}:", list.epoch);
    for (const auto& server : list.servers) {
        text += " " + text_of_one(server);
    }
    for (const auto& guest : list.guests) {
        text += fmt::format(" ({})", text_of_one(guest));
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
    /// What the list is when the first member comes, as epoch 1.
    virtual void begin_with(std::vector<door::server_info> servers) = 0;
    /// Dies without deregistering.
    virtual void kill(const std::string& id) = 0;

    member& add(const std::string& id, std::uint64_t life = 1) {
        auto made = make(id, life);
        auto self = record(id);
        self.life = static_cast<incarnation>(life);
        EXPECT_TRUE(made->start(self)) << id;
        return *(members_[id] = std::move(made));
    }
    /// Proposes through the registry of `by`; gives what it answers: `taken 2: a@5`, `late 3: ..`.
    std::string propose(member& by, std::vector<door::server_info> servers, std::uint64_t epoch) {
        std::string answer;
        by.list().propose(std::move(servers), epoch, [&](result<cluster::proposal> made) {
            ASSERT_TRUE(made) << made.error().text();
            answer = fmt::format("{} {}", made->is_taken ? "taken" : "late", made->now->epoch);
        });
        EXPECT_EQ(answer, "") << "answered inline";
        EXPECT_TRUE(runs_until([&] { return !answer.empty(); }));
        return answer;
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
    static const char* name() { return "local"; }
    ~local_world() override { stop_all(); }
    std::unique_ptr<member> make(std::string, std::uint64_t) override {
        return std::make_unique<local_member>(*this);
    }
    void begin_with(std::vector<door::server_info> servers) override {
        directory_.emplace(std::move(servers));
    }
    void kill(const std::string& id) override { directory_->kill(id); }

private:
    class local_member final : public member {
    public:
        explicit local_member(local_world& in)
            : list_(cluster::make_local_registry(in.io.get_executor(), *in.directory_)) {}
        cluster::registry& list() override { return *list_; }
        result<void> start(const door::server_info& self) override {
            return list_->start(self, hears);
        }
        void stop(base::unique_function<void()> done) override { list_->stop(std::move(done)); }

    private:
        std::unique_ptr<cluster::registry> list_;
    };
    std::optional<cluster::local_directory> directory_;
};

/// The list of a system with a master, without one: all members ask it, and are told.
class keeper final : public cluster::list_keeper {
public:
    explicit keeper(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}
    void propose(std::vector<door::server_info> servers, std::uint64_t epoch,
                 cluster::proposed_call done) override {
        cluster::proposal made{epoch == now.epoch, nullptr};
        if (made.is_taken) {
            auto next = std::move(servers);
            std::ranges::sort(next, {}, &door::server_info::id);
            const bool is_same = std::ranges::equal(next, now.servers, [](auto& a, auto& b) {
                return a.id == b.id && a.client_port == b.client_port &&
                       a.is_leaving == b.is_leaving;
            });
            for (const auto& each : now.servers) {
                if (std::ranges::find(next, each.id, &door::server_info::id) == next.end()) {
                    now.guests.push_back(each);
                }
            }
            std::erase_if(now.guests, [&](const auto& each) {
                return std::ranges::find(next, each.id, &door::server_info::id) != next.end();
            });
            now.servers = std::move(next);
            now.epoch += is_same ? 0 : 1;
            tell();
        }
        made.now = std::make_shared<cluster::view>(now);
        boost::asio::post(executor_, [made, done = std::move(done)]() mutable { done(made); });
    }
    cluster::view now{1, {}, {}};
    std::function<void()> tell;

private:
    boost::asio::any_io_executor executor_;
};

/// The registry that follows the links of a bus, on the bus of one process (so that tests can kill)
/// or on sockets.
template <bool IsOnSockets>
class links_world final : public world {
public:
    static const char* name() { return IsOnSockets ? "direct" : "links_in_memory"; }
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
    void begin_with(std::vector<door::server_info> servers) override {
        keeper_.now.servers = std::move(servers);
        keeper_.tell = [this] {
            for (const auto& [id, one] : members_) {
                static_cast<links_member&>(*one).take(keeper_.now);
            }
        };
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
              list_(cluster::make_direct_registry(in.io.get_executor(), *links_, in.keeper_.now,
                                                  &in.keeper_)) {}
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
        void take(const cluster::view& now) { list_->take(now); }

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
    keeper keeper_{this->io.get_executor()};
};

using direct_world = links_world<true>;
using linked_world = links_world<false>;

} // namespace shaddock::contract
