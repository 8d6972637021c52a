#include "directory.hpp"

#include "base/log.hpp"
#include "generation.hpp"

#include <shaddock/dispatch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace shaddock::server {

namespace {

constexpr std::size_t waiting_limit = 100'000;

const std::string* hashed(const std::vector<door::server_info>& among, std::string_view room) {
    return among.empty() ? nullptr : &among[dispatch_index(room, among.size())].id;
}

const placement* find_in(const directory::lists& among, std::string_view type) {
    const auto at = among.find(type);
    return at == among.end() ? nullptr : &at->second;
}

bool have_same_ids(const placement& one, const placement& other) {
    return std::ranges::equal(*one.servers, *other.servers, {}, &door::server_info::id,
                              &door::server_info::id) &&
           std::ranges::equal(one.leaving, other.leaving, {}, &leaving_server::id,
                              &leaving_server::id);
}

/// The room that it is for. A number names none.
std::optional<std::string> room_of(const tables& registered, std::string_view type,
                                   const door::route_param& by) {
    if (auto* router = registered.router_for(type)) {
        return router->key(by);
    }
    if (by.session != nullptr) {
        return by.session->ref.uid;
    }
    return by.number ? std::nullopt : std::optional(std::string(by.text));
}

/// Whether the room is that one's when it serves beside these.
bool is_of(const std::string& id, const std::vector<door::server_info>& beside,
           std::string_view room) {
    const auto place = std::ranges::lower_bound(beside, id, {}, &door::server_info::id);
    return dispatch_index(room, beside.size() + 1) ==
           static_cast<std::size_t>(place - beside.begin());
}

/// What was known of it, when it left before; else who had which rooms before.
leaving_server as_leaving(const std::string& id, const placement* last) {
    leaving_server made{id};
    if (last == nullptr) {
        return made;
    }
    if (const auto known = std::ranges::find(last->leaving, id, &leaving_server::id);
        known != last->leaving.end()) {
        return *known;
    }
    if (std::ranges::find(*last->servers, id, &door::server_info::id) != last->servers->end()) {
        made.before = std::make_shared<const placement>(*last);
    }
    return made;
}

} // namespace

// ---- placement

bool leaving_server::may_have(std::string_view room) const {
    if (!before) {
        return true;
    }
    const auto* owner = before->owner_of(room);
    return owner != nullptr && *owner == id;
}

const std::string* placement::keeper_of(std::string_view room) const {
    const auto keeps = [room](const leaving_server& each) {
        return each.stays ? each.stays->contains(room) : each.before && each.may_have(room);
    };
    const auto at = std::ranges::find_if(leaving, keeps);
    return at == leaving.end() ? nullptr : &at->id;
}

const std::string* placement::owner_of(std::string_view room) const {
    const auto* keeper = keeper_of(room);
    return keeper != nullptr ? keeper : hashed(*servers, room);
}

bool placement::is_unsure(std::string_view room) const {
    return std::ranges::any_of(leaving, [&](const leaving_server& each) {
        if (each.stays || each.before) {
            return !each.stays && each.may_have(room);
        }
        return is_of(each.id, *servers, room) && keeper_of(room) == nullptr;
    });
}

bool placement::has_all_told() const {
    return std::ranges::all_of(leaving,
                               [](const leaving_server& each) { return each.stays != nullptr; });
}

void placement::each_owner(const std::function<void(const std::string& id)>& call) const {
    std::ranges::for_each(*servers, call, &door::server_info::id);
    std::ranges::for_each(leaving, call, &leaving_server::id);
}

// ---- the list

void directory::update(cluster::view_ptr now) {
    view_ = std::move(now);
    cut();
}

const directory::lists& directory::begin(cluster::view_ptr now) {
    const auto before = by_type_;
    update(std::move(now));
    warned_.clear();
    is_settling_ = true;
    for (const auto& [type, all] : before) {
        const auto* after = find_in(by_type_, type);
        if (!have_same_ids(all, after != nullptr ? *after : placement{})) {
            before_.emplace(type, all);
        }
    }
    for (const auto& each : before_) {
        each.second.each_owner([this](const std::string& id) {
            if (const auto hold = holds_.extract(id); hold && hold.mapped().use_count() > 1) {
                held_back_[id] = hold.mapped();
            }
        });
    }
    for (const auto& [id, hold] : std::exchange(holds_, {})) {
        if (hold.use_count() > 1) {
            left_behind_.push_back(hold);
        }
    }
    return before_;
}

void directory::cut() {
    std::map<std::string, std::vector<door::server_info>, std::less<>> servers;
    lists next;
    for (const auto& each : view_->servers) {
        if (each.is_leaving) {
            next[each.type].leaving.push_back(as_leaving(each.id, find_in(by_type_, each.type)));
        } else {
            servers[each.type].push_back(each);
        }
    }
    for (auto& [type, list] : servers) {
        next[type].servers =
            std::make_shared<const std::vector<door::server_info>>(std::move(list));
    }
    by_type_ = std::move(next);
    all_ = std::make_shared<const std::vector<door::server_info>>(view_->servers);
}

door::server_list directory::of_type(std::string_view type) const {
    static const auto none = std::make_shared<const std::vector<door::server_info>>();
    const auto* at = find_in(by_type_, type);
    return at == nullptr ? none : at->servers;
}

const door::server_info* directory::find(incarnation life) const {
    const auto at =
        std::find_if(all_->begin(), all_->end(), [&](const auto& e) { return e.life == life; });
    return at == all_->end() ? nullptr : &*at;
}

const std::string* directory::owner_in(const lists& among, std::string_view type,
                                       std::string_view channel) {
    const auto* at = find_in(among, type);
    return at == nullptr ? nullptr : at->owner_of(channel);
}

// ---- servers that leave

const leaving_server* directory::leaving(std::string_view id) const {
    for (const auto& each : by_type_) {
        const auto& all = each.second.leaving;
        if (const auto at = std::ranges::find(all, id, &leaving_server::id); at != all.end()) {
            return &*at;
        }
    }
    return nullptr;
}

void directory::set_staying(std::string_view id, incarnation life,
                            std::shared_ptr<const room_names> stays) {
    for (auto& each : by_type_) {
        for (auto& one : each.second.leaving) {
            if (one.id != id) {
                continue;
            }
            if (one.stays && one.told_by != life) {
                auto both = std::make_shared<room_names>(*stays);
                std::erase_if(*both, [&](const auto& room) { return !one.stays->contains(room); });
                stays = std::move(both);
            }
            one.stays = std::move(stays);
            one.told_by = life;
            return look_again();
        }
    }
}

void directory::forget_staying(std::string_view id) {
    for (auto& each : by_type_) {
        for (auto& one : each.second.leaving) {
            one.stays = one.id == id ? nullptr : one.stays;
        }
    }
}

bool directory::has_all_told() const {
    return std::ranges::all_of(by_type_,
                               [](const auto& each) { return each.second.has_all_told(); });
}

bool directory::has_given_up(const std::string& id, std::string_view type,
                             std::string_view room) const {
    const auto* one = leaving(id);
    if (one == nullptr || !one->stays || one->stays->contains(room)) {
        return false;
    }
    if (one->before) {
        return one->may_have(room);
    }
    return is_of(id, *of_type(type), room); // one that lives anew knows only who serves now
}

const std::string* directory::stays_elsewhere(const std::string& id, std::string_view type,
                                              std::string_view room) const {
    const auto* now = find_in(by_type_, type);
    const auto* keeper = now == nullptr ? nullptr : now->keeper_of(room);
    const auto* by_name = keeper == nullptr ? nullptr : hashed(*now->servers, room);
    return by_name != nullptr && *by_name == id && *keeper != id ? keeper : nullptr;
}

// ---- who serves what

result<directory::target> directory::pick(const tables& registered, std::string_view type,
                                          const door::route_param& by) {
    auto to = choose(registered, type, by);
    if (to && !to->room) {
        warn_of_no_room(registered, type);
    }
    if (to && !to->id.empty()) {
        auto& hold = holds_[to->id];
        if (!hold) {
            hold = std::make_shared<int>();
        }
        to->hold = hold;
    }
    return to;
}

/// Once for each list: whoever wrote the route function did not think of rooms that stay.
void directory::warn_of_no_room(const tables& registered, std::string_view type) {
    const auto* now = find_in(by_type_, type);
    if (now == nullptr || now->leaving.empty() || registered.router_for(type) == nullptr ||
        !warned_.emplace(type).second) {
        return;
    }
    base::log::warn("server",
                    "the route function for '{}' names no room, so that a request for one that "
                    "stays with {}, which drains, may go elsewhere: route_by, whose key is the "
                    "channel's name, finds it",
                    type, now->leaving.front().id);
}

result<directory::target> directory::choose(const tables& registered, std::string_view type,
                                            const door::route_param& by) const {
    const auto* now = find_in(by_type_, type);
    if (now == nullptr || now->is_empty()) {
        return error(errc::no_server, fmt::format("no server of type '{}' is in the list", type));
    }
    const auto* before = find_in(before_, type);
    target to;
    if (!now->leaving.empty() || (before != nullptr && !before->leaving.empty())) {
        to.type = type;
        to.room = room_of(registered, type, by);
    }
    if (to.room) {
        to.is_unsure = now->is_unsure(*to.room);
        if (const auto* keeper = now->keeper_of(*to.room); keeper != nullptr && !to.is_unsure) {
            to.id = *keeper;
            return {boost::system::in_place_value, std::move(to)};
        }
    }
    if (!now->servers->empty()) {
        auto picked = pick_among(registered, type, *now->servers, by);
        if (!picked) {
            return std::move(picked).error();
        }
        to.id = std::move(*picked);
    } else if (!to.is_unsure) {
        return error(errc::no_server,
                     fmt::format("no server of type '{}' takes new rooms: those that are left end "
                                 "with the rooms that they have",
                                 type));
    }
    if (before == nullptr || to.id.empty()) {
        return {boost::system::in_place_value, std::move(to)};
    }
    if (const auto* keeper = to.room ? before->keeper_of(*to.room) : nullptr) {
        to.is_moving = *keeper != to.id;
    } else if (!before->servers->empty()) {
        const auto then = pick_among(registered, type, *before->servers, by);
        to.is_moving = then && *then != to.id;
    }
    return {boost::system::in_place_value, std::move(to)};
}

result<std::string> directory::pick_among(const tables& registered, std::string_view type,
                                          const std::vector<door::server_info>& list,
                                          const door::route_param& by) {
    if (auto* router = registered.router_for(type)) {
        return router->pick(by, list);
    }
    std::size_t index = 0;
    if (by.session != nullptr) {
        index = dispatch_index(by.session->ref.uid, list.size());
    } else if (by.number) {
        const auto magnitude = *by.number < 0 ? 0 - static_cast<std::uint64_t>(*by.number)
                                              : static_cast<std::uint64_t>(*by.number);
        index = static_cast<std::size_t>(magnitude % list.size());
    } else {
        index = dispatch_index(by.text, list.size());
    }
    return list[index].id;
}

void directory::keep_back(waiting_send made) {
    if (made.to.is_unsure && !is_settling_) {
        const error why(errc::recovering, "a server that leaves has not told yet which rooms are "
                                          "still its");
        return made.send(&why, made.to.id);
    }
    if (waiting_.size() < waiting_limit) {
        const auto at = std::ranges::upper_bound(waiting_, made.place, {}, &waiting_send::place);
        waiting_.insert(at, std::move(made));
        return;
    }
    const error why(errc::overloaded, "too many requests wait for rooms that move");
    made.send(&why, made.to.id);
}

template <class Is>
void directory::release(Is is, const error* why) {
    const error none(errc::no_server, "no server that takes new rooms is in the list");
    // What runs may send more, behind these.
    std::deque<waiting_send> those;
    for (auto& each : std::exchange(waiting_, {})) {
        (is(each) ? those : waiting_).push_back(std::move(each));
    }
    for (auto& each : those) {
        const bool has_none = why == nullptr && !each.waits_for_list && each.to.id.empty();
        each.send(has_none ? &none : why, each.to.id);
    }
}

void directory::open(std::string_view id) {
    if (open_.emplace(id).second) {
        look_again();
    }
}

/// What is known by now of rooms that stay counts, and what needs not wait any more goes.
void directory::look_again() {
    for (auto& each : waiting_) {
        auto& to = each.to;
        const auto* now = to.room ? find_in(by_type_, to.type) : nullptr;
        to.is_unsure = now != nullptr && now->is_unsure(*to.room);
        if (const auto* keeper =
                now != nullptr && !to.is_unsure ? now->keeper_of(*to.room) : nullptr) {
            to.id = *keeper;
            to.is_moving = false;
        }
    }
    release([this](const auto& each) { return !each.waits_for_list && !waits(each.to); }, nullptr);
}

void directory::go_on() {
    if (!is_behind()) {
        release([](const auto& each) { return each.waits_for_list; }, nullptr);
    }
}

void directory::stop_waiting_for_list() {
    not_awaited_ = std::exchange(others_, 0);
    release([](const auto& each) { return each.waits_for_list; }, nullptr);
}

void directory::let_go(bool is_over) {
    std::erase_if(held_back_, [&](const auto& each) {
        if (is_over && !each.second.expired()) {
            left_behind_.push_back(each.second);
        }
        return is_over || each.second.expired();
    });
    look_again();
}

bool directory::has_left_behind() {
    std::erase_if(left_behind_, [](const auto& each) { return each.expired(); });
    return !left_behind_.empty();
}

void directory::refuse_moving(const error& why) {
    release([](const auto& each) { return !each.waits_for_list; }, &why);
}

void directory::refuse_waiting(const error& why) {
    for (auto& each : std::exchange(waiting_, {})) {
        each.send(&why, each.to.id);
    }
}

} // namespace shaddock::server
