#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "master/reload.hpp"

#include <shaddock/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The admin API: HTTP with JSON on the master's address, opened by the token in `<run>/token`.
/// GET /api/servers[?all=1] -> 200 and an array of list_line; POST /api/stop {"ids":[..]} -> 200
/// once they are down, 404 for an unknown id; {"all":true}: 202 at once, and everything stops.
/// POST /api/reload {"targets":["<type or id>",..],"rollback":false,"dry_run":false} -> 200 with
/// what reload.hpp writes, once the last server has answered (whether they swapped stands in it);
/// 404 for an unknown target, 409 while another reload is under way or the system stops. Header:
/// `Authorization: Bearer <token>`, else 401. Errors: {"error":"<text>"}.
namespace shaddock::master {

/// One server of `host list`.
struct list_line {
    std::string id;
    std::string type;
    std::optional<pid_t> pid; // null: not running
    std::string state;        // starting|ready|draining|stopped|failed
    std::uint64_t uptime_s = 0;
    std::uint64_t rss_kb = 0; // VmRSS
    std::uint64_t connections = 0;
    std::string module;
    std::string version;
    std::string build_id;
    std::uint64_t generation = 1;
    /// As child_status has them.
    std::uint64_t ending = 0;
    std::uint64_t kept = 0;
    std::uint64_t life = 0; // "incarnation"
};

std::string to_json(const std::vector<list_line>& lines);
result<std::vector<list_line>> list_from_json(std::string_view text);
/// For people: one aligned line per server under a heading, and below them a warning for each that
/// keeps generations which do not end.
std::string to_table(const std::vector<list_line>& lines);

/// What the API can do. Thread: the loop.
class admin_target {
public:
    virtual std::vector<list_line> list(bool with_all) = 0;
    /// As supervisor::stop.
    virtual result<void> stop(const std::vector<std::string>& ids,
                              base::unique_function<void()> done) = 0;
    virtual void stop_everything() = 0;
    /// As reloads::start.
    virtual result<void>
    reload(reload_request wanted,
           base::unique_function<void(const std::vector<reload_line>&)> done) = 0;

protected:
    ~admin_target() = default;
};

/// One call of the API.
struct admin_request {
    /// After the `?`, as sent; empty without one.
    std::string query;
    std::string body;
    /// The value of `name` in the query, without %-escapes; empty when it is not there.
    std::string parameter(std::string_view name) const;
};
struct admin_answer {
    unsigned status = 200;
    std::string body = "{}";
    std::string type = "application/json";
};
/// {"error":"<text>"} under the HTTP status that the code stands for.
admin_answer refusal(const error& why);

using admin_reply = base::unique_function<void(admin_answer)>;
/// Answers once, inline or later.
using admin_handler = base::unique_function<void(const admin_request&, admin_reply)>;

/// Who may call: who has the token; also who has that of readers; anyone.
enum class admin_access { with_token, readers, anyone };

/// Listens, writes `<run>/token` and `<run>/admin.json` ({"host","port","pid"}), and removes the
/// latter on stop. Lifetime: `target` outlives it.
class admin_server {
public:
    admin_server(const boost::asio::any_io_executor& executor, base::clock& clock,
                 admin_target& target, std::filesystem::path run);
    ~admin_server();
    admin_server(const admin_server&) = delete;
    admin_server& operator=(const admin_server&) = delete;

    /// Adds a call, before `start`. Path: whole, without the query.
    void route(std::string_view method, std::string_view path, admin_handler handler,
               admin_access access = admin_access::with_token);

    /// Opens the calls for readers with the token that the file holds, too; before `start`. Empty:
    /// `<run>/metrics_token`. Errors: as kept_secret.
    result<void> let_read(const std::filesystem::path& file, const std::string& group);

    /// Serves the admin page from this folder, as admin_page.hpp says; before `start`.
    void show_page(const std::filesystem::path& folder);

    /// Errors: config.
    result<void> start(const std::string& host, std::uint16_t port);
    std::uint16_t port() const;
    void stop();

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// The other end, for the commands. Blocking.
/// Errors: not_found (no master on this run folder), refused or bad_request (its answer),
/// disconnected, timeout.
class admin_client {
public:
    static result<admin_client> open(const std::filesystem::path& run);

    result<std::vector<list_line>> list(bool with_all) const;
    /// Returns once they are down; with no ids once the master itself is gone.
    result<void> stop(const std::vector<std::string>& ids) const;
    /// As stop, but with SIGKILL.
    result<void> kill(const std::vector<std::string>& ids) const;
    /// Returns once the last server has answered.
    result<std::vector<reload_line>> reload(const reload_request& wanted) const;
    pid_t master_pid() const { return pid_; }
    /// The admin page's address with the token behind the `#`, which browsers send to nobody.
    std::string page_url() const;

    /// Any call: the answer's body. The text of a refusal is that of its {"error":..}.
    result<std::string> call(const std::string& method, const std::string& target,
                             std::string body = {},
                             std::chrono::milliseconds timeout = std::chrono::seconds(10)) const;

private:
    result<void> end(const std::string& target, const std::vector<std::string>& ids,
                     std::string body) const;

    std::string host_;
    std::uint16_t port_ = 0;
    pid_t pid_ = 0;
    std::string token_;
};

} // namespace shaddock::master
