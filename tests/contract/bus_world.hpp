#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "bus/bus.hpp"
#include "bus/local.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// What the contract suite runs on: servers of one test, made by one implementation of the bus.
namespace shaddock::contract {

using namespace std::chrono_literals;

/// What the servers of the tests do with a call, by its kind.
enum call_kind : std::uint8_t { echo = 1, never = 2, fail = 3, drop = 4, pid = 5 };

/// A server of a test: serves by `call_kind` and notes all it hears, in order.
class server final : public bus::receiver, public bus::link_observer {
public:
    explicit server(std::unique_ptr<bus::bus> links) : links_(std::move(links)) {
        links_->observe(*this);
    }

    bus::bus& links() { return *links_; }
    result<void> start(std::vector<std::string> peers) {
        auto started = links_->start(*this);
        links_->set_peers(std::move(peers));
        return started;
    }
    void stop() {
        is_stopping_ = true;
        links_->stop([this] { is_stopped_ = true; });
    }
    bool is_stopping() const { return is_stopping_; }
    bool is_stopped() const { return is_stopped_; }

    void on_call(const bus::peer& from, bus::envelope_view call, bus::responder answer) override;
    void on_cast(const bus::peer& from, bus::envelope_view cast) override;
    void on_read_up(const bus::peer& from) override { old.push_back("read up " + from.id); }
    void on_link_up(const bus::peer& with) override;
    void on_link_down(const bus::peer& with, bus::link_end why) override;
    void on_dead(const bus::peer& gone) override;
    void on_absent(std::string_view id) override { absent.emplace(id); }
    void on_reborn(const bus::peer& self) override {
        reborn = std::to_string(static_cast<std::uint64_t>(self.life));
    }

    /// Of what has come those that may be old, and `read up b`.
    std::vector<std::string> old;
    std::set<std::string, std::less<>> absent;
    /// Its incarnation, if it is not the first.
    std::string reborn;
    /// `up b@2`, `down b@2 lost`, `dead b@2`, `cast b 7 text`, `call b 1 text`; long texts are
    /// shortened to their length.
    std::vector<std::string> heard;
    /// The same without casts and calls.
    std::vector<std::string> link_news() const;
    bool has_heard(std::string_view what) const;
    std::vector<bus::responder> kept;
    /// Called first in each event, if set.
    std::function<void(const std::string&)> on_event;

private:
    void note(std::string what, bool may_be_old = false);

    std::unique_ptr<bus::bus> links_;
    bool is_stopping_ = false;
    bool is_stopped_ = false;
};

/// A server that can be killed without a goodbye. It serves as the others do.
class victim {
public:
    virtual ~victim() = default;
    virtual void kill() = 0;
    /// As SIGSTOP and SIGCONT do.
    virtual void freeze() = 0;
    virtual void thaw() = 0;
};

struct limits {
    std::size_t queue_limit = std::size_t{8} * 1024 * 1024;
    std::size_t frame_limit = std::size_t{16} * 1024 * 1024;
    /// Direct only.
    std::chrono::milliseconds heartbeat{1000};
    std::chrono::milliseconds silence{5000};
    bool declares_dead = true;
    bus::version_range versions{};
};

class world {
public:
    world();
    virtual ~world() = default;

    server& add(std::string id, std::uint64_t life = 1, limits with = {});
    /// Stopped and destroyed.
    void remove(server& gone);
    virtual std::unique_ptr<victim> add_victim(std::string id, std::uint64_t life,
                                               std::vector<std::string> peers) = 0;

    /// Long, for a machine that does much else meanwhile: it is waited for in vain only by a test
    /// that fails.
    static constexpr std::chrono::seconds patience{60};
    /// Runs the loop until it is so, at most `patience`; says whether it is.
    bool runs_until(const std::function<bool()>& is_so);
    /// Runs the loop for so long.
    void runs_for(std::chrono::milliseconds time);
    void link(server& one, std::string_view other);
    void stop_all();
    /// A bus for the test to own.
    virtual std::unique_ptr<bus::bus> make(std::string id, incarnation life, limits with) = 0;

    boost::asio::io_context io;
    base::steady_clock clock;
    base::random random{1};

protected:
    std::vector<std::unique_ptr<server>> servers_;
};

class local_world final : public world {
public:
    ~local_world() override { stop_all(); }
    std::unique_ptr<victim> add_victim(std::string id, std::uint64_t life,
                                       std::vector<std::string> peers) override;
    bus::local_network network;

protected:
    std::unique_ptr<bus::bus> make(std::string id, incarnation life, limits with) override;
};

/// A process that is a server of the other end.
std::unique_ptr<victim> make_victim_of(pid_t pid);

/// Victims are processes of their own.
class direct_world final : public world {
public:
    direct_world();
    ~direct_world() override;
    std::unique_ptr<victim> add_victim(std::string id, std::uint64_t life,
                                       std::vector<std::string> peers) override;
    std::filesystem::path folder;

protected:
    std::unique_ptr<bus::bus> make(std::string id, incarnation life, limits with) override;
};

/// The outcome of one call.
struct outcome {
    int times = 0;
    result<std::string> what = error(errc::internal, "nothing yet");
    bool is_done() const { return times > 0; }
    errc code() const { return what.has_error() ? what.error().code() : errc{}; }
};
std::shared_ptr<outcome> call(world& in, server& from, std::string_view to, std::uint8_t kind,
                              std::string_view bytes, std::chrono::milliseconds timeout = 10s);

template <class World>
class bus_contract : public testing::Test {
public:
    World in;
};
} // namespace shaddock::contract
