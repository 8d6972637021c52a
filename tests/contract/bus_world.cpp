#include "bus_world.hpp"

#include "bus/direct.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace shaddock::contract {

namespace {

std::string brief(std::string_view bytes) {
    return bytes.size() <= 40 ? std::string(bytes) : fmt::format("({} bytes)", bytes.size());
}

std::string_view name_of(bus::link_end why) {
    switch (why) {
    case bus::link_end::lost:
        return "lost";
    case bus::link_end::dead:
        return "dead";
    case bus::link_end::bye:
        return "bye";
    case bus::link_end::stopped:
        return "stopped";
    }
    return "?";
}

std::string text_of(const bus::peer& who) {
    return fmt::format("{}@{}", who.id, number(who.life));
}

class local_victim final : public victim {
public:
    local_victim(local_world& in, std::string id) : in_(in), id_(std::move(id)) {}
    void kill() override { in_.network.kill(id_); }
    void freeze() override { in_.network.freeze(id_); }
    void thaw() override { in_.network.thaw(id_); }

private:
    local_world& in_;
    std::string id_;
};

class process_victim final : public victim {
public:
    explicit process_victim(pid_t pid) : pid_(pid) {}
    ~process_victim() override { process_victim::kill(); }
    void kill() override {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
            pid_ = 0;
        }
    }
    void freeze() override { ::kill(pid_, SIGSTOP); }
    void thaw() override { ::kill(pid_, SIGCONT); }

private:
    pid_t pid_;
};

/// The life of a victim's process, until it is killed.
[[noreturn]] void serve_until_killed(const bus::direct_options& options,
                                     std::vector<std::string> peers) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Links and locks of the parent's servers must end with the parent's.
    ::close_range(3, ~0U, 0);
    boost::asio::io_context io;
    base::steady_clock clock(io.get_executor());
    base::random random(2);
    server self(bus::make_direct(io.get_executor(), clock, random, options));
    if (self.start(std::move(peers))) {
        io.run();
    }
    ::_exit(1);
}

} // namespace

void server::on_call(const bus::peer& from, bus::envelope_view call, bus::responder answer) {
    note(fmt::format("call {} {} {}", from.id, call.kind, brief(call.bytes)), call.may_be_old);
    switch (call.kind) {
    case echo:
        answer.reply(std::string(call.bytes));
        return;
    case never:
        kept.push_back(std::move(answer));
        return;
    case fail:
        answer.reply(error(errc::application, std::string(call.bytes), 1234));
        return;
    case pid:
        answer.reply(std::to_string(::getpid()));
        return;
    default:
        return;
    }
}

void server::on_cast(const bus::peer& from, bus::envelope_view cast) {
    note(fmt::format("cast {} {} {}", from.id, cast.kind, brief(cast.bytes)), cast.may_be_old);
}

void server::on_link_up(const bus::peer& with) {
    note("up " + text_of(with));
}

void server::on_link_down(const bus::peer& with, bus::link_end why) {
    note(fmt::format("down {} {}", text_of(with), name_of(why)));
}

void server::on_dead(const bus::peer& gone) {
    note("dead " + text_of(gone));
}

std::vector<std::string> server::link_news() const {
    std::vector<std::string> news;
    for (const auto& line : heard) {
        if (!line.starts_with("c")) {
            news.push_back(line);
        }
    }
    return news;
}

bool server::has_heard(std::string_view what) const {
    return std::find(heard.begin(), heard.end(), what) != heard.end();
}

void server::note(std::string what, bool may_be_old) {
    if (may_be_old) {
        old.push_back(what);
    }
    heard.push_back(std::move(what));
    if (on_event) {
        const auto line = heard.back();
        on_event(line);
    }
}

world::world() : clock(io.get_executor()) {}

server& world::add(std::string id, std::uint64_t life, limits with) {
    servers_.push_back(
        std::make_unique<server>(make(std::move(id), static_cast<incarnation>(life), with)));
    return *servers_.back();
}

void world::remove(server& gone) {
    if (!gone.is_stopping()) {
        gone.stop();
    }
    EXPECT_TRUE(runs_until([&] { return gone.is_stopped(); }));
    std::erase_if(servers_, [&](const auto& one) { return one.get() == &gone; });
}

bool world::runs_until(const std::function<bool()>& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!is_so()) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        io.restart();
        io.run_one_for(10ms);
    }
    return true;
}

void world::runs_for(std::chrono::milliseconds time) {
    io.restart();
    io.run_for(time);
}

void world::link(server& one, std::string_view other) {
    ASSERT_TRUE(runs_until([&] { return one.links().is_linked(other); }));
}

void world::stop_all() {
    for (const auto& one : servers_) {
        one->on_event = nullptr; // what it refers to may be gone
        if (!one->is_stopping()) {
            one->stop();
        }
    }
    EXPECT_TRUE(runs_until([this] {
        return std::all_of(servers_.begin(), servers_.end(),
                           [](const auto& one) { return one->is_stopped(); });
    }));
    servers_.clear();
}

std::unique_ptr<bus::bus> local_world::make(std::string id, incarnation life, limits with) {
    return bus::make_local(io.get_executor(), clock, network, std::move(id), life,
                           {with.queue_limit, with.frame_limit, with.versions});
}

std::unique_ptr<victim> local_world::add_victim(std::string id, std::uint64_t life,
                                                std::vector<std::string> peers) {
    EXPECT_TRUE(add(id, life).start(std::move(peers)));
    return std::make_unique<local_victim>(*this, std::move(id));
}

std::unique_ptr<victim> make_victim_of(pid_t pid) {
    return std::make_unique<process_victim>(pid);
}

direct_world::direct_world() {
    auto pattern = (std::filesystem::temp_directory_path() / "bus-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("cannot make a folder like " + pattern);
    }
    folder = pattern;
}

direct_world::~direct_world() {
    stop_all();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
}

std::unique_ptr<bus::bus> direct_world::make(std::string id, incarnation life, limits with) {
    bus::direct_options options;
    options.run_folder = folder;
    options.id = std::move(id);
    options.life = life;
    options.queue_limit = with.queue_limit;
    options.frame_limit = with.frame_limit;
    options.heartbeat = with.heartbeat;
    options.silence = with.silence;
    options.declares_dead = with.declares_dead;
    options.versions = with.versions;
    return bus::make_direct(io.get_executor(), clock, random, std::move(options));
}

std::unique_ptr<victim> direct_world::add_victim(std::string id, std::uint64_t life,
                                                 std::vector<std::string> peers) {
    bus::direct_options options;
    options.run_folder = folder;
    options.id = std::move(id);
    options.life = static_cast<incarnation>(life);
    const auto pid = ::fork();
    if (pid == 0) {
        serve_until_killed(options, std::move(peers));
    }
    EXPECT_GT(pid, 0);
    return make_victim_of(pid);
}

std::shared_ptr<outcome> call(world& in, server& from, std::string_view to, std::uint8_t kind,
                              std::string_view bytes, std::chrono::milliseconds timeout) {
    auto result_of = std::make_shared<outcome>();
    from.links().call(to, {kind, bytes}, in.clock.now() + timeout,
                      [result_of](result<std::string> what) {
                          ++result_of->times;
                          result_of->what = std::move(what);
                      });
    EXPECT_EQ(result_of->times, 0) << "completed inline";
    return result_of;
}

} // namespace shaddock::contract
