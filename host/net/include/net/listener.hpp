#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "base/network.hpp"
#include "base/turn_budget.hpp"
#include "net/allowance.hpp"
#include "net/drop.hpp"
#include "net/tls.hpp"

#include <shaddock/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Client connections: listening, the framings, the package-level life of a connection, bounded
/// write queues. Thread: the loop, for everything.
namespace shaddock::net {

/// Options of a frontend's client port. All from host.yaml (`connector:`).
struct listener_options {
    /// Empty: all interfaces.
    std::string host;
    /// 0: the system chooses (tests).
    std::uint16_t port = 0;
    /// Seconds between heartbeats as advertised; 0: no heartbeats sent, none expected.
    base::duration heartbeat{};
    /// A client that sends no heartbeat for this long is closed. Zero: twice `heartbeat`.
    base::duration heartbeat_timeout{};
    /// No byte in either direction for this long closes. Zero: never.
    base::duration idle_timeout = std::chrono::seconds(90);
    /// From accept to a whole handshake (HTTP upgrade included), and from its answer to the ack.
    /// Zero: never.
    base::duration handshake_timeout = std::chrono::seconds(10);
    base::duration ack_timeout = std::chrono::seconds(10);
    /// Largest package body from a client, bytes.
    std::size_t package_limit = std::size_t{64} * 1024;
    /// Bytes waiting to be sent to one connection; past it: queue cut at a package boundary, kick
    /// `slow consumer`, closed within 1 s.
    std::size_t pending_limit = std::size_t{1024} * 1024;
    /// Connections in all. 0: no limit. Once there are so many, who comes takes the place of one
    /// that is older than a second and has sent no message; if there is none, it is refused.
    std::size_t connections_limit = 10'000;
    /// File descriptors of the process that are not for clients: links, logs and modules need some.
    /// Below it, at most half of what the process may have, none is accepted.
    std::size_t descriptor_reserve = 32;
    /// Connections of one address (IPv6: of one /64). Trusted proxies are not counted. 0: no limit.
    std::size_t connections_per_address = 2'000;
    /// Handshakes per second, as many at once; one address has a quarter of it. 0: no limit.
    std::size_t handshake_rate = 2'000;
    /// Whose word on their clients' addresses counts: X-Forwarded-For, and PROXY headers.
    base::network_set trusted_proxies{};
    /// Every connection begins with a header of the PROXY protocol, and comes from a trusted proxy.
    bool proxy_protocol = false;
    /// Of pages that may connect; `*`: all. Who tells no origin is no page.
    std::vector<std::string> origins{"*"};
    /// Their connections are closed without a word.
    base::network_set denied{};
    bool no_delay = true;
    /// None: no TLS. With one, clients speak TLS over the same port, for both framings.
    std::shared_ptr<tls_identity> tls{};
    plain_clients plain = plain_clients::refused;
    /// Bytes of one client's requests without an answer; past it the client is not read.
    std::size_t unanswered_limit = std::size_t{512} * 1024;
    /// Bytes of all clients: unfinished packages, input that waits, requests without an answer; and
    /// what waits to be written to those who do not read. Past it those who hold most are closed.
    std::size_t input_limit = std::size_t{64} * 1024 * 1024;
    std::size_t output_limit = std::size_t{256} * 1024 * 1024;
    /// Bytes per second of a package under way that count as a sign of life. 0: they do not.
    std::size_t least_rate = 1024;
    /// Who sends faster is not read until time has paid for what was read.
    input_rates rates{};
    /// The turns of the loop, shared with others who bring work; outlives the listener. Null: the
    /// listener has its own.
    base::turn_budget* turns = nullptr;
};

/// A package made once and sent to many: `bytes` is a whole WebSocket frame (header, then one
/// Pomelo package); raw TCP sends it without the first `header_size` bytes.
struct encoded_package {
    std::string bytes;
    std::size_t header_size = 0;
};
/// Frames one whole Pomelo package (its 4-byte head included) for all framings.
encoded_package encode_for_all(std::string_view package);

enum class send_result { queued, overflowed, closed };

/// A client connection of one listener. Counts from 1, from the accept on: many never become a
/// session, which has an id of its own.
enum class connection_id : std::uint64_t {};
constexpr std::uint64_t number(connection_id id) {
    return static_cast<std::uint64_t>(id);
}

/// One client connection. The listener owns it; a reference stays valid until `on_closed` for it
/// has returned.
class connection {
public:
    virtual connection_id id() const = 0;
    /// `ip:port` of the client; `ip` alone where a proxy tells no port.
    virtual const std::string& address() const = 0;
    virtual base::ip_address client_ip() const { return {}; }
    /// At which of our addresses, or of a proxy's that tells it, the client has connected.
    virtual base::ip_address reached_at() const { return {}; }
    /// Appends to the write queue; all queues are flushed once per loop turn. Dropped (closed)
    /// unless the client has sent its ack.
    virtual send_result send(const encoded_package& made) = 0;
    /// The same for a package that goes to this client only.
    virtual send_result send_package(std::string_view package) = 0;
    /// Sends a kick package `{"reason":...}` if it can, then closes after it was written (at most 1
    /// s).
    virtual void kick(std::string_view reason) = 0;
    virtual std::size_t pending_bytes() const = 0;
    /// A message has cost as much as so many more.
    virtual void charge(std::size_t messages) = 0;
    /// So many bytes of what it has sent are kept until it is answered. Over its limit it is not
    /// read until half of it was given back.
    virtual void keep(std::size_t bytes) = 0;
    virtual void give_back(std::size_t bytes) = 0;

    /// Set by the owner of the events: who has not logged in goes first.
    bool is_logged_in = false;
    /// Free for the owner of the events.
    void* user = nullptr;
    /// The same for what a handshake leads to; goes with the connection, ready or not.
    std::shared_ptr<const void> agreed;

protected:
    ~connection() = default;
};

/// What a handshake is answered with; `json` is the whole body. Not accepted: it is sent and the
/// connection closed.
struct handshake_answer {
    bool accepted = false;
    std::string json;
};

/// Implemented by the server. Nothing here may destroy the listener.
class listener_events {
public:
    /// `json`: body of the client's handshake package, unchecked. None: the answer comes later, by
    /// listener::answer_handshake; until then the handshake timeout runs on.
    virtual std::optional<handshake_answer> on_handshake(connection& from,
                                                         std::string_view json) = 0;
    /// The ack came: data may flow.
    virtual void on_ready(connection& from) = 0;
    /// The body of a data package; valid during the call. False: malformed, the connection is
    /// closed.
    virtual bool on_data(connection& from, std::string_view message) = 0;
    /// Who the client of a connection is, for the log. Empty: nobody knows.
    virtual std::string name_of(const connection& /*one*/) const { return {}; }
    /// After this the connection is gone. Called for every connection that became ready, exactly
    /// once.
    virtual void on_closed(connection& which, std::string_view reason) = 0;

protected:
    ~listener_events() = default;
};

/// Bytes that a port's clients hold now.
struct held_bytes {
    /// Unfinished packages and input that waits.
    std::size_t input = 0;
    /// What `connection::keep` was told.
    std::size_t unanswered = 0;
    /// For those who do not read.
    std::size_t output = 0;
};

struct listener_counts {
    std::size_t connections = 0;
    std::uint64_t accepted = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t sends = 0;
    std::uint64_t packages_in = 0;
    std::uint64_t packages_out = 0;
    /// TLS handshakes that ended well, those of them that resumed a session, and those that did
    /// not end well.
    std::uint64_t tls_handshakes = 0;
    std::uint64_t tls_resumed = 0;
    std::uint64_t tls_refused = 0;
    /// Connections that are not read now, since their clients sent too fast; how often that began,
    /// and for how long it was.
    std::size_t throttled = 0;
    std::uint64_t throttles = 0;
    base::duration throttled_for{};
    held_bytes held{};
    std::array<std::uint64_t, drop_reasons> drops{};

    std::uint64_t& of(drop why) { return drops[static_cast<std::size_t>(why)]; }
    std::uint64_t of(drop why) const { return drops[static_cast<std::size_t>(why)]; }
};

/// A client port: WebSocket and raw TCP on the same port, told apart by the first bytes, at most
/// four.
/// Lifetime: destroying it closes all connections without a word to anybody; no event follows.
class listener {
public:
    virtual ~listener() = default;
    /// Opens the port. Errors: config, naming host, port and the system's reason.
    virtual result<void> start(listener_events& events) = 0;
    virtual std::uint16_t port() const = 0;
    virtual const listener_counts& counts() const = 0;
    /// The answer that on_handshake did not give at once. Nothing when the connection is gone by
    /// now or was answered before.
    virtual void answer_handshake(connection_id to, const handshake_answer& answer) = 0;
    /// From now on these networks are denied, and no others; who is connected from them is kicked.
    virtual void deny(base::network_set networks) = 0;
    /// Closes the port for new connections; existing ones stay.
    virtual void stop_accepting() = 0;
    /// Kicks all with `reason`, closes all; `done` is posted when the last is gone (at most 1 s).
    virtual void stop(std::string_view reason, base::unique_function<void()> done) = 0;
};

std::unique_ptr<listener> make_listener(boost::asio::any_io_executor executor, base::clock& clock,
                                        listener_options options);

} // namespace shaddock::net
