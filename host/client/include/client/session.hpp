#pragma once

#include "base/clock.hpp"
#include "client/connection.hpp"
#include "client/statement.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::client {

struct session_options {
    /// Asked for a frontend first; none: `frontend` is the one.
    std::optional<address> gate;
    address frontend;
    transport over = transport::websocket;
    /// Whom the gate is asked for.
    std::string uid;
    /// For a connection, an answer, and a push waited for.
    base::duration timeout = std::chrono::seconds(10);
    /// One JSON object per line instead of text for people.
    bool as_json = false;
};

/// What a session says of itself.
class session_events {
public:
    virtual ~session_events() = default;
    /// Whole lines to print, each with its end.
    virtual void on_text(std::string_view lines) = 0;
    /// The connection has ended, or could not be opened; the last call. What waits is told first.
    virtual void on_closed(const error& why) = 0;
};

/// Runs the statements of `host client`, one at a time, on one connection, and prints answers and
/// pushes. Limits: the latest pushes are kept for `wait`, at most
/// 1000 and 16 MiB.
/// Thread: the loop. Lifetime: `events`, `clock` and `random` outlive it.
class session final : private connection_events {
public:
    using done_call = base::unique_function<void(const result<void>& outcome)>;

    session(boost::asio::io_context& loop, base::clock& clock, base::random& random,
            session_options options, session_events& events);
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session() override { close(); }

    /// Asks the gate, if there is one, and connects. `opened` is called once, later; not with an
    /// error: that goes to on_closed. Errors of the gate: its answer names no frontend.
    void open(base::unique_function<void()> opened);
    /// Runs one; `done` is called once, maybe before run() returns, and never after close(). Begin
    /// the next one only then. `help` and `quit` do nothing but succeed; quit is the caller's.
    /// Errors: of the connection; timeout; refused: what `expect` says is not so.
    void run(const statement& wanted, done_call done);
    /// Gives the statement that waits up: `done` gets `cancelled`. Without one, nothing.
    void cancel();
    void close();

    /// Whom it speaks to.
    const address& frontend() const { return options_.frontend; }
    /// Of the dictionary, and those that pushes have come from; sorted.
    std::vector<std::string> known_routes() const;

private:
    struct pushed {
        std::string route;
        std::string body;
    };

    void on_open() override;
    void on_push(std::string_view route, std::string_view body) override;
    void on_closed(const error& why) override;

    void ask_gate();
    void take_entry(const result<std::string>& body);
    void connect(const address& to);
    void begin(const nothing&) { finish({}); }
    void begin(const ask& wanted);
    void begin(const tell& wanted);
    void begin(const listen& wanted);
    void begin(const await_push& wanted);
    void begin(const expect& wanted);
    void begin(const pause& wanted);
    void begin(const info&);
    void begin(const routes&);
    void begin(const help&);
    void begin(const quit&) { finish({}); }

    bool take_push();
    void finish(const result<void>& outcome);
    void answered(const std::string& route, base::time_point asked,
                  const result<std::string>& body);
    void print_answer(const std::string& route, double ms, std::string_view body);
    void print_push(std::string_view route, std::string_view body);

    boost::asio::io_context& loop_;
    base::clock& clock_;
    base::random& random_;
    session_options options_;
    session_events& events_;
    std::shared_ptr<connection> connection_;
    /// The gate is being asked.
    bool is_at_gate_ = false;
    /// The connection has ended.
    bool is_over_ = false;
    base::unique_function<void()> opened_;

    done_call done_;
    /// Counts statements: what comes for one that was given up is nobody's.
    std::uint64_t run_ = 0;
    base::timer patience_;
    std::string awaited_;
    /// Pushes that no wait has taken, the oldest first.
    std::deque<pushed> pushes_;
    std::size_t push_bytes_ = 0;
    std::vector<std::string> push_routes_;
    listen listening_;
    /// What `expect` looks at, and what it is called.
    std::optional<std::string> last_;
    std::string last_name_;
};

} // namespace shaddock::client
