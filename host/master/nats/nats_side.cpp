#include "nats_side.hpp"

#include "base/log.hpp"
#include "cluster/records.hpp"
#include "control/codec.hpp"
#include "nats/from_config.hpp"
#include "presence.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::master {
namespace {

constexpr std::chrono::seconds beat{1};
/// A master that was not heard for so long, by who would have heard it, answers nothing any more.
constexpr std::chrono::seconds gone_after{5};
/// A tick that is so late has found this process standing still.
constexpr std::chrono::seconds still_limit{1};
/// A master that was not heard for so long is not named any more.
constexpr std::chrono::minutes forgotten_after{10};
/// After the connection: each has had a beat by then.
constexpr std::chrono::milliseconds known_after{1200};
/// After the start, also without NATS.
constexpr std::chrono::seconds known_at_last{3};
/// Many that come at a time are greeted at once.
constexpr std::chrono::milliseconds greeting_pause{20};
constexpr std::size_t most_others = 1000;
/// Of one change: others change the list at the same time.
constexpr int most_tries = 10;

/// The list with the change.
std::vector<door::server_info> changed(std::vector<door::server_info> list, const list_change& by) {
    std::erase_if(list, [&](const auto& each) {
        return std::ranges::find(by.out, each.id) != by.out.end() ||
               std::ranges::find(by.in, each.id, &door::server_info::id) != by.in.end();
    });
    for (auto& each : list) {
        each.is_leaving |= std::ranges::find(by.leaving, each.id) != by.leaving.end();
    }
    list.insert(list.end(), by.in.begin(), by.in.end());
    std::ranges::sort(list, {}, &door::server_info::id);
    return list;
}

} // namespace

nats_side::nats_side(const config::system& system, std::string machine, std::string name,
                     nats_news news)
    : cluster_(system.host.bus.nats.cluster), self_{std::move(machine), std::move(name), false,
                                                    clock_.wall_ns()},
      news_(std::move(news)),
      connection_(loop_.get_executor(), clock_,
                  nats::options_for(system.host.bus.nats, system.folder, "master")),
      keeper_(cluster::make_nats_keeper(
          loop_.get_executor(), clock_, connection_, cluster::list_of(system),
          {.bucket = nats::bucket_for(system.host.bus.nats),
           .machine = self_.machine,
           .times = {.beat = system.host.bus.heartbeat,
                     .host_lost = system.host.bus.nats.host_lost,
                     .machine_lost = system.host.bus.nats.machine_lost}})) {}

std::string nats_side::subject(std::string_view of) const {
    return fmt::format("shaddock.{}.{}", cluster_, of);
}

result<void> nats_side::start() {
    if (auto started = keeper_->start(*this); !started) {
        return started;
    }
    connection_.observe(*this);
    last_tick_ = clock_.now();
    if (auto started = connection_.start(); !started) {
        return started;
    }
    auto requests =
        connection_.subscribe(subject("master." + self_.machine), [this](nats::message said) {
            if (!said.reply.empty()) {
                news_.on_request(std::move(said.bytes), std::move(said.reply));
            }
        });
    auto presences = connection_.subscribe(
        subject("masters"), [this](const nats::message& said) { on_presence(said); });
    if (!requests || !presences) {
        return requests ? presences.error() : requests.error();
    }
    requests_ = std::move(*requests);
    presences_ = std::move(*presences);
    known_at_last_ = clock_.after(known_at_last, [this] { tell_known(); });
    tick();
    return {};
}

void nats_side::ask(std::uint64_t number, const std::string& machine, const std::string& request,
                    base::duration patience) {
    asks_.emplace(number, machine);
    connection_.request(subject("master." + machine), request,
                        std::chrono::ceil<std::chrono::milliseconds>(patience),
                        [this, number](result<std::string> said) {
                            if (asks_.erase(number) != 0) { // else it was dropped before
                                news_.on_answer(number, std::move(said));
                            }
                        });
}

void nats_side::drop_asks(const std::string& machine) {
    std::erase_if(asks_, [&](const auto& each) {
        if (each.second != machine) {
            return false;
        }
        news_.on_answer(each.first, error(errc::disconnected,
                                          "its master has gone meanwhile: what was asked may be "
                                          "done, `host list` shows it"));
        return true;
    });
}

void nats_side::look_for_silent() {
    const auto now = clock_.now();
    if (now - std::exchange(last_tick_, now) > beat + still_limit) {
        hears_since_ = now; // what was said meanwhile is still to be read
    }
    if (!connection_.is_up() || now - hears_since_ <= gone_after) {
        return;
    }
    for (const auto& [machine, each] : others_) {
        if (now - each.heard > gone_after) {
            drop_asks(machine);
        }
    }
}

void nats_side::answer(const std::string& to, const std::string& text) {
    if (auto sent = connection_.publish(to, {}, text); !sent) {
        base::log::warn("master", "an answer to another master is lost: {}", sent.error().text());
    }
}

void nats_side::agree_by(const std::shared_ptr<const list_change>& wanted, base::time_point until,
                         base::unique_function<void(result<cluster::view_ptr>)> done, int tries) {
    const auto now = keeper_->now();
    if (!keeper_->is_current() || now->epoch == 0) {
        return done(error(errc::no_server, "the list of servers is kept in NATS, which cannot be "
                                           "reached now: " +
                                               connection_.trouble()));
    }
    keeper_->propose(changed(now->servers, *wanted), now->epoch,
                     [this, wanted, until, tries,
                      done = std::move(done)](result<cluster::proposal> said) mutable {
                         if (!said) {
                             return done(said.error());
                         }
                         if (said->is_taken) {
                             return done(said->now);
                         }
                         if (tries >= most_tries || clock_.now() >= until) {
                             return done(error(errc::overloaded, "the list of servers changes all "
                                                                 "the time: ask again"));
                         }
                         agree_by(wanted, until, std::move(done), tries + 1);
                     });
}

void nats_side::say_presence(bool is_leaving) {
    self_.leaves = is_leaving;
    if (connection_.is_up()) { // else nobody hears it
        (void)connection_.publish(subject("masters"), {}, control::to_json(self_));
    }
}

void nats_side::on_up() {
    hears_since_ = clock_.now();
    say_presence(false);
    if (!is_known_ && !known_soon_.is_armed()) {
        known_soon_ = clock_.after(known_after, [this] { tell_known(); });
    }
}

void nats_side::tell_known() {
    if (!std::exchange(is_known_, true)) {
        news_.on_known();
    }
}

void nats_side::tick() {
    next_tick_ = clock_.after(beat, [this] { tick(); });
    say_presence(false);
    look_for_silent();
    const auto before = others_.size();
    std::erase_if(others_, [now = clock_.now()](const auto& each) {
        return now - each.second.heard > forgotten_after;
    });
    if (others_.size() != before) {
        tell_masters();
    }
}

void nats_side::on_presence(const nats::message& said) {
    auto who = control::from_json<control::master_presence>(said.bytes, "master");
    if (!who || !is_sound(*who) || who->machine == self_.machine ||
        (others_.size() >= most_others && !others_.contains(who->machine))) {
        return;
    }
    const bool leaves = who->leaves;
    const auto [at, is_new] = others_.try_emplace(who->machine);
    const bool is_news = is_new || leaves || at->second.said.name != who->name;
    const bool is_another = !is_new && at->second.said.life != who->life;
    if (leaves || is_another) {
        drop_asks(who->machine);
    }
    if ((is_new || is_another) && !leaves && !greeting_.is_armed()) {
        greeting_ = clock_.after(greeting_pause, [this] { say_presence(false); });
    }
    at->second = {std::move(*who), clock_.now()};
    if (leaves) {
        others_.erase(at);
    }
    if (is_news) {
        tell_masters();
    }
}

void nats_side::tell_masters() {
    std::map<std::string, std::string> named{{self_.machine, self_.name}};
    for (const auto& [machine, each] : others_) {
        named.emplace(machine, each.said.name);
    }
    named_masters now;
    for (auto& [machine, name] : unique_names(named)) {
        if (machine == self_.machine) {
            now.own = name;
        } else {
            now.others.emplace(name, machine);
        }
    }
    news_.on_masters(std::move(now));
}

void nats_side::stop() {
    for (auto* each : {&next_tick_, &greeting_, &known_soon_, &known_at_last_}) {
        each->cancel();
    }
    say_presence(true);
    connection_.forget(*this);
    requests_.end();
    presences_.end();
    keeper_->stop([this] { connection_.stop([] {}); });
}

} // namespace shaddock::master
