#pragma once

#include <shaddock/config_files.hpp>
#include <shaddock/door.hpp>
#include <shaddock/json.hpp>
#include <shaddock/testing/fake_channel.hpp>
#include <shaddock/testing/fake_clients.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace shaddock::testing {

/// A call or cast that the plugin made.
struct sent_call {
    std::string route;
    std::uint64_t contract = 0;
    std::string server_id;
    /// What it was routed by: the session's settings are not kept.
    std::string routed_by_text;
    std::optional<std::int64_t> routed_by_number;
    std::optional<session_ref> routed_by_session;
    std::string arguments;
    bool is_cast = false;

    /// The arguments read as a tuple. Throws the error of what does not fit.
    template <class... Args>
    std::tuple<Args...> as() const {
        return json::decode<std::tuple<Args...>>(arguments, route).value();
    }
};

/// A host for tests of a plugin: one loop that the test runs, time that stands still until
/// `advance`, everything recorded, every answer scripted. Completions come by post, as in the real
/// one. Thread: one.
class fake_host final : public door::host {
public:
    fake_host() {
        self_.id = "test-server-1";
        self_.type = "test";
        offer(config_files_);
    }
    /// Offers an extension of the test's own, in the place of one of the same name and version.
    /// It outlives this object.
    template <class T>
    void offer(T& service) {
        extensions_.offer(service);
    }

    // ---- what the test sets
    door::server_info self_;
    /// The whole cluster, sorted by id by the test.
    std::vector<door::server_info> cluster;
    /// Answers the calls of a route, with the result as JSON.
    std::map<std::string, std::function<result<std::string>(const sent_call&)>, std::less<>>
        answers;
    /// Answers a call whose route is not in `answers`; default: no_server.
    std::function<result<std::string>(const sent_call&)> on_call;
    /// True: calls wait for `answer_held`.
    bool holds_calls = false;
    /// Answers a change of a session; default: what `clients` says.
    std::function<result<void>(const sent_change&)> on_change;
    /// With what pushes are refused, as by a link that is overloaded:
    /// `error(errc::overloaded, "..")`. Refused ones are not in `pushes`.
    std::optional<error> push_refusal;
    /// Who is connected, wherever.
    fake_clients clients;
    /// True: blocking work waits for `run_blocking`. Else it runs with the loop, like a post.
    bool holds_blocking = false;
    /// What app::is_check says.
    bool checks = false;
    /// Text of `config/<name>.json`.
    std::map<std::string, std::string, std::less<>> files;

    // ---- what the test looks at
    std::vector<sent_call> calls;
    std::vector<sent_change> changes;
    std::vector<sent_push> pushes;
    std::vector<std::string> log_lines;
    std::map<std::string, std::string, std::less<>> settings;

    /// Runs all that is ready.
    void run() {
        loop_.restart();
        loop_.poll();
    }
    /// Moves time; what falls due runs in order.
    void advance(door::duration by) {
        const auto until = now_ + by;
        run();
        for (auto next = next_due(); next && *next <= until; next = next_due()) {
            now_ = std::max(now_, *next);
            fire_due();
            run();
        }
        now_ = until;
    }

    /// Ends the call that has waited longest; false when none waits.
    bool answer_held(result<std::string> answer) {
        if (held_calls_.empty()) {
            return false;
        }
        complete(std::move(held_calls_.front()), std::move(answer));
        held_calls_.pop_front();
        run();
        return true;
    }
    /// Runs the blocking work that waits, and what follows it; how many pieces there were.
    std::size_t run_blocking() {
        std::size_t count = 0;
        for (auto work = std::exchange(held_work_, {}); !work.empty(); ++count) {
            post(std::move(work.front().first));
            post(std::move(work.front().second));
            work.pop_front();
        }
        run();
        return count;
    }
    /// What the host does to a generation whose work is cancelled.
    void end_work() {
        for (auto& [number, told] : std::exchange(at_end_, {})) {
            told->run();
        }
        run();
    }
    /// Names of the timers that are set, sorted.
    std::vector<std::string> timers() const {
        std::vector<std::string> names;
        for (const auto& [name, unused] : timers_) {
            names.push_back(name);
        }
        return names;
    }

    // ---- door::host
    const door::server_info& self() const noexcept override { return self_; }
    door::server_list servers(std::string_view type) const noexcept override {
        auto list = std::make_shared<std::vector<door::server_info>>();
        std::ranges::copy_if(cluster, std::back_inserter(*list),
                             [&](const auto& one) { return one.type == type; });
        return list;
    }
    door::server_list all_servers() const noexcept override {
        return std::make_shared<std::vector<door::server_info>>(cluster);
    }
    bool is_check() const noexcept override { return checks; }
    boost::asio::any_io_executor executor() const noexcept override { return loop_.get_executor(); }
    bool is_on_loop() const noexcept override { return true; }
    void post(std::unique_ptr<door::task> work) noexcept override {
        boost::asio::post(loop_, [work = std::move(work)] { work->run(); });
    }
    void blocking(std::unique_ptr<door::task> work,
                  std::unique_ptr<door::task> after) noexcept override {
        if (holds_blocking) {
            held_work_.emplace_back(std::move(work), std::move(after));
            return;
        }
        post(std::move(work));
        post(std::move(after));
    }
    door::time_point now() const noexcept override { return now_; }
    void sleep(door::duration how_long, std::unique_ptr<door::completion> done) noexcept override {
        sleeping_.emplace(door::later(now_, how_long), std::move(done));
    }
    void set_timer(std::string_view name, door::duration first, door::duration period,
                   std::unique_ptr<door::timer_task> tick) noexcept override {
        timers_.insert_or_assign(std::string(name),
                                 timer{door::later(now_, first), period, now_,
                                       std::shared_ptr<door::timer_task>(std::move(tick))});
    }
    bool cancel_timer(std::string_view name) noexcept override {
        const auto found = timers_.find(name);
        if (found == timers_.end()) {
            return false;
        }
        timers_.erase(found);
        return true;
    }
    std::uint64_t at_end(std::unique_ptr<door::task> told) noexcept override {
        at_end_.emplace(++last_at_end_, std::move(told));
        return last_at_end_;
    }
    void forget_end(std::uint64_t number) noexcept override { at_end_.erase(number); }
    void call(std::string_view route, std::uint64_t contract, const door::call_target& to,
              door::body_view arguments, std::unique_ptr<door::completion> done) noexcept override {
        calls.push_back(record(route, contract, to, arguments));
        if (holds_calls) {
            held_calls_.push_back(std::move(done));
        } else {
            complete(std::move(done), answer_to(calls.back()));
        }
    }
    result<void> cast(std::string_view route, std::uint64_t contract, const door::call_target& to,
                      door::body_view arguments) noexcept override {
        calls.push_back(record(route, contract, to, arguments));
        calls.back().is_cast = true;
        return {};
    }
    door::channel* find_channel(std::string_view name) noexcept override {
        const auto found = channels_.find(name);
        return found == channels_.end() ? nullptr : &found->second;
    }
    door::channel* create_channel(std::string_view name) noexcept override {
        return &channels_.try_emplace(std::string(name), std::string(name), pushes, push_refusal)
                    .first->second;
    }
    void destroy_channel(std::string_view name) noexcept override {
        if (const auto found = channels_.find(name); found != channels_.end()) {
            channels_.erase(found);
        }
    }
    std::vector<std::string> channel_names() const override {
        std::vector<std::string> names;
        for (const auto& [name, unused] : channels_) {
            names.push_back(name);
        }
        return names;
    }
    void change_session(const session_ref& who, door::session_change change,
                        std::unique_ptr<door::completion> done) noexcept override {
        changes.push_back({who, std::move(change)});
        auto answer = on_change ? on_change(changes.back()) : clients.change(changes.back());
        complete(std::move(done), answer ? result<door::body>(door::body{})
                                         : result<door::body>(std::move(answer).error()));
    }
    void find_sessions(const session_ref& who,
                       std::unique_ptr<door::completion> done) noexcept override {
        complete(std::move(done),
                 door::body(found_sessions.empty() ? clients.find(who) : found_sessions));
    }
    /// What find_sessions answers: `[{"ref":{..},"settings":{..}}]`. Empty: those of `clients`.
    std::string found_sessions;
    void kick_uid(std::string_view uid, std::string_view reason,
                  std::unique_ptr<door::completion> done) noexcept override {
        changes.push_back({{.frontend = {}, .life = {}, .id = {}, .uid = std::string(uid)},
                           {.what = door::session_change::kind::kick,
                            .uid = {},
                            .settings = {},
                            .text = std::string(reason)}});
        const auto kicked = clients.kick(uid);
        complete(std::move(done), std::to_string(kicked));
    }
    result<void> push_to_sessions(std::string_view route, door::body_view message,
                                  std::span<const session_ref> to) noexcept override {
        if (push_refusal) {
            return *push_refusal;
        }
        pushes.push_back({{}, std::string(route), std::string(message), {to.begin(), to.end()}});
        return {};
    }
    result<void> broadcast(std::string_view frontend_type, std::string_view route,
                           door::body_view message, bool) noexcept override {
        if (push_refusal) {
            return *push_refusal;
        }
        pushes.push_back(
            {"* " + std::string(frontend_type), std::string(route), std::string(message), {}});
        return {};
    }
    std::vector<session_ref> local_sessions(std::string_view uid) const override {
        return clients.of_frontend(self_.id, uid);
    }
    std::optional<std::string> setting(std::string_view key) const override {
        const auto found = settings.find(key);
        return found == settings.end() ? std::nullopt : std::optional(found->second);
    }
    void set_setting(std::string_view key, std::string json) override {
        settings.insert_or_assign(std::string(key), std::move(json));
    }
    bool logs(door::log_level) const noexcept override { return true; }
    void log(door::log_level, std::string_view text) noexcept override {
        log_lines.emplace_back(text);
    }
    result<door::extension*> extension(std::string_view name,
                                       std::uint32_t version) noexcept override {
        return extensions_.find(name, version);
    }

private:
    struct files_of_the_test final : door::config_files {
        explicit files_of_the_test(const fake_host& of) : of_(of) {}
        result<door::config_text> read(std::string_view file) noexcept override {
            const auto path = "config/" + std::string(file) + ".json";
            const auto found = of_.files.find(file);
            if (found == of_.files.end()) {
                return error(errc::not_found, path + ": no such file");
            }
            return door::config_text{path, found->second, 0};
        }
        const fake_host& of_;
    };
    struct timer {
        door::time_point due;
        door::duration period;
        /// When it ran before, or was set.
        door::time_point ran;
        std::shared_ptr<door::timer_task> tick;
    };

    static sent_call record(std::string_view route, std::uint64_t contract,
                            const door::call_target& to, door::body_view arguments) {
        sent_call made;
        made.route = route;
        made.contract = contract;
        made.server_id = to.server_id;
        made.routed_by_text = to.param.text;
        made.routed_by_number = to.param.number;
        if (to.param.session != nullptr) {
            made.routed_by_session = to.param.session->ref;
        }
        made.arguments = arguments;
        return made;
    }
    result<std::string> answer_to(const sent_call& made) const {
        if (const auto found = answers.find(made.route); found != answers.end()) {
            return found->second(made);
        }
        return on_call ? on_call(made)
                       : result<std::string>(error(errc::no_server, "no server in this test"));
    }
    void complete(std::unique_ptr<door::completion> done, result<door::body> outcome) {
        boost::asio::post(loop_, [done = std::move(done), outcome = std::move(outcome)]() mutable {
            done->done(std::move(outcome));
        });
    }
    std::optional<door::time_point> next_due() const {
        std::optional<door::time_point> next;
        if (!sleeping_.empty()) {
            next = sleeping_.begin()->first;
        }
        for (const auto& [name, one] : timers_) {
            next = next ? std::min(*next, one.due) : one.due;
        }
        return next;
    }
    void fire_due() {
        while (!sleeping_.empty() && sleeping_.begin()->first <= now_) {
            complete(std::move(sleeping_.extract(sleeping_.begin()).mapped()), door::body{});
        }
        std::vector<std::pair<std::shared_ptr<door::timer_task>, door::duration>> due;
        for (auto it = timers_.begin(); it != timers_.end();) {
            if (it->second.due > now_) {
                ++it;
                continue;
            }
            due.emplace_back(it->second.tick, now_ - std::exchange(it->second.ran, now_));
            if (it->second.period.count() == 0) {
                it = timers_.erase(it);
            } else {
                it->second.due = door::later(it->second.due, it->second.period);
                ++it;
            }
        }
        for (const auto& [tick, since] : due) {
            tick->run(since);
        }
    }

    // First in, last out: a coroutine that is dropped while it waits is unwound through the loop.
    mutable boost::asio::io_context loop_;
    door::time_point now_{std::chrono::hours(1)};
    files_of_the_test config_files_{*this};
    door::extension_table extensions_;
    std::map<std::string, fake_channel, std::less<>> channels_;
    std::map<std::string, timer, std::less<>> timers_;
    std::multimap<door::time_point, std::unique_ptr<door::completion>> sleeping_;
    std::map<std::uint64_t, std::unique_ptr<door::task>> at_end_;
    std::uint64_t last_at_end_ = 0;
    std::deque<std::unique_ptr<door::completion>> held_calls_;
    std::deque<std::pair<std::unique_ptr<door::task>, std::unique_ptr<door::task>>> held_work_;
};

} // namespace shaddock::testing
