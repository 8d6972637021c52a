#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/metrics.hpp"

#include <shaddock/error.hpp>
#include <shaddock/ids.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Links between servers: calls, replies and casts in one order per pair of servers. What the bytes
/// mean is not the bus's business.
namespace shaddock::bus {

/// Versions of what goes over a link: the form of the frames (host/bus/frame.hpp) and of the
/// envelopes in them. Both ends say in their greeting which ones they speak; the link speaks the
/// highest that is common, so that a new build can be rolled over a running system. Version 1 was
/// the form before the greeting had a range: nobody speaks it any more. Version 3 has the question
/// for contracts (host/server/wire.hpp), version 4 the marks. Who speaks version 5 knows what to do
/// when it is told that it was declared dead, and owners acknowledge members that
/// were lost; and rooms move when the list of servers changes. Version 6 has what stays with a
/// server that leaves (`rooms: stay`), and the list of servers from those who have heard of it.
struct version_range {
    std::uint16_t lowest = 2;
    std::uint16_t highest = 6;
    friend bool operator==(const version_range&, const version_range&) = default;
};
/// The highest version that both speak; 0: there is none.
std::uint16_t common_version(version_range one, version_range other);

/// The server at the other end of a link.
struct peer {
    std::string id;
    incarnation life{};
    /// What the link speaks. Of a peer that is not linked: the highest of this build.
    std::uint16_t version = version_range{}.highest;
    friend bool operator==(const peer&, const peer&) = default;
};

/// Why a link went down.
enum class link_end {
    /// Broken; the peer may be alive. Its members stay until its death is proven.
    lost,
    /// The peer is proven dead: connection refused, another incarnation answered, or it was silent
    /// for longer than `silence`.
    dead,
    /// The peer said goodbye (graceful stop).
    bye,
    /// This side is stopping.
    stopped,
};

/// Payload of a call or cast: a number that the receiver dispatches on, and bytes.
/// Limits: 16 MiB of bytes.
struct envelope_view {
    std::uint8_t kind = 0;
    std::string_view bytes;
    /// Its link was not looked at for 250 ms, so that it may have waited while this process stood
    /// still, and what its sender has said since is not read yet: `receiver::on_read_up` follows.
    bool may_be_old = false;
    /// Of a cast: its link had ended on the other side while this process stood still. The sender
    /// reckons with its loss, or with its arrival, but not with an answer to it.
    bool is_last_word = false;
};

/// For whom a message is and what it costs, beside its own bytes: what the admission to a link
/// needs to know.
struct load {
    /// What it counts for: the room of a push, the session of a request. 0: nobody.
    std::uint64_t flow = 0;
    /// Bytes that the other side has to deal with on its account: those that it writes to all
    /// members. Where it is less than the message's own bytes, they count.
    std::size_t work = 0;
};

/// The right and the duty to answer one call. Destroyed without an answer: errc::internal goes
/// back. May be answered later; after the link is gone the answer is dropped.
class responder {
public:
    using sender = base::unique_function<void(result<std::string>)>;

    /// Of a cast: nobody waits.
    responder() = default;
    responder(base::time_point deadline, sender send)
        : deadline_(deadline), send_(std::move(send)) {}
    responder(responder&&) noexcept = default;
    // What can throw in here is an allocation; without memory the process may end.
    // NOLINTNEXTLINE(bugprone-exception-escape)
    ~responder() {
        if (send_) {
            reply(error(errc::internal, "the call was dropped without an answer"));
        }
    }

    explicit operator bool() const { return bool(send_); }
    /// What comes after the first answer is ignored.
    // NOLINTNEXTLINE(bugprone-exception-escape)
    void reply(result<std::string> answer) noexcept {
        if (auto send = std::exchange(send_, nullptr)) {
            send(std::move(answer));
        }
    }
    /// When the caller stops waiting, on this side's clock.
    base::time_point deadline() const noexcept { return deadline_; }

private:
    base::time_point deadline_{};
    sender send_;
};

/// Who serves what comes in. Thread: the loop. Frames of one peer arrive in the order it sent them.
class receiver {
public:
    virtual void on_call(const peer& from, envelope_view call, responder answer) = 0;
    virtual void on_cast(const peer& from, envelope_view cast) = 0;
    /// After what may be old: all that had come from the peer by now was handed over. Not called
    /// when the link ends before.
    virtual void on_read_up(const peer& from) { (void)from; }

protected:
    ~receiver() = default;
};

/// Who wants to know about links. Called in order of registration; `on_link_up` comes before any
/// frame of that link, `on_link_down` after the last.
class link_observer {
public:
    virtual void on_link_up(const peer& with) = 0;
    virtual void on_link_down(const peer& with, link_end why) = 0;
    /// A peer that is not linked is proven dead (also later than its link's loss).
    virtual void on_dead(const peer& gone) = 0;
    /// Nobody runs under this id now. Told at each try to reach it.
    virtual void on_absent(std::string_view id) { (void)id; }
    /// Others have declared this server dead, which it is told when it links again. All links were
    /// lost, and from here on it is `self`, a new incarnation; what the old one had with others is
    /// over for them.
    virtual void on_reborn(const peer& self) { (void)self; }

protected:
    ~link_observer() = default;
};

/// What a bus has done since its start. Bytes are whole frames, greetings apart.
struct bus_counts {
    /// This server's calls to others, by how they ended.
    base::outcome_counts calls;
    std::uint64_t casts = 0;
    /// Casts, and calls among `calls`, that a link did not admit.
    std::uint64_t refused_casts = 0;
    std::uint64_t refused_calls = 0;
    /// Memberships that had to wait for room, and those that a later one of the same session
    /// replaced there.
    std::uint64_t memberships_kept = 0;
    std::uint64_t memberships_replaced = 0;
    /// Calls and casts of others that were taken.
    std::uint64_t served = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    /// Links that went down while both sides meant to keep them.
    std::uint64_t links_lost = 0;
};
/// What waits on one link to be taken by the other side.
struct link_queue {
    std::string peer;
    std::size_t bytes = 0;
    /// What was given to the link and is not known to be done at the other side, as load::work.
    std::size_t work = 0;
};

/// A server's connection to all others. Implementations: local (one process), direct (Unix
/// sockets), later NATS. Thread: the loop. Lifetime: `stop` must have ended before destruction.
class bus {
public:
    virtual ~bus() = default;

    /// Opens for others. Errors: the id is already running (duplicate), the socket cannot be made
    /// (config).
    virtual result<void> start(receiver& serves) = 0;
    virtual void observe(link_observer& observer) = 0;
    /// The ids to hold links with, from now on, for ever: it dials and redials without end, the
    /// first time and after a loss at once, then with backoff up to 500 ms. Own id is ignored.
    virtual void set_peers(std::vector<std::string> ids) = 0;

    /// `done` is called exactly once, never inline: the reply's bytes, or remote error as sent by
    /// the other side, timeout, no_server (no link), disconnected (link broke; may have been
    /// executed), overloaded (not admitted, not sent), cancelled (stopping).
    virtual void call(std::string_view to, envelope_view what, base::time_point deadline,
                      base::unique_function<void(result<std::string>)> done,
                      const load& of = {}) = 0;
    /// Errors: no_server, overloaded (not admitted, not sent). Nothing that is sent breaks a link.
    virtual result<void> cast(std::string_view to, envelope_view what, const load& of = {}) = 0;
    /// Whether such a cast would be taken now: for messages to several servers, which go to all or
    /// to none. Error: overloaded, which counts as a refused cast.
    virtual result<void> admits(std::string_view to, std::size_t bytes, const load& of) = 0;
    /// A cast that is always taken, for memberships. When the link has no room it waits, and a
    /// later one with the same key (not empty) takes its place; until it has left, nothing but
    /// answers and memberships is admitted to that link. Errors: no_server.
    virtual result<void> tell(std::string_view to, envelope_view what, std::string_view key) = 0;

    virtual bool is_linked(std::string_view id) const = 0;
    virtual std::vector<peer> linked() const = 0;

    virtual const bus_counts& counts() const = 0;
    /// Of all links that are up.
    virtual std::vector<link_queue> queues() const = 0;
    /// Calls to others that wait for their answer.
    virtual std::size_t calls_in_flight() const = 0;

    /// News from elsewhere (the master saw it exit): breaks its link if any and tells the
    /// observers. That life may not link again.
    virtual void report_dead(const peer& gone) = 0;
    /// News from elsewhere: others have given this life up. As when one of them tells it
    /// (link_observer::on_reborn). `from`: who says so, for the log.
    virtual void report_own_death(std::string_view from) = 0;

    /// Says goodbye on every link and cancels all calls; closes each link when the other side has
    /// taken what was sent, at most a second later. `done` is posted.
    virtual void stop(base::unique_function<void()> done) = 0;
};

} // namespace shaddock::bus
