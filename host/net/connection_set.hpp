#pragma once

#include "admission.hpp"
#include "connection.hpp"
#include "sweep_wheel.hpp"

#include <net/listener.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace shaddock::net {

/// What the connections of one listener share: options, counts, the read buffer, the end of the
/// loop turn, deadlines. Thread: the loop. Lifetime: outlives no posted work of its own; a
/// connection that its handlers keep alive longer never touches it.
class connection_set final : public base::turn_budget::finisher {
public:
    connection_set(boost::asio::any_io_executor executor, base::clock& clock,
                   listener_options options);
    connection_set(const connection_set&) = delete;
    connection_set& operator=(const connection_set&) = delete;
    ~connection_set();

    /// Bytes read at once.
    static constexpr std::size_t read_bytes = std::size_t{64} * 1024;
    char* read_buffer() { return read_buffer_.get(); }

    const listener_options& options() const { return options_; }
    listener_counts& counts() { return counts_; }
    const listener_counts& counts() const { return counts_; }
    /// Of counts().held: what those hold who are closing already.
    held_bytes& held_by_leaving() { return leaving_; }
    /// How often all connections were looked at to see who holds most.
    std::uint64_t walks_for_memory() const { return walks_for_memory_; }
    listener_events& events() { return *events_; }
    void set_events(listener_events& events) { events_ = &events; }
    base::clock& clock() { return clock_; }
    base::turn_budget& turns() { return turns_; }

    /// What lies between the socket and its packages; without it nothing does.
    using stream_maker = std::function<std::unique_ptr<stream>(std::unique_ptr<stream> below,
                                                               const client_origin& origin)>;
    void serve_over(stream_maker maker) { stream_maker_ = std::move(maker); }
    std::unique_ptr<stream> for_clients(std::unique_ptr<stream> below,
                                        const client_origin& origin) const {
        return stream_maker_ ? stream_maker_(std::move(below), origin) : std::move(below);
    }
    /// What can be decided of a peer before it has a connection; fills in the rest of `origin`.
    /// False: it is closed at once.
    bool lets_in(client_origin& origin);
    /// Takes over the stream of a connected client, which was let in.
    void add(std::unique_ptr<stream> bytes, const client_origin& origin);
    /// Ends the oldest connection that is older than a second and has sent no message. False: there
    /// is none.
    bool displace_newcomer();
    /// It was let in, but nothing came of it, or it is over.
    void forget(const client_origin& origin);
    /// A proxy has told who the client is: takes a place of that address, or refuses it.
    void found(client_origin& origin, const base::ip_address& client, std::uint16_t number);
    /// It was refused after it had a place: others may have that now. False: so many who are
    /// refused wait already that it must go at once.
    bool give_place_back(client_origin& origin);
    /// Whether the rate of handshakes has room for one more; else `origin` is refused.
    bool may_greet(client_origin& origin);
    /// Counts a refusal; says it in the log once a minute. `cause`: what exactly was wrong.
    void note(drop why, const client_origin& of, std::string_view cause = {});
    const base::network_set& trusted_proxies() const { return admission_.trusted(); }
    void deny(base::network_set networks);
    /// `one` waits for the owner's answer to its handshake.
    void await_answer(client_connection& one);
    void answer_handshake(connection_id to, const handshake_answer& answer);
    /// The connection is over and its stream closed: forgets it.
    void remove(client_connection& gone);
    /// At the end of this turn: flushes `one`. Once per turn and connection.
    void flush_later(client_connection& one);
    /// At the end of this turn: on_closed for `one`, before all flushes.
    void report_closed_later(client_connection& one, std::string_view reason);
    /// Looks at the connection's deadline when it is due; call again when it comes nearer.
    void watch(client_connection& one);

    /// Ends the pause at `due`, at most a few milliseconds late.
    void wake(client_connection::pause& one, base::time_point due);

    /// Memory for a write queue, from one that is idle now.
    std::string take_storage();
    void give_storage(std::string&& storage);

    void kick_all(std::string_view reason);
    /// Posts `done` once no connection is left and all were reported.
    void when_empty(base::unique_function<void()> done);

private:
    struct closed_report {
        connection_ptr connection;
        std::string reason;
    };

    void end_turn_later() { turns_.begin(); }
    void end_turn() override;
    bool has_room();
    void admit(client_origin& origin);
    void sweep();
    void check_deadlines();
    void arm_sweep();
    void end_pauses();
    void keep_to_budget();
    void make_room(std::size_t (client_connection::*held)() const, std::size_t limit);
    void complain(std::size_t gone, std::size_t limit);
    void note_throttled(client_connection::pause& one);
    void finish_if_empty();

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    listener_options options_;
    /// Unless the options have one.
    std::optional<base::turn_budget> own_turns_;
    base::turn_budget& turns_;
    listener_counts counts_;
    held_bytes leaving_;
    listener_events* events_ = nullptr;
    std::unique_ptr<char[]> read_buffer_;

    stream_maker stream_maker_;
    admission admission_;
    std::list<connection_ptr> all_;
    newcomers newcomers_;
    /// Connections that are no more than the limit. The others stay only until they are told why.
    std::size_t placed_ = 0;
    std::uint64_t last_id_ = 0;
    std::unordered_map<connection_id, connection_ptr> deciding_;
    std::vector<connection_ptr> dirty_;
    std::vector<connection_ptr> flushing_;
    std::vector<closed_report> closed_;
    std::vector<std::string> spare_;

    sweep_wheel wheel_;
    base::timer sweep_timer_;
    sweep_wheel pauses_;
    base::timer pause_timer_;
    /// Since the last line of the log that told of it: clients that were not read for a while, and
    /// the first of them.
    std::size_t throttled_ = 0;
    std::string first_throttled_;
    std::uint64_t throttle_line_ = 1;
    base::rare_line throttle_complaint_;
    base::unique_function<void()> when_empty_;
    std::uint64_t walks_for_memory_ = 0;
    /// Since the last complaint.
    std::size_t dropped_for_memory_ = 0;
    base::time_point next_complaint_ = base::time_point::min();
};

} // namespace shaddock::net
