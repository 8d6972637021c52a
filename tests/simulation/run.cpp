#include "run.hpp"

#include "check/log_file.hpp"
#include "cluster.hpp"
#include "user.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <sstream>

namespace shaddock::simulation {

namespace {

constexpr std::string_view words[faults_count] = {"kill_chat",
                                                  "kill_connector",
                                                  "kill_gate",
                                                  "kill_pair",
                                                  "freeze",
                                                  "freeze_long",
                                                  "cut",
                                                  "cut_long",
                                                  "delay",
                                                  "restart_chat",
                                                  "restart_connector",
                                                  "clock_back",
                                                  "stall",
                                                  "kill_master",
                                                  "add",
                                                  "stop",
                                                  "remove",
                                                  "reload",
                                                  "add_frontend",
                                                  "stop_frontend",
                                                  "remove_frontend",
                                                  "cut_master"};

/// From the end of a fault to where all rules hold again.
constexpr duration recovery = 2s;
/// A client's connection that is closed takes at most so long to be noticed.
constexpr duration grace = 300ms;

bench::nanoseconds ns(time_point t) {
    return std::chrono::nanoseconds(t.time_since_epoch()).count();
}

class scenario {
public:
    explicit scenario(const run_options& options)
        : options_(options), in_(options.seed),
          servers_(in_, shape()), stage_{servers_, log_, rooms_,
                                         in_.chance.between(20ms, 200ms) *
                                             static_cast<int>(1 + in_.chance.below(6))} {
        const auto count = 4 + static_cast<int>(in_.chance.below(6));
        for (int i = 0; i < count; ++i) {
            users_.emplace_back(stage_, i);
        }
    }

    run_result go() {
        begin();
        const auto end = in_.now() + std::chrono::seconds(options_.seconds);
        while (in_.now() < end) {
            in_.run(std::max(in_.now(), over_) + in_.chance.between(500ms, 4s));
            for (int count = in_.chance.chance(0.3) ? 2 : 1; count > 0 && !options_.faults.empty();
                 --count) {
                // In the middle of something, mostly.
                if (in_.chance.chance(0.7)) {
                    stage_.on_move = [this] {
                        in_.after(in_.chance.between(0ms, 4ms), [this] { strike(); });
                    };
                } else {
                    strike();
                }
                in_.run_for(in_.chance.between(1ms, 2s));
            }
        }
        calm_down();
        finish();
        return std::move(result_);
    }

private:
    cluster::shape shape() {
        rooms_ = 1 + static_cast<int>(in_.chance.below(4));
        return {1, 2 + static_cast<int>(in_.chance.below(2)),
                1 + static_cast<int>(in_.chance.below(3)), options_.has_leases};
    }

    void begin() {
        for (int i = 0; i < 100 && !servers_.is_whole(); ++i) {
            in_.run_for(100ms);
        }
        if (!servers_.is_whole()) {
            throw std::runtime_error("the servers do not link");
        }
        for (auto& each : users_) {
            in_.after(in_.chance.between(0ms, 1s), [&each] { each.begin(); });
        }
    }

    /// All faults are over: after a while all is whole, and stays so.
    void calm_down() {
        in_.run(std::max(in_.now(), over_) + 5s);
        stage_.is_open = false;
        stage_.on_move = nullptr;
        in_.run_for(12s); // longer than any call waits
        compare();
        stage_.lets_in = false;
        for (auto& each : users_) {
            each.depart();
        }
        in_.run_for(2s);
        compare();
    }

    void finish() {
        servers_.stop();
        bench::check_options rules;
        rules.leave_grace = std::chrono::nanoseconds(grace).count();
        rules.troubles = troubles();
        result_.report = bench::check(log_, rules);
        result_.simulated_s = std::chrono::duration<double>(in_.since_start()).count();
        result_.hash = hash();
        if (!result_.is_clean()) {
            std::ostringstream out;
            bench::write_log(log_, out);
            result_.log = out.str();
        }
    }

    // ---- faults ----

    using names = std::vector<std::string>;
    struct harm {
        time_point from{};
        time_point to{};
        bool is_told = false;
        /// The link between them is slow.
        bool is_slow = false;
        names ids;
    };

    /// `hurt`: at which servers messages may be lost.
    void trouble(duration span, bool is_told, names hurt, std::string text) {
        const auto from = in_.now();
        over_ = std::max(over_, from + span);
        hurts_.push_back(
            {from, from + span, is_told && options_.leaves_are_told, false, std::move(hurt)});
        note(std::move(text));
    }
    void note(const std::string& text) {
        result_.faults.push_back(fmt::format("{:10.6f} s {}", seconds(in_.since_start()), text));
    }
    /// As the checker takes them, now that all lists are known.
    std::vector<bench::trouble> troubles() const {
        std::vector<bench::trouble> made;
        for (auto each : hurts_) {
            if (each.is_slow && !has_change(each)) {
                each.ids.clear();
            }
            bench::hurt_ones only;
            const auto is_hurt = [&](const std::string& id) {
                return std::ranges::count(each.ids, id) > 0;
            };
            for (int i = 0; i < rooms_; ++i) {
                const auto room = fmt::format("r{}", i);
                if (std::ranges::any_of(servers_.owners_of(room, each.from - 1s, each.to + 1s),
                                        is_hurt)) {
                    only.rooms.push_back(room);
                }
            }
            std::ranges::copy_if(each.ids, std::back_inserter(only.frontends),
                                 [](const auto& id) { return !id.starts_with("chat"); });
            made.push_back({ns(each.from), ns(each.to), each.is_told, std::move(only)});
        }
        return made;
    }
    /// A link that is slower than a move or a stop waits for may lose what it carries meanwhile.
    bool has_change(const harm& slow) const {
        return servers_.has_list_changed(slow.from - 1s, slow.to + 1s) ||
               std::ranges::any_of(restarts_, [&](time_point each) {
                   return slow.from - 1s <= each && each <= slow.to + 1s;
               });
    }
    static double seconds(duration span) { return std::chrono::duration<double>(span).count(); }
    const std::string& any(std::string_view type = {}) {
        std::vector<const std::string*> fit;
        for (const auto& id : servers_.ids()) {
            if (type.empty() || id.starts_with(type)) {
                fit.push_back(&id);
            }
        }
        return *fit[in_.chance.below(fit.size())];
    }
    std::pair<std::string, std::string> any_pair() {
        std::pair<std::string, std::string> two{any(), any()};
        while (two.first == two.second) {
            two.second = any();
        }
        return two;
    }

    void strike() { strike(options_.faults[in_.chance.below(options_.faults.size())]); }
    void strike(fault kind) {
        switch (kind) {
        case fault::kill_chat:
            return kill(any("chat"), true);
        case fault::kill_connector:
            return kill(any("connector"), false);
        case fault::kill_gate:
            return kill(any("gate"), true);
        case fault::kill_pair: {
            const auto two = any_pair();
            kill(two.first, false);
            return kill(two.second, false);
        }
        case fault::freeze:
            return freeze(in_.chance.between(20ms, 3500ms));
        case fault::freeze_long:
            return freeze(in_.chance.between(3500ms, 9s));
        case fault::cut:
            return cut(in_.chance.between(0ms, 3s));
        case fault::cut_long:
            return cut(in_.chance.between(4500ms, 9s));
        case fault::delay:
            return delay();
        case fault::restart_chat:
            return restart(any("chat"));
        case fault::restart_connector:
            return restart(any("connector"));
        case fault::clock_back: {
            const auto span = in_.chance.between(0s, 1h);
            in_.wall_offset -= span;
            note(fmt::format("the date goes back by {:.3f} s", seconds(span)));
            return kill(any("chat"), true);
        }
        case fault::stall:
            return stall();
        case fault::kill_master:
            return kill_master();
        case fault::add:
            return change("add", servers_.add("chat"));
        case fault::stop:
            return change("stop", servers_.take_out("chat", false));
        case fault::remove:
            return change("remove", servers_.take_out("chat", true));
        case fault::add_frontend:
            return change("add", servers_.add(some_frontend()));
        case fault::stop_frontend:
            return take_out_frontend("stop", false);
        case fault::remove_frontend:
            return take_out_frontend("remove", true);
        case fault::cut_master: {
            const auto& id = any();
            const auto span = in_.chance.between(0s, 9s);
            note(fmt::format("cut {} from the master for {:.3f} s", id, seconds(span)));
            return servers_.cut_master(id, span);
        }
        case fault::reload: {
            const auto& id = any();
            note("reload " + id);
            return servers_.reload(id);
        }
        }
    }
    void change(std::string_view what, const std::string& id) {
        if (!id.empty()) {
            note(fmt::format("{} {}", what, id));
        }
    }
    std::string_view some_frontend() { return in_.chance.chance(0.3) ? "gate" : "connector"; }
    /// Its clients are sent away, and come back by a gate.
    void take_out_frontend(std::string_view what, bool is_forgotten) {
        if (const auto id = servers_.take_out(some_frontend(), is_forgotten); !id.empty()) {
            // As a restart: it stops within `drain_timeout`.
            trouble(7s + recovery, false, {}, fmt::format("{} {}", what, id));
            restarts_.push_back(in_.now());
        }
    }
    void kill(const std::string& id, bool is_told) {
        const auto away = in_.chance.between(50ms, 1s);
        trouble(std::max(away, servers_.master_is_away_for()) + recovery, is_told, {id},
                fmt::format("kill {} for {:.3f} s", id, seconds(away)));
        servers_.kill(id, away);
    }
    void stall() {
        const auto& id = any();
        const auto away = in_.chance.between(0ms, 50ms);
        const auto master = servers_.master_is_away_for();
        trouble(cluster::silence + 300ms + away + (master > 0s ? master + cluster::silence : 0s) +
                    recovery,
                false, {id}, fmt::format("stall {}", id));
        servers_.stall(id, away);
    }
    /// All serve on; only who is down or stands still stays so for longer.
    void kill_master() {
        const auto away = in_.chance.between(50ms, 3s);
        names down;
        for (const auto& id : servers_.ids()) {
            if (!servers_.is_ready(id) || servers_.is_frozen(id)) {
                down.push_back(id);
            }
        }
        auto text = fmt::format("kill the master for {:.3f} s", seconds(away));
        if (down.empty()) {
            note(std::move(text));
        } else {
            trouble(away + cluster::silence + recovery, false, std::move(down), std::move(text));
        }
        servers_.kill_master(away);
    }
    void freeze(duration span) {
        const auto& id = any();
        // One that is about to stop goes on with that later.
        const auto rest = servers_.is_ready(id) ? duration(0) : duration(6s);
        trouble(span + rest + recovery, false, {id},
                fmt::format("freeze {} for {:.3f} s", id, seconds(span)));
        servers_.freeze(id, span);
    }
    void cut(duration span) {
        const auto two = any_pair();
        trouble(span + recovery, false, {two.first, two.second},
                fmt::format("cut {} and {} for {:.3f} s", two.first, two.second, seconds(span)));
        servers_.between.cut(two.first, two.second);
        in_.after(span, [this, two] { servers_.between.mend(two.first, two.second); });
    }
    void delay() {
        const auto two = any_pair();
        const auto most = in_.chance.between(1ms, 800ms);
        const auto span = in_.chance.between(100ms, 5s);
        trouble(span + most + recovery, false, {two.first, two.second},
                fmt::format("delay {} and {} by {:.3f} s for {:.3f} s", two.first, two.second,
                            seconds(most), seconds(span)));
        hurts_.back().is_slow = true;
        servers_.between.delay(two.first, two.second, most);
        in_.after(span, [this, two] { servers_.between.delay(two.first, two.second, 0ms); });
    }
    void restart(const std::string& id) {
        if (servers_.is_frozen(id)) {
            return kill(id, false);
        }
        if (servers_.master_is_away_for() > 0s) {
            return;
        }
        const auto away = in_.chance.between(50ms, 1s);
        // It stops within `drain_timeout`.
        trouble(away + 6s + recovery, id.starts_with("chat"), {},
                fmt::format("restart {}, away for {:.3f} s", id, seconds(away)));
        restarts_.push_back(in_.now());
        servers_.restart(id, away);
    }

    // ---- what the servers say ----

    void compare() {
        if (!servers_.is_whole()) {
            result_.differences.emplace_back("not all servers are linked");
            return;
        }
        std::map<std::string, std::size_t> believed;
        for (auto& each : users_) {
            if (!each.room().empty()) {
                ++believed[servers_.chat_of(each.room())];
            }
            if (stage_.lets_in && !each.is_settled()) {
                result_.differences.push_back(
                    fmt::format("user {} is in no room", &each - &users_[0]));
            }
        }
        for (const auto& id : servers_.ids()) {
            const auto now = servers_.status(id);
            if (id.starts_with("chat") && now.members != believed[id]) {
                result_.differences.push_back(
                    fmt::format("at {:.3f} s {} has {} members, and {} clients believe to be there",
                                seconds(in_.since_start()), id, now.members, believed[id]));
            }
            if (!stage_.lets_in && now.sessions + now.channels + now.requests_in_flight != 0) {
                result_.differences.push_back(
                    fmt::format("{} is left with {} sessions, {} channels and {} requests", id,
                                now.sessions, now.channels, now.requests_in_flight));
            }
        }
    }

    std::uint64_t hash() const {
        std::uint64_t made = 14695981039346656037U;
        const auto add = [&](std::uint64_t value) {
            for (int i = 0; i < 8; ++i) {
                made = (made ^ (value >> (8 * i) & 0xff)) * 1099511628211U;
            }
        };
        for (const auto& seen : log_.events()) {
            add(static_cast<std::uint64_t>(seen.t));
            add(std::uint64_t{seen.client} << 32 | seen.kind_bits);
            add(std::uint64_t{seen.a} << 32 | seen.b);
            add(seen.c);
        }
        add(in_.events());
        return made;
    }

    const run_options& options_;
    world in_;
    bench::history log_;
    int rooms_ = 1;
    cluster servers_;
    stage stage_;
    std::deque<user> users_;
    std::vector<harm> hurts_;
    std::vector<time_point> restarts_;
    time_point over_{};
    run_result result_;
};

} // namespace

std::string_view to_string(fault kind) {
    return words[static_cast<std::size_t>(kind)];
}

run_result run(const run_options& options) {
    return scenario(options).go();
}

} // namespace shaddock::simulation
