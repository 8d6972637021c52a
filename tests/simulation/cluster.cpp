#include "cluster.hpp"

#include "../cluster/plugin_door.hpp"
#include "bus/direct.hpp"

#include <shaddock/dispatch.hpp>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace shaddock::simulation {

using test::door_of;

namespace {

/// As many as the list may have of a type.
constexpr std::size_t type_limit = 4;
/// So long the master waits for a list to settle, and for a server that is added.
constexpr auto settling = 1s;
constexpr auto coming = 10s;
constexpr auto look_period = 20ms;

door::server_info record(std::string_view type, int number, bool is_frontend) {
    door::server_info info;
    info.id = fmt::format("{}-server-{}", type, number);
    info.type = type;
    info.host = "127.0.0.1";
    info.client_port = static_cast<std::uint16_t>(is_frontend ? number : 0);
    info.is_frontend = is_frontend;
    info.record_json = "{}";
    return info;
}

auto place_of(std::vector<door::server_info>& in, const std::string& id) {
    return std::ranges::find(in, id, &door::server_info::id);
}

} // namespace

cluster::running::~running() {
    instance.reset();
    registry.reset();
    links.reset();
    runs->is_gone = true;
}

cluster::cluster(world& around, shape wanted) : in(around), has_leases_(wanted.has_leases) {
    const auto expect = [this](std::string_view type, int count, bool is_frontend) {
        for (int i = 1; i <= count; ++i) {
            expected_.push_back(record(type, i, is_frontend));
            ids_.push_back(expected_.back().id);
        }
    };
    expect("chat", wanted.chats, false);
    expect("connector", wanted.connectors, true);
    expect("gate", wanted.gates, true);
    lists_.emplace_back(in.now(), listed("chat"));
    for (const auto& id : ids_) {
        start_later(id, in.chance.between(0ms, 50ms));
    }
}

cluster::~cluster() {
    if (!is_stopping_) {
        stop();
    }
}

void cluster::start_later(const std::string& id, duration away) {
    in.after(away, [this, id] {
        if (is_stopping_ || std::ranges::count(ids_, id) == 0 ||
            (change_ && change_->id == id && !change_->comes)) {
            return;
        }
        if (const auto gone = master_is_away_for(); gone > 0s) {
            return start_later(id, gone);
        }
        if (!servers_.contains(id)) {
            start(id);
        }
    });
}

void cluster::start(const std::string& id) {
    const auto listed = place_of(expected_, id);
    auto self = listed != expected_.end() ? *listed : *place_of(guests_, id);
    const auto one = std::make_shared<running>();
    one->runs = std::make_shared<process>(in, id);
    one->life = incarnation{static_cast<std::uint64_t>(
        std::chrono::nanoseconds(one->runs->wall_now().time_since_epoch()).count())};
    self.life = one->life;
    self.is_up = true;
    one->chance = std::make_unique<base::random>(in.chance.next());
    bus::direct_options how;
    how.id = id;
    how.life = self.life;
    one->links = bus::make_direct(one->runs->executor(), *one->runs, *one->chance, how,
                                  between.make_transport(one->runs));
    one->links->observe(*one);
    one->registry = shaddock::cluster::make_direct_registry(one->runs->executor(), *one->links,
                                                            {epoch_, expected_, guests_});
    server::server_options options;
    options.self = self;
    if (self.is_frontend) {
        options.listener.emplace();
        options.make_port = [this, runs = one->runs](const net::listener_options&) {
            return clients.make_port(runs);
        };
    }
    if (!has_leases_) { // over NATS the list comes from there
        options.lists = {[raw = one.get()](std::uint64_t after) {
                             std::vector<std::string> later;
                             for (const auto& [epoch, list] : raw->lists) {
                                 if (epoch > after) {
                                     later.push_back(list);
                                 }
                             }
                             return later;
                         },
                         [this, raw = one.get()](std::string_view list) { take_list(*raw, list); }};
    }
    options.may_other_own = [this](std::string_view who) {
        return has_leases_ && servers_.contains(std::string(who));
    };
    one->instance = std::make_unique<server::server>(one->runs->executor(), *one->runs, *one->links,
                                                     *one->registry, options);
    servers_[id] = one;
    if (epoch_ > 1) {
        tell_list(one); // it may have changed while it read the file
    }
    in.wake(in.now(), one->runs, [one, type = self.type] {
        one->instance->start({{&door_of(type), type + ".so"}},
                             [raw = one.get()](const result<void>& outcome) {
                                 if (!outcome && !raw->is_stopping) {
                                     throw std::runtime_error(outcome.error().text());
                                 }
                                 raw->is_started = true;
                             });
    });
}

bool cluster::is_ready(const std::string& id) const {
    const auto at = servers_.find(id);
    return at != servers_.end() && at->second->is_started && !at->second->is_stopping;
}

bool cluster::is_frozen(const std::string& id) const {
    const auto at = servers_.find(id);
    return at != servers_.end() && at->second->runs->is_frozen();
}

void cluster::kill(const std::string& id, duration away) {
    const auto at = servers_.find(id);
    if (at == servers_.end()) {
        return;
    }
    const auto one = at->second;
    servers_.erase(at);
    one->runs->is_dead = true;
    between.killed(id);
    clients.killed(id);
    if (one->runs->is_frozen()) {
        one->runs->thaw();
    }
    tell_dead({id, one->life});
    // What is left runs to its end where nobody sees it: objects are destroyed as they want it.
    end(one);
    start_later(id, away);
}

void cluster::tell_dead(const bus::peer& gone) {
    if (in.chance.chance(0.3) || master_is_away_for() > 0s) {
        return; // nobody tells them
    }
    for (const auto& [id, one] : servers_) {
        if (one->heard_from > in.now()) {
            continue;
        }
        in.wake(in.now() + in.chance.between(100us, 20ms), one->runs, [one, gone] {
            if (!one->is_stopping) {
                one->links->report_dead(gone);
            }
        });
    }
}

void cluster::end(const running_ptr& one) {
    ++ending_;
    in.wake(in.now(), one->runs, [this, one] {
        if (std::exchange(one->is_stopping, true)) {
            --ending_;
            return; // it was being stopped, and goes on with that
        }
        one->instance->stop("the end", [this, one] {
            // Not inside its own loop.
            in.at(in.now(), [this, one] {
                one->runs->is_gone = true;
                --ending_;
            });
        });
    });
}

void cluster::restart(const std::string& id, duration away) {
    const auto at = servers_.find(id);
    if (at == servers_.end() || at->second->is_stopping) {
        return;
    }
    stop_well(at->second, [this, id, away] { start_later(id, away); });
}

void cluster::stop_well(const running_ptr& one, base::unique_function<void()> stopped) {
    const auto id = one->runs->id();
    ++ending_;
    for (const auto& [other, told] : servers_) {
        if (told != one && told->heard_from <= in.now()) {
            in.wake(in.now() + in.chance.between(100us, 5ms), told->runs,
                    [told, who = bus::peer{id, one->life}] { told->registry->set_leaving(who); });
        }
    }
    in.wake(in.now(), one->runs, [this, one, id, stopped = std::move(stopped)]() mutable {
        one->is_stopping = true;
        one->instance->stop("shutdown", [this, one, id, stopped = std::move(stopped)]() mutable {
            in.at(in.now(), [this, one, id, stopped = std::move(stopped)]() mutable {
                one->runs->is_gone = true;
                --ending_;
                if (const auto now = servers_.find(id);
                    now != servers_.end() && now->second == one) {
                    tell_dead({id, one->life});
                    servers_.erase(now);
                    stopped();
                }
            });
        });
    });
}

void cluster::freeze(const std::string& id, duration span) {
    const auto at = servers_.find(id);
    if (at == servers_.end() || at->second->runs->is_frozen()) {
        return;
    }
    at->second->runs->freeze();
    in.after(span, [one = at->second] {
        if (one->runs->is_frozen()) {
            one->runs->thaw();
        }
    });
}

void cluster::stall(const std::string& id, duration away) {
    const auto at = servers_.find(id);
    if (at == servers_.end()) {
        return;
    }
    at->second->runs->freeze();
    in.after(silence + in.chance.between(0ms, 300ms),
             [this, id, one = at->second, away] { judge(id, one, away); });
}

void cluster::judge(const std::string& id, const running_ptr& one, duration away) {
    const auto now = servers_.find(id);
    if (is_stopping_ || now == servers_.end() || now->second != one || !one->runs->is_frozen()) {
        return;
    }
    if (const auto gone = master_is_away_for(); gone > 0s) {
        // The next one gives it as long anew.
        in.after(gone + silence, [this, id, one, away] { judge(id, one, away); });
        return;
    }
    kill(id, away);
}

void cluster::reload(const std::string& id) {
    const auto at = servers_.find(id);
    if (at == servers_.end()) {
        return;
    }
    in.wake(in.now(), at->second->runs, [one = at->second] {
        if (one->is_started && !one->is_stopping) {
            const std::string type = one->runs->id().substr(0, one->runs->id().find('-'));
            one->instance->reload({{&door_of(type), type + ".so"}}, {}, [](const auto&) {});
        }
    });
}

// ---- the list ----

std::vector<std::string> cluster::ids_of(const records& list, std::string_view type) {
    std::vector<std::string> found;
    for (const auto& each : list) {
        if (each.type == type) {
            found.push_back(each.id);
        }
    }
    std::ranges::sort(found);
    return found;
}

void cluster::kill_master(duration away) {
    master_from_ = std::max(master_from_, in.now() + away);
    // Who was to come is no record yet for the next one, who ends it; who was to go, goes.
    in.after(away, [this] {
        if (!is_stopping_ && master_is_away_for() == 0s) {
            adopt();
        }
    });
}

void cluster::adopt() {
    if (change_ && change_->comes) {
        change_->comes = false;
        change_->is_forgotten = true;
        change_->begun = in.now();
    }
    tell_list();
}

std::string cluster::add(std::string_view type) {
    if (change_ || master_is_away_for() > 0s || listed(type).size() >= type_limit) {
        return {};
    }
    // One that was stopped, or the first number that nobody has.
    door::server_info wanted;
    for (int number = 1; wanted.id.empty(); ++number) {
        auto one = record(type, number, type != "chat");
        if (place_of(expected_, one.id) == expected_.end()) {
            wanted = std::move(one);
        }
    }
    change_ = {wanted.id, true, false, in.now()};
    if (place_of(guests_, wanted.id) == guests_.end()) {
        guests_.push_back(wanted);
    }
    ids_.push_back(wanted.id);
    tell_list();
    start(wanted.id);
    go_on();
    return wanted.id;
}

std::string cluster::take_out(std::string_view type, bool is_forgotten) {
    const auto all = listed(type);
    if (change_ || master_is_away_for() > 0s || all.size() < 2) {
        return {};
    }
    auto id = all[in.chance.below(all.size())];
    change_ = {id, false, is_forgotten, in.now()};
    change_list(expected_, guests_, id);
    go_on();
    return id;
}

void cluster::change_list(records& from, records& into, const std::string& id) {
    const auto at = place_of(from, id);
    into.push_back(std::move(*at));
    from.erase(at);
    ++epoch_;
    lists_.emplace_back(in.now(), listed("chat"));
    tell_list();
}

void cluster::tell_list() {
    if (master_is_away_for() > 0s) {
        return;
    }
    for (const auto& [id, one] : servers_) {
        tell_list(one);
    }
}

void cluster::tell_list(const running_ptr& one) {
    if (master_is_away_for() > 0s || one->heard_from > in.now()) {
        return;
    }
    one->list_told = std::max(one->list_told, in.now() + in.chance.between(100us, 20ms));
    told_.push_back({epoch_, expected_, guests_});
    in.wake(one->list_told, one->runs,
            [this, one, list = std::to_string(told_.size() - 1)] { take_list(*one, list); });
}

void cluster::take_list(running& one, std::string_view list) {
    if (one.is_stopping) {
        return;
    }
    auto told = told_.at(std::stoul(std::string(list)));
    one.lists[told.epoch] = list;
    one.registry->take(std::move(told));
}

void cluster::cut_master(const std::string& id, duration span) {
    const auto at = servers_.find(id);
    if (at == servers_.end()) {
        return;
    }
    at->second->heard_from = in.now() + span;
    in.after(span, [this, last = std::weak_ptr(at->second)] {
        if (const auto one = last.lock(); one && !is_stopping_) {
            tell_list(one);
        }
    });
}

void cluster::go_on() {
    in.after(look_period, [this] {
        if (is_stopping_ || !change_) {
            return;
        }
        if (master_is_away_for() == 0s) {
            change_->comes ? go_on_coming() : go_on_leaving();
        }
        if (change_) {
            go_on();
        }
    });
}

void cluster::go_on_coming() {
    const auto id = change_->id;
    const auto at = servers_.find(id);
    if (at == servers_.end() || in.now() - change_->begun > coming) {
        change_->comes = false; // it has died, or does not come: no more of it
        change_->begun = in.now();
        return;
    }
    const auto now = at->second->instance->now();
    if (is_ready(id) && now.links == now.expected) {
        change_list(guests_, expected_, id);
        change_.reset();
    }
}

void cluster::go_on_leaving() {
    const auto id = change_->id;
    const auto at = servers_.find(id);
    if (at == servers_.end()) {
        return forget(id, change_->is_forgotten);
    }
    if (at->second->is_stopping || (!has_settled() && in.now() - change_->begun < settling)) {
        return;
    }
    at->second->is_stopping = true;
    stop_well(at->second, [] {});
}

void cluster::forget(const std::string& id, bool has_no_record) {
    std::erase(ids_, id);
    if (has_no_record) {
        guests_.erase(place_of(guests_, id));
    }
    change_.reset();
    tell_list();
}

bool cluster::has_settled() const {
    return std::ranges::all_of(servers_, [this](const auto& each) {
        return each.second->instance->now().epoch == epoch_;
    });
}

bool cluster::is_whole() const {
    return servers_.size() == ids_.size() && !change_ && (epoch_ == 1 || has_settled()) &&
           std::all_of(servers_.begin(), servers_.end(), [](const auto& each) {
               const auto now = each.second->instance->now();
               return each.second->is_started && now.links == now.expected;
           });
}

std::string cluster::chat_of(const std::string& room) const {
    const auto& chats = lists_.back().second;
    return chats[dispatch_index(room, chats.size())];
}

std::vector<std::string> cluster::owners_of(const std::string& room, time_point from,
                                            time_point to) const {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < lists_.size(); ++i) {
        const auto& [since, chats] = lists_[i];
        if (since <= to && (i + 1 == lists_.size() || lists_[i + 1].first >= from)) {
            found.push_back(chats[dispatch_index(room, chats.size())]);
        }
    }
    return found;
}

bool cluster::has_list_changed(time_point from, time_point to) const {
    return std::any_of(lists_.begin() + 1, lists_.end(),
                       [&](const auto& each) { return from <= each.first && each.first <= to; });
}

void cluster::stop() {
    is_stopping_ = true;
    for (const auto& [id, one] : servers_) {
        one->runs->thaw();
        if (!one->is_stopping) {
            end(one);
        }
    }
    for (int i = 0; i < 100 && ending_ > 0; ++i) {
        in.run_for(1s);
    }
    servers_.clear();
    if (ending_ > 0) {
        throw std::runtime_error(fmt::format("{} servers do not stop", ending_));
    }
}

} // namespace shaddock::simulation
