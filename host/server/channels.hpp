#pragma once

#include "outgoing.hpp"

#include <shaddock/door.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::server {

class owned_channel;

/// What a roster is to be compared with beside the channels that are here: those that come, or have
/// gone, by a list of servers.
class rooms_to_come {
public:
    /// By the latest list, and by its name.
    virtual bool is_anothers_by_name(std::string_view channel) const = 0;
    /// A frontend tells its roster by that list. Whether it has told of channels that came, or will
    /// come, here by a list while this server stood still, so that it was not heard: who has a seat
    /// that is not known here has not missed a leave, and is kicked unless the seat is taken.
    virtual bool owes_seats(const std::string& frontend, std::uint64_t epoch) = 0;
    /// Takes a seat, or the loss of one, of a channel that comes by that list and is not here yet.
    virtual bool take_seat(std::uint64_t epoch, const std::string& channel, const bus::peer& from,
                           const door::member& who, bool is_lost) = 0;

protected:
    ~rooms_to_come() = default;
};

/// The channels that this server owns, and what it knows of their members: kept true against the
/// frontends' mirrors.
///
/// A server that begins a life does not know who is in its channels: each frontend says so when it
/// links, by a roster of the members and of those that it has lost meanwhile. Until all have done
/// so the store is recovering: nobody joins, and who was lost is announced when it is over, to all
/// members. Thread: the loop.
class channel_store {
public:
    /// Called after the member was taken out; never from within a call into the store.
    using lost_callback = std::function<void(const std::string& channel, const door::member& gone)>;

    channel_store(outgoing& to_frontends, lost_callback lost);
    ~channel_store();

    door::channel* find(std::string_view name);
    door::channel* create(std::string_view name);
    /// Takes all members out (the hook is not called).
    void destroy(std::string_view name);
    std::vector<std::string> names() const;
    std::size_t size() const { return channels_.size(); }
    std::size_t members() const;
    bool has_members(std::string_view name) const;
    /// Those that have members.
    std::size_t used() const;
    /// Nobody joins a channel of which this says that it is another server's.
    void refuse_if(std::function<bool(std::string_view name)> is_anothers) {
        is_anothers_ = std::move(is_anothers);
    }

    /// It waits for these frontends.
    void begin_recovery(std::set<std::string, std::less<>> frontends);
    /// That one has nothing to tell: it does not run.
    void expect_nothing_of(std::string_view frontend);
    /// Whoever has not told its roster by now has it compared when it comes.
    void end_recovery();
    bool is_recovering() const { return !awaited_.empty(); }
    /// Asked each time. Yes: others may own the channels by now, so nobody joins, and nothing is
    /// pushed to their members.
    void fence_if(std::function<bool()> is_fenced) { is_fenced_ = std::move(is_fenced); }
    bool is_fenced() const { return is_fenced_(); }
    /// As fence_if, of one channel.
    void fence_rooms_if(std::function<bool(std::string_view name)> is_fenced) {
        is_room_fenced_ = std::move(is_fenced);
    }
    bool is_fenced(std::string_view name) const { return is_fenced_() || is_room_fenced_(name); }
    /// Called when the rooms are whole, before anything is reported of them.
    void on_recovered(base::unique_function<void()> then) { recovered_ = std::move(then); }
    const std::set<std::string, std::less<>>& awaited() const { return awaited_; }
    /// This server has become a new incarnation: sessions of its own were of the old one.
    void live_anew(const bus::peer& old);

    /// A channel as it goes to another owner.
    struct moved {
        std::vector<door::member> members{};
        /// What the owner before knew of it; empty: nothing, or nobody has told.
        std::string state{};
        /// The owner before has told its members.
        bool is_told = false;
        /// As the owner before numbers the next one who joins; 0: it has not said so.
        std::uint64_t next_join = 0;
        /// What frontends have of it. Who is not there of those that have told has left meanwhile.
        std::vector<door::member> seats{};
        /// Who has left, and no owner has acknowledged it.
        std::vector<std::pair<bus::peer, door::member>> lost{};
    };
    /// From here on channels are released by a new list.
    void begin_release() { moved_away_.clear(); }
    /// The channel is no longer ours: nobody is told, and what still holds it finds it empty and
    /// shut. Until `forget_moved` it stays valid. Who is lost from it from now on is not
    /// acknowledged: its new owner is to hear of it.
    std::vector<door::member> release(std::string_view name);
    void forget_moved();
    /// The channel is ours. `has_told`: whose seats are complete. Gives those who left on the way,
    /// for `report`.
    std::vector<door::member> take_over(const std::string& name, const moved& from,
                                        const std::function<bool(const session_ref&)>& has_told);
    /// As take_over, of a frontend that tells its seats when the channel serves here already: those
    /// of its members that came with the channel and have no seat have left on the way, too.
    std::vector<door::member> take_late(const bus::peer& frontend, const std::string& name,
                                        const moved& from);
    /// Calls the hook for each.
    void report_moved(std::vector<std::pair<std::string, door::member>> gone) {
        report(departures{std::move(gone), {}, false});
    }
    std::uint64_t next_join() const { return next_join_; }
    /// Of the list under which it claims its channels.
    void set_epoch(std::uint64_t epoch) { epoch_ = epoch; }

    // what frontends report
    void on_link_up(const bus::peer& frontend);
    /// That life of the frontend is over: all its members are lost.
    void on_dead(const bus::peer& frontend);
    /// It has left the system, and no link will tell how it ended.
    void on_forgotten(const std::string& frontend);
    void on_member_lost(const bus::peer& from, std::string_view bytes);
    /// One chunk of a frontend's mirror of our channels; after the last the two are made equal.
    /// Form: u8 whether it is the last, text memberships, text memberships that were lost, u64
    /// epoch of the list by which it is told, text names of the channels that are ours by their
    /// names under that list, a text each. What is another's of those, under a later list, is
    /// passed over: the frontend hands it on when it has that list.
    void on_roster(const bus::peer& from, std::string_view bytes, rooms_to_come& rooms);

private:
    friend class owned_channel;
    struct seat {
        std::string channel;
        session_id session{};
        std::string uid;
        std::uint64_t joined = 0;
    };
    /// What is known of one frontend in its present life.
    struct frontend_state {
        incarnation life{};
        /// Joins from here on are newer than the roster of the present link.
        std::uint64_t joins_before_link = 0;
        /// A roster was compared before: the next one's unknown seats are leaves that the frontend
        /// missed. Before the first one they are members that an earlier life of this server had:
        /// adopted.
        bool is_known = false;
        /// Its members were taken out since it was known.
        bool was_dead = false;
        /// One that it has was not let in, and could not be told.
        bool has_expelled = false;
        std::vector<seat> roster;
        std::vector<seat> lost;
    };
    /// Members in order of leaving. `frontend`: whose loss of each is to be acknowledged when it
    /// was reported.
    struct departures {
        std::vector<std::pair<std::string, door::member>> gone;
        bus::peer frontend;
        bool is_owed_answer = false;
    };
    template <class F>
    std::vector<std::pair<std::string, door::member>> take_of(std::string_view frontend, F is_gone);
    void compare(const bus::peer& frontend, frontend_state& state, std::uint64_t epoch,
                 rooms_to_come& rooms);
    /// False: the uid has come in by another session meanwhile.
    bool adopt(const bus::peer& frontend, const seat& each);
    void bring_back_lost(const bus::peer& frontend, frontend_state& state, bool adopts);
    void acknowledge(const bus::peer& to, std::string_view channel, session_id who);
    void report(departures left);
    void tell_lost(const departures& left);
    bool is_up(const session_ref& session) const;
    bool may_live(const session_ref& session) const;
    void expel(owned_channel& from, const session_ref& who);

    std::function<bool()> is_fenced_ = [] { return false; };
    std::function<bool(std::string_view)> is_room_fenced_ = [](auto) { return false; };
    outgoing& to_frontends_;
    lost_callback lost_;
    std::map<std::string, std::unique_ptr<owned_channel>, std::less<>> channels_;
    std::vector<std::unique_ptr<owned_channel>> released_;
    /// The channels that went by the last list.
    std::set<std::string, std::less<>> moved_away_;
    std::uint64_t epoch_ = 0;
    std::function<bool(std::string_view name)> is_anothers_ = [](auto) { return false; };
    std::map<std::string, frontend_state, std::less<>> frontends_;
    /// Grows over all lives of this server: starts at the incarnation, and goes past all that
    /// rosters tell, so that adopted members sort before new ones even if the clock was set back.
    std::uint64_t next_join_;
    /// Frontends that have not told their rosters.
    std::set<std::string, std::less<>> awaited_;
    /// What is reported when the recovery is over.
    std::vector<departures> deferred_;
    base::unique_function<void()> recovered_;
};

} // namespace shaddock::server
