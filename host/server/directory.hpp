#pragma once

#include "base/function.hpp"
#include "cluster/registry.hpp"

#include <shaddock/door.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::server {

class tables;
struct placement;

using room_names = std::set<std::string, std::less<>>;

/// A server that leaves: rooms that have members stay with it until it ends, and all others are
/// made where the hash over the other servers says.
struct leaving_server {
    std::string id;
    /// What stays with it, in its own word. Null: it has not told yet.
    std::shared_ptr<const room_names> stays{};
    /// Which life of it has told that.
    incarnation told_by{};
    /// Who had which rooms before it began to leave; null: that is not known here.
    std::shared_ptr<const placement> before{};

    /// Whether it had that room when it began to leave, for all that is known here; true where
    /// `before` is not.
    bool may_have(std::string_view room) const;
};

/// Which server of a type has which room.
struct placement {
    /// Sorted by id; never null.
    door::server_list servers = std::make_shared<const std::vector<door::server_info>>();
    std::vector<leaving_server> leaving{};

    /// Where a room of that name stays, though the hash names another server; null: nowhere. Who
    /// has not told yet keeps what it had.
    const std::string* keeper_of(std::string_view room) const;
    /// Whose a room of that name is; null when there is no server.
    const std::string* owner_of(std::string_view room) const;
    /// Whether the room may be that of one that has not told yet what stays with it. Where it is
    /// not known what that one had, it may be those that the hash gives it beside the present
    /// servers. One that had come to it by yet another list is not among them: the server that is
    /// asked for such a room refuses it as long as it knows better (room_moves::is_anothers).
    bool is_unsure(std::string_view room) const;
    bool has_all_told() const;
    /// All that have rooms.
    void each_owner(const std::function<void(const std::string& id)>& call) const;
    bool is_empty() const { return servers->empty() && leaving.empty(); }
};

/// The registry's view cut by type, and who of a type serves what. While a new list of servers
/// settles (room_moves.hpp) it keeps back what goes to another server by it than before, and what
/// may be for a room that stays where it was. Thread: the loop.
class directory {
public:
    using lists = std::map<std::string, placement, std::less<>>;

    /// Who is up has changed, or the list has, which then settles at once.
    void update(cluster::view_ptr now);
    /// The list has changed and settles from now on. Gives the types whose servers differ, as they
    /// were.
    const lists& begin(cluster::view_ptr now);
    /// Expected servers of the type that do not leave, sorted by id; empty for an unknown type,
    /// never null.
    door::server_list of_type(std::string_view type) const;
    /// Those that leave too.
    door::server_list all() const { return all_; }
    /// Guests too.
    const door::server_info* find(std::string_view id) const {
        return view_ ? view_->find(id) : nullptr;
    }
    /// Who lives, or lived last, this life; null when that is not known.
    const door::server_info* find(incarnation life) const;
    std::uint64_t epoch() const { return view_ ? view_->epoch : 0; }
    /// As others are told; 0: the list has none that they know.
    std::uint64_t told_epoch() const { return view_ && view_->is_numbered ? view_->epoch : 0; }
    const lists& by_type() const { return by_type_; }

    /// Null when it does not leave.
    const leaving_server* leaving(std::string_view id) const;
    /// What that life of it has told; what waits for that goes on. When it lives anew it tells
    /// again, and what it told before and does not any more no longer stays. What the same life
    /// tells counts whole: when that differs it leaves for another time. Nothing when it does not
    /// leave.
    void set_staying(std::string_view id, incarnation life,
                     std::shared_ptr<const room_names> stays);
    /// It has to tell anew: it may have been taken back by a list that it has skipped.
    void forget_staying(std::string_view id);
    bool has_all_told() const;
    /// A room that was `id`'s by its name when it began to leave, and did not stay: another one
    /// makes it.
    bool has_given_up(const std::string& id, std::string_view type, std::string_view room) const;
    /// Where a room stays that would be `id`'s by the hash; null: nowhere else.
    const std::string* stays_elsewhere(const std::string& id, std::string_view type,
                                       std::string_view room) const;

    struct target {
        /// Empty: there is none but those that leave.
        std::string id;
        /// Another one than before the list changed, and that has not settled.
        bool is_moving = false;
        /// It may be for a room that stays elsewhere.
        bool is_unsure = false;
        std::string type{};
        /// The room; empty: not known.
        std::optional<std::string> room{};
        /// Kept until the request has ended.
        std::shared_ptr<const void> hold{};
    };
    /// The place of a request among those that wait.
    std::uint64_t next_place() { return ++last_place_; }
    /// The server of `type` for `by`: where its room stays; else the route function of the present
    /// generation, else by hash: a session by its uid, a text by itself, a number modulo the list.
    /// Errors: no_server (none expected), and the function's own. A chosen server that is down is
    /// found out by the call, at once.
    result<target> pick(const tables& registered, std::string_view type,
                        const door::route_param& by);

    /// Runs `send(nullptr, id)` with the server's id: now, or in order of places (0: the last) once
    /// the target is open; or `send` with why it cannot go. Limits: 100,000 wait.
    template <class F>
    void when_open(const target& to, F send, std::uint64_t place = 0) {
        if (!waits(to)) {
            return send(nullptr, to.id);
        }
        keep_back({to, false, place != 0 ? place : next_place(), std::move(send)});
    }
    /// Others know the list of that epoch: what is routed here by an older one may come too late.
    void note(std::uint64_t epoch) {
        others_ = epoch > not_awaited_ ? std::max(others_, epoch) : others_;
    }
    /// Others know a later list, which has not come here yet.
    bool is_behind() const { return told_epoch() != 0 && others_ > told_epoch(); }
    /// As when_open, once the list is known here that others have, at least that of `epoch`.
    template <class F>
    void when_known(std::uint64_t epoch, std::uint64_t place, F send) {
        note(epoch);
        if (is_behind()) {
            return keep_back({{}, true, place, std::move(send)});
        }
        const error why(errc::no_server, "others know a later list of servers");
        send(told_epoch() < epoch ? &why : nullptr, {});
    }
    /// What waits for the list goes on, unless it waits for a later one.
    void go_on();
    /// The list that others know does not come: what waits for it goes by the one that is known.
    void stop_waiting_for_list();
    /// Requests that were routed by the list before are under way to servers of the types that
    /// have changed. Such a server may refuse them, and then they are to go before those that came
    /// later: what goes to it waits until they have ended, or `is_over`.
    bool has_older() const { return !held_back_.empty(); }
    /// Requests by a list before are under way for which what came later does not wait, or waits
    /// no more.
    bool has_left_behind();
    void let_go(bool is_over);
    /// The server has the rooms that come to it.
    void open(std::string_view id);
    /// All that waits for a target ends, or all that waits.
    void refuse_moving(const error& why);
    void refuse_waiting(const error& why);
    std::size_t waiting() const { return waiting_.size(); }
    /// The list has settled: nothing waits for rooms that move any more. What has waited by then is
    /// to be refused after this.
    void settled() {
        before_.clear();
        held_back_.clear();
        open_.clear();
        is_settling_ = false;
    }

    /// As placement::owner_of, among these.
    static const std::string* owner_in(const lists& among, std::string_view type,
                                       std::string_view channel);

private:
    using send_call = base::unique_function<void(const error*, const std::string& to)>;
    struct waiting_send {
        target to;
        /// No target yet: it waits for the list.
        bool waits_for_list = false;
        std::uint64_t place = 0;
        send_call send;
    };
    void cut();
    bool waits(const target& to) const {
        return to.is_unsure || (to.is_moving && !before_.empty() && !open_.contains(to.id)) ||
               held_back_.contains(to.id);
    }
    result<target> choose(const tables& registered, std::string_view type,
                          const door::route_param& by) const;
    void warn_of_no_room(const tables& registered, std::string_view type);
    void keep_back(waiting_send made);
    void look_again();
    template <class Is>
    void release(Is is, const error* why);
    static result<std::string> pick_among(const tables& registered, std::string_view type,
                                          const std::vector<door::server_info>& list,
                                          const door::route_param& by);

    cluster::view_ptr view_;
    lists by_type_;
    lists before_;
    bool is_settling_ = false;
    std::set<std::string, std::less<>> open_;
    /// Of whose requests by the list before.
    std::map<std::string, std::weak_ptr<const void>, std::less<>> held_back_;
    /// Those that nobody waits for any more.
    std::vector<std::weak_ptr<const void>> left_behind_;
    /// The types that were warned of.
    std::set<std::string, std::less<>> warned_;
    door::server_list all_ = std::make_shared<const std::vector<door::server_info>>();
    std::deque<waiting_send> waiting_;
    std::uint64_t last_place_ = 0;
    /// The latest list that others have told of, and that which did not come.
    std::uint64_t others_ = 0;
    std::uint64_t not_awaited_ = 0;
    /// What requests to each server hold, of the present list.
    std::map<std::string, std::shared_ptr<const void>, std::less<>> holds_;
};

} // namespace shaddock::server
