#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"

#include <shaddock/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// One process's connection to NATS: subjects, bytes, and whether it is up. What the messages mean
/// is not its business.
namespace shaddock::nats {

/// How the connection is encrypted. All files are PEM.
struct tls_options {
    /// A server address `tls://` turns it on too.
    bool is_on = false;
    /// Who signs the server's certificate; empty: the system's store.
    std::filesystem::path ca;
    /// What this process shows; both or neither.
    std::filesystem::path certificate;
    std::filesystem::path key;
    /// No: any certificate is taken. For tests only.
    bool is_verified = true;
    /// The name in the server's certificate, when it is not that of its address.
    std::string server_name;
};

/// Who this process is for NATS; at most one kind. They are never in a text that leaves this room.
struct credentials {
    std::string user;
    std::string password;
    std::string token;
    /// A `.creds` file: a JWT and its seed.
    std::filesystem::path creds;
    /// A file with the seed of an nkey.
    std::filesystem::path nkey_seed;
};

struct options {
    /// `nats://10.0.0.4:4222`; one or more, of one NATS cluster. The others of it are learnt.
    std::vector<std::string> servers;
    /// How it is listed at the server: `shaddock prod connector-1`.
    std::string name;
    /// Where answers come in; one token or more. Under the same root as all else, so that one rule
    /// of NATS's permissions covers this process.
    std::string inbox_prefix = "_INBOX";
    tls_options tls;
    credentials who;
    /// Between two tries to reach a server, and how long one may take.
    std::chrono::milliseconds reconnect_wait{100};
    std::chrono::milliseconds connect_timeout{1000};
    /// A server that answers nothing for three of these is left.
    std::chrono::milliseconds ping_interval{1000};
    /// Bytes that may wait in this process for the server to take them; what is over it is refused.
    std::size_t send_limit = std::size_t{64} * 1024 * 1024;
    /// Bytes of one subscription that may wait in this process to be handled; what is over it is
    /// dropped and told (observer::on_slow_consumer).
    std::size_t receive_limit = std::size_t{16} * 1024 * 1024;
    /// The server's `max_payload` must be as large, else it counts as down, and `trouble` says why.
    std::size_t least_max_payload = std::size_t{64} * 1024;
};

/// Something that came in on a subscription.
struct message {
    std::string subject;
    /// Where an answer is expected; empty: nowhere.
    std::string reply;
    std::string bytes;
    /// The server's word that nobody listens where a message was published with this subject as its
    /// `reply`.
    bool is_no_responders = false;
};

/// Names and values that go before the bytes of a message: what JetStream is to do with it.
using headers = std::vector<std::pair<std::string, std::string>>;

/// Who wants to know how the connection does. Thread: the loop.
class observer {
public:
    /// It is up, the first time or again; subscriptions are in place. What was published before a
    /// loss may be lost.
    virtual void on_up() = 0;
    virtual void on_down() = 0;
    /// After `publish` has answered overloaded: there is room again.
    virtual void on_room() {}
    /// Messages of a subscription were dropped.
    virtual void on_slow_consumer(std::string_view subject) { (void)subject; }

protected:
    ~observer() = default;
};

/// A subscription; it ends with this object, after which the callback is not called any more.
/// Thread: the loop. Lifetime: may outlive the connection.
class subscription {
public:
    struct state;

    subscription() = default;
    explicit subscription(std::shared_ptr<state> shared) : state_(std::move(shared)) {}
    subscription(subscription&&) noexcept = default;
    subscription& operator=(subscription&& other) noexcept {
        end();
        state_ = std::move(other.state_);
        return *this;
    }
    ~subscription() { end(); }

    explicit operator bool() const { return state_ != nullptr; }
    void end();

private:
    std::shared_ptr<state> state_;
};

/// The private side: what other files of this room need of it (host/nats/handle.hpp).
class handle;

/// One connection to NATS, which is made again for ever when it is lost. Nothing here blocks: the
/// library, which may wait for the server in any call, is called on a thread of its own.
/// Thread: the executor's loop. Lifetime: `stop` must have ended before it is destroyed.
class connection {
public:
    using on_message = base::unique_function<void(message)>;

    connection(boost::asio::any_io_executor executor, base::clock& clock, options wanted);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection();

    /// Begins to connect, and returns at once; observers are told when it is up.
    /// Errors: config (an address, a certificate or credentials that cannot be used).
    result<void> start();
    /// Observers of an object that is up already are told by post. Called in order of registration.
    /// Lifetime: an observer outlives `stop`, or leaves by `forget`.
    void observe(observer& told);
    void forget(observer& told);

    bool is_up() const;
    /// How often it was up: 1 from the first time on.
    std::uint64_t times_up() const;
    /// Of the server that it is connected to, as `nats://10.0.0.4:4222`; empty while it is down.
    std::string server() const;
    /// Why it is down, in the library's words; empty: it is up, or was never tried.
    std::string trouble() const;
    /// Of one message, as the server says; 0 before the first time up.
    std::size_t max_payload() const;
    /// Bytes that the server has not taken yet.
    std::size_t waiting() const;
    /// A subject that nobody can guess: `prefix.` and 32 digits.
    static std::string secret_subject(std::string_view prefix);

    /// Hands a message to the server; delivery is not promised. `reply` may be empty; if it is not,
    /// and nobody listens at `subject`, the server says so there (message::is_no_responders).
    /// Errors: disconnected (it is down), overloaded (over `send_limit`), bad_request (over
    /// max_payload).
    result<void> publish(std::string_view subject, std::string_view reply, std::string_view bytes,
                         headers with = {});

    /// Calls `heard` for each message on `subject`, in order for one subscription, until the
    /// subscription ends or the connection stops. What is published after this, by this connection,
    /// finds the subscription in place. It survives losses of the connection; what was sent
    /// meanwhile is lost. Errors: bad_request (not a subject), cancelled (stopped).
    result<subscription> subscribe(std::string_view subject, on_message heard);

    /// Publishes and waits for one answer. `done` is called once, by post. Errors: no_server
    /// (nobody listens), timeout, disconnected, overloaded, bad_request, cancelled (stopped).
    void request(std::string_view subject, std::string_view bytes,
                 std::chrono::milliseconds timeout,
                 base::unique_function<void(result<std::string>)> done, headers with = {});

    /// What waits is sent for at most a second, then all ends. `done` is posted.
    void stop(base::unique_function<void()> done);

    /// For the other files of this room.
    handle raw() const;

private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace shaddock::nats
