#include "plugin_host.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace shaddock::server {

namespace {

/// Pieces of blocking work that one generation may have under way.
constexpr std::size_t blocking_limit = 1024;
/// Sleeps and calls that end at once after the stop, for coroutines that try again a few times
/// before they give up.
constexpr std::size_t late_waits_limit = 1000;
constexpr auto gone = "this generation of the plugin has ended";

base::log::level translate(door::log_level at) {
    switch (at) {
    case door::log_level::debug:
        return base::log::level::debug;
    case door::log_level::info:
        return base::log::level::info;
    case door::log_level::warn:
        return base::log::level::warn;
    case door::log_level::error:
        break;
    }
    return base::log::level::error;
}

/// Counts down the answers of several frontends to one question.
struct tally {
    std::size_t waiting = 0;
    std::size_t sum = 0;
    base::unique_function<void(result<door::body>)> end;
};

} // namespace

plugin_host::plugin_host(host_parts parts)
    : parts_(std::move(parts)), work_(parts_.executor), loop_(std::this_thread::get_id()) {
    extensions_.offer(config_files_);
}

plugin_host::~plugin_host() {
    stop();
}

void plugin_host::stop() {
    alive_.end();
    timers_.clear();
    tell_end(at_end_);
    for (auto& [id, each] : std::exchange(sleepers_, {})) {
        each.wait.cancel();
        complete(std::move(each.ends), error(errc::cancelled, gone));
    }
    for (auto& [id, ends] : std::exchange(awaited_, {})) {
        complete(std::move(ends), error(errc::cancelled, gone));
    }
}

// What is told may forget others, or itself.
void plugin_host::tell_end(const std::weak_ptr<end_calls>& all) {
    if (const auto each = all.lock()) {
        while (!each->empty()) {
            each->extract(each->begin()).mapped()->run();
        }
    }
}

void plugin_host::discard() {
    alive_.end();
    // What waits on its own for the loop ends with it, unrun, while the objects are there.
    tell_end(at_end_);
    work_.discard();
    timers_.clear();
    // Their destructors may end up here again.
    const auto asleep = std::exchange(sleepers_, {});
    const auto awaited = std::exchange(awaited_, {});
    drop_sleepers();
}

void plugin_host::drop_sleepers() {
    // Their destructors may end up here again.
    const auto gone_now = std::exchange(asleep_for_ever_, {});
}

void plugin_host::begin_timers() {
    timers_are_ = timers_are::running;
    for (auto& [name, timer] : timers_) {
        arm(name, timer);
    }
}

void plugin_host::hold_timers() {
    timers_are_ = timers_are::waiting;
    for (auto& [name, timer] : timers_) {
        timer.wait.cancel();
    }
}

void plugin_host::take_over(plugin_host* old) {
    const auto now = parts_.clock.now();
    for (auto& [name, timer] : timers_) {
        timer.ran = now;
        timer.due = base::later(now, timer.first);
        if (old == nullptr) {
            continue;
        }
        if (const auto at = old->timers_.find(name); at != old->timers_.end()) {
            const auto& before = at->second;
            timer.ran = before.ran;
            if (before.first == timer.first && before.period == timer.period) {
                timer.due = before.due;
            }
        }
    }
    if (old != nullptr) {
        old->timers_are_ = timers_are::over;
        old->timers_.clear();
    }
    begin_timers();
}

base::unique_function<void(result<door::body>)>
plugin_host::await(std::unique_ptr<door::completion> done) {
    const auto id = next_awaited_++;
    awaited_.emplace(id, as_waiting(std::move(done)));
    // What awaits at the stop is ended by it.
    return alive_.guard([this, id](result<door::body> outcome) {
        if (const auto ended = awaited_.extract(id)) {
            const served_request::scope here(parts_.calls.serving(), ended.mapped().serves);
            if (!outcome && outcome.error().code() == wire::outdated) {
                outcome = error(errc::no_server, "routed by an older list of servers than that of "
                                                 "the server, whose room may have moved");
            }
            ended.mapped().done->done(std::move(outcome));
        }
    });
}

void plugin_host::end_late(std::unique_ptr<door::completion> done) {
    if (++late_waits_ > late_waits_limit) {
        asleep_for_ever_.push_back(as_waiting(std::move(done)));
        return;
    }
    complete(as_waiting(std::move(done)), error(errc::cancelled, gone));
}

void plugin_host::complete(waiting ends, result<door::body> outcome) {
    boost::asio::post(work_.executor(), [&among = parts_.calls.serving(), ends = std::move(ends),
                                         outcome = std::move(outcome)]() mutable {
        const served_request::scope here(among, ends.serves);
        ends.done->done(std::move(outcome));
    });
}

// ---- the loop
// ----------------------------------------------------------------------------------------------------------------

void plugin_host::post(std::unique_ptr<door::task> work) noexcept {
    // From another thread it belongs to no request.
    auto serves = is_on_loop() ? parts_.calls.serving().all() : service{};
    boost::asio::post(work_.executor(),
                      alive_.guard([this, serves = std::move(serves), work = std::move(work)] {
                          const served_request::scope here(parts_.calls.serving(), serves);
                          work->run();
                      }));
}

void plugin_host::blocking(std::unique_ptr<door::task> work,
                           std::unique_ptr<door::task> after) noexcept {
    const bool is_refused = !parts_.options.blocking_pool || blocking_ >= blocking_limit || !alive_;
    // After the stop the plugin's objects are gone: what waits is dropped, and its frame unwinds.
    const auto resume = [this, serves = parts_.calls.serving().all()](door::task& waits) {
        const served_request::scope here(parts_.calls.serving(), serves);
        waits.run();
    };
    if (is_refused) {
        boost::asio::post(parts_.executor,
                          alive_.guard([resume, after = std::move(after)] { resume(*after); }));
        return;
    }
    ++blocking_;
    // The loop must not end while the pool works for it, nor the generation.
    auto keep =
        boost::asio::prefer(work_.executor(), boost::asio::execution::outstanding_work.tracked);
    auto* task = work.get();
    auto back = alive_.guard([this, resume, work = std::move(work), after = std::move(after)] {
        --blocking_;
        resume(*after);
    });
    boost::asio::post(parts_.options.blocking_pool,
                      [keep = std::move(keep), task, back = std::move(back)]() mutable {
                          task->run();
                          boost::asio::post(keep, std::move(back));
                      });
}

void plugin_host::sleep(door::duration how_long, std::unique_ptr<door::completion> done) noexcept {
    if (!alive_) {
        return end_late(std::move(done));
    }
    const auto id = next_sleeper_++;
    auto& entry = sleepers_[id];
    entry.ends = as_waiting(std::move(done));
    if (how_long == door::duration::max()) {
        return;
    }
    entry.wait = parts_.clock.after(how_long, [this, id] {
        auto ready = sleepers_.extract(id);
        complete(std::move(ready.mapped().ends), door::body{});
    });
}

void plugin_host::set_timer(std::string_view name, door::duration first, door::duration period,
                            std::unique_ptr<door::timer_task> tick) noexcept {
    if (!alive_ || timers_are_ == timers_are::over) {
        return;
    }
    auto& entry = timers_[std::string(name)];
    entry.ran = parts_.clock.now();
    entry.due = base::later(entry.ran, first);
    entry.first = first;
    entry.period = period;
    entry.tick = std::move(tick);
    if (timers_are_ == timers_are::running) {
        arm(std::string(name), entry);
    }
}

void plugin_host::arm(const std::string& name, named_timer& timer) {
    timer.wait.cancel();
    if (timer.due == base::time_point::max()) {
        return;
    }
    timer.wait = parts_.clock.at(timer.due, [this, name] {
        const auto at = timers_.find(name);
        if (at == timers_.end()) {
            return;
        }
        const auto now = parts_.clock.now();
        const auto since = now - std::exchange(at->second.ran, now);
        // The tick may set or cancel this very timer.
        const auto tick = at->second.tick;
        if (at->second.period.count() > 0) {
            // A late tick does not make the following ones come in a burst.
            at->second.due = std::max(base::later(at->second.due, at->second.period), now);
            arm(name, at->second);
        } else {
            timers_.erase(at);
        }
        tick->run(since);
    });
}

std::uint64_t plugin_host::at_end(std::unique_ptr<door::task> told) noexcept {
    const auto number = ++last_at_end_;
    at_end_->emplace(number, std::move(told));
    // As late waits: who waits again and again is left waiting, so that it does not spin.
    if (!alive_ && ++late_waits_ <= late_waits_limit) {
        boost::asio::post(work_.executor(),
                          [all = std::weak_ptr<end_calls>(at_end_)] { tell_end(all); });
    }
    return number;
}

bool plugin_host::cancel_timer(std::string_view name) noexcept {
    const auto at = timers_.find(name);
    if (at == timers_.end()) {
        return false;
    }
    timers_.erase(at);
    return true;
}

// ---- servers
// -----------------------------------------------------------------------------------------------------------------

result<plugin_host::target> plugin_host::target_of(std::string_view route,
                                                   const door::call_target& to) const {
    if (!to.server_id.empty()) {
        return target{{to.server_id}};
    }
    const auto dot = route.find('.');
    if (dot == std::string_view::npos || dot == 0) {
        return error(errc::unknown_route, fmt::format("'{}' is not type.remote.method", route));
    }
    // While it is still being created it has no tables.
    const tables none("");
    auto picked = parts_.list.pick(own_ != nullptr ? *own_ : none, route.substr(0, dot), to.param);
    if (!picked) {
        return std::move(picked).error();
    }
    return target{std::move(*picked), parts_.list.told_epoch()};
}

request_id plugin_host::request_of_call() {
    auto& serving = parts_.calls.serving();
    if (serving.now().number == 0 && parts_.calls.is_holding() && parts_.calls.current() &&
        &parts_.calls.current()->registered() == own_) {
        // A coroutine that has waited for something that is not the host's has lost its request;
        // what waits for it must not wait for this call.
        return parts_.calls.free();
    }
    return serving.now_or_own(parts_.options.self.life);
}

base::time_point plugin_host::end_of_call(base::duration timeout) const {
    const auto now = parts_.clock.now();
    const auto own = base::later(now, timeout.count() > 0 ? timeout : parts_.options.call_timeout);
    return parts_.calls.serving().bounded(own, now);
}

void plugin_host::call(std::string_view route, std::uint64_t contract, const door::call_target& to,
                       door::body_view arguments, std::unique_ptr<door::completion> done) noexcept {
    if (!alive_) {
        return end_late(std::move(done));
    }
    auto picked = target_of(route, to);
    if (!picked) {
        return complete(as_waiting(std::move(done)), std::move(picked).error());
    }
    note_types(route, contract, to);
    const auto id = request_of_call();
    parts_.list.when_open(
        picked->to,
        [servers = &parts_.servers, executor = parts_.executor,
         bytes = wire::encode(route, id, contract, to.session, arguments, who_, picked->epoch),
         until = end_of_call(to.timeout), answered = await(std::move(done)),
         load = bus::load{flow_of_request(id), 0}](const error* why,
                                                   const std::string& server) mutable {
            if (why != nullptr) { // not inline: who asks again at once comes after what waits now
                return boost::asio::post(executor,
                                         [answered = std::move(answered), why = *why]() mutable {
                                             answered(std::move(why));
                                         });
            }
            servers->call(server, wire::kind::remote, std::move(bytes), until, std::move(answered),
                          load);
        });
}

result<void> plugin_host::cast(std::string_view route, std::uint64_t contract,
                               const door::call_target& to, door::body_view arguments) noexcept {
    auto picked = target_of(route, to);
    if (!picked) {
        return std::move(picked).error();
    }
    note_types(route, contract, to);
    const auto id = request_of_call();
    // What waits for a room that moves is not known to fail yet.
    auto outcome = std::make_shared<result<void>>();
    parts_.list.when_open(picked->to, [servers = &parts_.servers, outcome,
                                       bytes = wire::encode(route, id, contract, to.session,
                                                            arguments, who_, picked->epoch),
                                       load = bus::load{flow_of_request(id), 0}](
                                          const error* why, const std::string& server) mutable {
        if (why == nullptr) {
            *outcome = servers->cast(server, wire::kind::remote, std::move(bytes), load);
        }
    });
    return *outcome;
}

/// Who is called may ask for them.
void plugin_host::note_types(std::string_view route, std::uint64_t contract,
                             const door::call_target& to) {
    if (contract != 0 && to.shape != nullptr) {
        parts_.calls.types().note_call(route, contract, to.shape);
    }
}

// ---- sessions
// ----------------------------------------------------------------------------------------------------------------

void plugin_host::change_session(const session_ref& who, door::session_change change,
                                 std::unique_ptr<door::completion> done) noexcept {
    if (!alive_) {
        return end_late(std::move(done));
    }
    // On the session's own frontend at once, so that the next request sees it; the answer still
    // comes by post.
    if (parts_.clients != nullptr && who.frontend == parts_.options.self.id) {
        return complete(as_waiting(std::move(done)), parts_.clients->change_session(who, change));
    }
    parts_.servers.call(who.frontend, wire::kind::change_session, wire::encode(who, change),
                        end_of_call(), await(std::move(done)));
}

void plugin_host::find_sessions(const session_ref& who,
                                std::unique_ptr<door::completion> done) noexcept {
    if (!alive_) {
        return end_late(std::move(done));
    }
    parts_.servers.call(who.frontend, wire::kind::find_sessions, wire::encoded(who), end_of_call(),
                        await(std::move(done)));
}

void plugin_host::kick_uid(std::string_view uid, std::string_view reason,
                           std::unique_ptr<door::completion> done) noexcept {
    if (!alive_) {
        return end_late(std::move(done));
    }
    const auto bytes = wire::encoded(uid, reason);
    auto count = std::make_shared<tally>();
    count->end = await(std::move(done));
    // One for ourselves, so that the tally cannot end while the questions are still being sent.
    count->waiting = 1;
    const auto ended = [count, executor = parts_.executor] {
        if (--count->waiting == 0) {
            boost::asio::post(executor, [count] { count->end(std::to_string(count->sum)); });
        }
    };
    for (const auto& each : *parts_.list.all()) {
        if (!each.is_frontend || !parts_.servers.reaches(each.id)) {
            continue;
        }
        ++count->waiting;
        parts_.servers.call(each.id, wire::kind::kick_uid, bytes, end_of_call(),
                            [count, ended](result<std::string> reply) {
                                // A frontend that is gone has no sessions left to kick.
                                count->sum +=
                                    reply ? std::strtoull(reply->c_str(), nullptr, 10) : 0;
                                ended();
                            });
    }
    ended();
}

result<void> plugin_host::push_to_sessions(std::string_view route, door::body_view message,
                                           std::span<const session_ref> to) noexcept {
    std::map<std::string_view, std::vector<session_id>> by_frontend;
    for (const auto& each : to) {
        // Session ids start anew with each life of a frontend.
        const auto* frontend = parts_.list.find(each.frontend);
        if (frontend != nullptr && frontend->life == each.life) {
            by_frontend[each.frontend].push_back(each.id);
        }
    }
    return parts_.servers.push_to_sessions(by_frontend, route, message,
                                           flow_of_request(parts_.calls.serving().now()));
}

result<void> plugin_host::broadcast(std::string_view frontend_type, std::string_view route,
                                    door::body_view message, bool only_bound) noexcept {
    const auto bytes = wire::encoded(only_bound, route, message);
    // How many sessions a frontend has is not known here.
    const bus::load load{flow_of_request(parts_.calls.serving().now()), 0};
    std::vector<std::string_view> to;
    for (const auto& each : *parts_.list.of_type(frontend_type)) {
        if (each.is_frontend && parts_.servers.reaches(each.id)) {
            if (auto fits = parts_.servers.admits(each.id, bytes.size(), load); !fits) {
                return fits; // all of them or none
            }
            to.push_back(each.id);
        }
    }
    result<void> outcome;
    for (const auto frontend : to) {
        if (auto sent = parts_.servers.cast(frontend, wire::kind::broadcast, bytes, load); !sent) {
            outcome = std::move(sent);
        }
    }
    return outcome;
}

std::vector<session_ref> plugin_host::local_sessions(std::string_view uid) const {
    std::vector<session_ref> found;
    if (parts_.clients == nullptr) {
        return found;
    }
    auto& store = parts_.clients->sessions();
    if (!uid.empty()) {
        for (const auto* each : store.of_uid(uid)) {
            found.push_back(each->data->ref);
        }
        return found;
    }
    for (const auto& [id, each] : store.all()) {
        found.push_back(each->data->ref);
    }
    return found;
}

// ---- settings, extensions, log
// ----------------------------------------------------------------------------------------------------

std::optional<std::string> plugin_host::setting(std::string_view key) const {
    const auto at = parts_.settings.find(key);
    return at == parts_.settings.end() ? std::nullopt : std::optional(at->second);
}

void plugin_host::set_setting(std::string_view key, std::string json) {
    parts_.settings.insert_or_assign(std::string(key), std::move(json));
}

result<door::config_text> plugin_host::config_files::read(std::string_view file) noexcept {
    if (!options.read_config) {
        return error(
            errc::not_found,
            fmt::format("config '{}': this server was started without a config folder", file));
    }
    return options.read_config(file);
}

bool plugin_host::logs(door::log_level at) const noexcept {
    return base::log::is_on(translate(at), "plugin");
}

void plugin_host::log(door::log_level at, std::string_view text) noexcept {
    if (logs(at)) {
        base::log::write(translate(at), parts_.options.self.type, text);
    }
}

} // namespace shaddock::server
