#pragma once

#include "base/clock.hpp"
#include "base/rare_lines.hpp"
#include "channels.hpp"
#include "cluster/registry.hpp"
#include "directory.hpp"
#include "dispatcher.hpp"
#include "frontend.hpp"
#include "outgoing.hpp"

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

/// What a server does when the expected list changes: rooms whose names fall to another server by
/// the new list move there, and no request is lost on the way. A room is a channel that is its
/// server's by its name (directory::owner_in); other channels stay where they are.
///
///   everybody        routes by the new list, keeps back what goes to another server than before,
///                    and tells all others `list_known`: nothing routed by the old list comes after
///                    it
///   the owner before has heard that of all, has ended what had come by then, saves its rooms,
///                    sends `room_state` of each to its new owner, forgets them, tells
///                    `rooms_released`. One that leaves (`rooms: stay`) keeps those that have
///                    members, and tells `rooms_staying` before
///   a frontend       has heard that of all owners before, sends the new owners who is in their
///                    rooms (`moved_roster`), then `rooms_told`
///   the new owner    has heard of both, has its rooms whole, tells `rooms_ready`
///   everybody        sends what was kept back, once each server is ready, and not before it
///                    knows what stays
///
/// What stays is decided once, and again when a server that leaves lives anew (the rooms that the
/// frontends give back to it then), or has skipped a list, which may have taken it back. Whoever
/// links later is told; until then requests that may be for such a room wait for 500 ms, and are
/// then answered `recovering`. While somebody is linked whose build does not know of this, nothing
/// stays.
///
/// Who is down, or of a build that does not know this, is not waited for; each step has its limit
/// from the moment that the list came, the last one after 500 ms: what still waits then is answered
/// `recovering`. What a frontend tells of its rooms after that is compared with what serves. Casts
/// of one peer keep their order, so every message comes after all that it speaks of. A list that
/// comes meanwhile waits for its turn. Thread: the loop. Lifetime: what it is given outlives it;
/// stop() comes first.
class room_moves final : public rooms_to_come {
public:
    /// `clients` is null on a backend.
    room_moves(base::clock& clock, const door::server_info& self, outgoing& servers,
               directory& list, dispatcher& calls, channel_store& channels, frontend* clients)
        : clock_(clock), self_(self), servers_(servers), list_(list), calls_(calls),
          channels_(channels), clients_(clients) {}
    room_moves(const room_moves&) = delete;
    room_moves& operator=(const room_moves&) = delete;

    void on_view(const cluster::view_ptr& now);
    void on_cast(const bus::peer& from, wire::kind what, std::string_view bytes);
    void on_link_up(const bus::peer& with);
    /// Nobody runs under the id.
    void on_absent(std::string_view id);
    /// The frontends have told who is in the rooms.
    void on_recovered() { look(); }
    /// Whether a cast for the frontend waits: who sends it has taken rooms over by a list that this
    /// server has not heard of yet, since it stood still. It is kept then, and given to the
    /// frontend in order once the mirror follows. Limits as of `keep_request`.
    bool keeps(const bus::peer& from, wire::kind what, std::string_view bytes);
    /// Whether a frontend tells that somebody is lost from a room that is on its way here, of whose
    /// members it has told already. It is kept then: the room comes without that member.
    bool keeps_lost(const bus::peer& from, std::string_view bytes);
    bool is_anothers_by_name(std::string_view room) const override { return !may_own(room); }
    bool owes_seats(const std::string& frontend, std::uint64_t epoch) override;
    bool take_seat(std::uint64_t epoch, const std::string& channel, const bus::peer& from,
                   const door::member& who, bool is_lost) override;
    /// Asked of an owner before that has not told that it released its rooms: whether it may own
    /// them still, as far as is known here. Where nobody asks, it may not.
    void ask_who_may_own(std::function<bool(std::string_view id)> may_own) {
        may_other_own_ = std::move(may_own);
    }
    /// Whether such a one may serve the room still, though the list has made it this server's.
    bool is_others_still(std::string_view room) const;
    /// Of the list that has settled here.
    std::uint64_t epoch() const { return settled_; }
    /// Whether a request that was routed by this list comes too late: its room may have moved, or
    /// its frontend has gone on to a later list without this server, which had stood still.
    bool is_outdated(std::string_view from, std::uint64_t epoch) const;
    /// Whether the room is on its way from that owner to another: what is told of it goes to that.
    bool leaves(const std::string& owner, const std::string& room) const;
    /// Not when it is another server's by its name.
    bool may_own(std::string_view room) const;
    /// Nobody is to join it here, for it is another server's: this one leaves and it did not stay,
    /// or it stays with one that is not linked, so that whoever sends here may not have been told.
    /// In the latter case it may not be made a second time; one that has members is not that room.
    bool is_anothers(std::string_view room) const;
    /// Whether a request that was routed by this list is to wait, since this server has, or may
    /// have, stood still: what its sender has said since comes yet (`may_be_old`); or it comes
    /// before the room that it may mean: this server does not know the list, or has no rooms by it
    /// while the sender, who had moved them when the list came here, waits for none any more. Also
    /// while others that have waited are being served.
    bool is_early(std::string_view from, std::uint64_t epoch, bool may_be_old) const;
    /// Runs `serve` as soon as it is not, in order; after a second at the latest, or never when the
    /// link ends before the rest of what has come is read. `bytes`: what it holds. Limits: past
    /// 32 MiB nobody waits any more.
    void keep_request(std::string_view from, std::uint64_t epoch, bool may_be_old,
                      std::size_t bytes, base::unique_function<void()> serve);
    /// As bus::receiver::on_read_up.
    void on_read_up(std::string_view from);
    /// The link has ended: its callers have been told so.
    void drop_unread(std::string_view from);
    /// Called whenever a list has settled.
    void on_settled(base::unique_function<void()> told) { told_ = std::move(told); }
    /// What waits is answered `cancelled`.
    void stop();

private:
    using epochs = std::map<std::string, std::uint64_t, std::less<>>;
    using moved_rooms = std::map<std::string, channel_store::moved, std::less<>>;
    /// What a frontend has told of its seats, until the last chunk.
    struct told_seats {
        incarnation life{};
        std::uint64_t epoch = 0;
        moved_rooms rooms;
    };
    /// What has come too early.
    struct early {
        /// The list, for a request; the mirror, for a cast to the frontend; the rest of what its
        /// sender has said, and then the list.
        enum class awaited { list, mirror, rest };
        awaited what{};
        std::string from;
        /// Of a request.
        std::uint64_t epoch = 0;
        std::size_t bytes = 0;
        base::unique_function<void()> serve;
    };
    /// The change under way.
    struct change {
        directory::lists before;
        /// Later by the times in which this process stood still, and read nothing.
        base::time_point begun{};
        base::time_point looked{};
        /// Who had told of its rooms before this server knew the list, or may have.
        std::set<std::string, std::less<>> had_told{};
        /// Who has come into the list before a link to it was there: one is on its way.
        std::set<std::string, std::less<>> unmet{};
        /// Of dispatcher::mark, once everybody has told.
        std::optional<std::uint64_t> mark;
        bool has_released = false;
        bool has_told = false;
        bool is_ready = false;
        bool has_noted_silent = false;
    };

    void begin(const cluster::view_ptr& now);
    void look();
    void note_pause();
    void release();
    void decide_what_stays();
    room_names rooms_of(const leaving_server& self) const;
    void tell_staying(const std::string& to, const room_names& rooms);
    void learn_staying(const std::string& of);
    void note_build(const bus::peer& of);
    void release_rooms();
    void tell_rooms();
    void take_rooms();
    void take_coming();
    void settle();
    void note_silent_owners();
    void end_silence();
    void turn(std::uint64_t epoch);
    void note_told(std::string_view frontend);
    /// The list by which it has told of its rooms last.
    std::uint64_t told(std::string_view frontend) const;
    bool is_ahead(std::string_view owner) const;
    bool has_no_list(std::string_view from, std::uint64_t epoch) const;
    bool waits(const early& what) const;
    void keep(early what);
    void serve_early();
    void serve_all();
    void serve_due();
    bool may_release();
    bool is_late(base::duration limit) const { return clock_.now() - now_->begun >= limit; }
    /// Whether that was said of this list or a later one.
    static bool is_said(const epochs& what, std::string_view id, std::uint64_t epoch);
    bool has_said(const epochs& what, const std::string& id) const;
    /// It is up and knows of moves, so that it will say so.
    bool is_awaited(const std::string& id) const;
    bool have_all_said(const epochs& what, const placement& owners) const;
    /// Where the list has changed something.
    void tell_all(wire::kind what);
    void tell_others(wire::kind what);
    const std::string* new_owner(std::string_view type, const std::string& owner,
                                 const std::string& channel) const;
    void on_staying(const bus::peer& from, std::uint64_t epoch, wire::reader& in);
    void on_state(const bus::peer& from, std::uint64_t epoch, wire::reader& in);
    void on_seats(const bus::peer& from, std::uint64_t epoch, wire::reader& in);
    void take_seats(const bus::peer& from, const told_seats& told);
    bool is_too_late(std::uint64_t epoch, std::string_view room) const;
    void report(const std::string& channel, std::vector<door::member> gone);

    base::clock& clock_;
    const door::server_info& self_;
    outgoing& servers_;
    directory& list_;
    dispatcher& calls_;
    channel_store& channels_;
    frontend* clients_;
    std::optional<change> now_;
    cluster::view_ptr next_;
    std::uint64_t settled_ = 0;
    /// The list by which own rooms have moved last.
    std::uint64_t released_ = 0;
    /// Nothing is owned here by any list before that one.
    std::uint64_t let_go_ = 0;
    /// The list that has last changed the servers of the own type.
    std::uint64_t changed_ = 0;
    /// The latest epoch for which each server has said so.
    epochs known_;
    epochs gone_;
    epochs told_by_;
    epochs rosters_;
    epochs ready_;
    /// By the epoch of the list by which they come.
    std::map<std::uint64_t, moved_rooms> coming_;
    std::map<std::string, told_seats, std::less<>> chunks_;
    /// What servers that leave have told, maybe before the list has come that says that they do;
    /// and what of it is not whole yet.
    struct told_rooms {
        incarnation life{};
        std::uint64_t epoch = 0;
        std::size_t bytes = 0;
        std::shared_ptr<room_names> names{};
    };
    std::map<std::string, told_rooms, std::less<>> staying_;
    std::map<std::string, told_rooms, std::less<>> staying_chunks_;
    /// Of the list that the mirror follows.
    std::uint64_t turned_ = 0;
    /// Of all that frontends have told (`told_by_`).
    std::uint64_t last_told_ = 0;
    std::deque<early> early_;
    std::size_t early_bytes_ = 0;
    /// Nobody waits any more when the first of them has waited for long enough.
    base::timer early_end_;
    /// What has waited, and is to be served; some in each turn of the loop.
    std::deque<early> due_;
    std::size_t due_since_ = 0;
    base::timer serving_;
    /// Owners before some list that had not released their rooms when these were to serve here.
    struct silent_owner {
        std::string id;
        std::uint64_t epoch = 0;
        directory::lists before;
    };
    bool may_serve_still(const std::string& id, std::uint64_t epoch) const;
    std::vector<silent_owner> silent_;
    base::timer silence_;
    bool is_stopped_ = false;
    std::function<bool(std::string_view id)> may_other_own_;
    base::unique_function<void()> told_;
    base::rare_line late_states_;
    base::timer tick_;
};

} // namespace shaddock::server
