#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "control/reload.hpp"
#include "control/status.hpp"

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

/// The admin API: HTTP with JSON on the master's address, opened by the token in `<run>/token`
/// (header: `Authorization: Bearer <token>`, else 401). Which calls there are stands in
/// docs/operations.md, Admin API. Errors: {"error":"<text>"}.
namespace shaddock::master {

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
/// latter on stop.
class admin_server {
public:
    admin_server(const boost::asio::any_io_executor& executor, base::clock& clock,
                 std::filesystem::path run);
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
    /// Writes the files of the run folder again: somebody has removed them.
    result<void> write_place() const;
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

    result<control::server_rows> list(bool with_all) const;
    /// Ids, types, `all`. Returns once they are down; with no words once the master itself is gone.
    result<void> stop(const std::vector<std::string>& words) const;
    /// As stop, but with SIGKILL.
    result<void> kill(const std::vector<std::string>& words) const;
    /// They drain, at most for so long; returns at once. At least one.
    result<void> drain(const std::vector<std::string>& words,
                       std::chrono::milliseconds within) const;
    /// As stop; then nobody knows them any more. At least one.
    result<void> remove(const std::vector<std::string>& words) const;
    /// Returns once the last server has answered.
    result<control::reload_results> reload(const control::reload_request& wanted) const;
    pid_t master_pid() const { return pid_; }
    /// The admin page's address with the token behind the `#`, which browsers send to nobody.
    std::string page_url() const;

    /// Any call: the answer's body. The text of a refusal is that of its {"error":..}.
    result<std::string> call(const std::string& method, const std::string& target,
                             std::string body = {},
                             std::chrono::milliseconds timeout = std::chrono::seconds(10)) const;

private:
    result<void> end(const std::string& target, const std::vector<std::string>& ids) const;

    std::string host_;
    std::uint16_t port_ = 0;
    pid_t pid_ = 0;
    std::string token_;
};

} // namespace shaddock::master
