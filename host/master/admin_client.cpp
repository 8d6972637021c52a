#include "master/admin.hpp"

#include "bus/run_folder.hpp"
#include "control/codec.hpp"
#include "control/requests.hpp"
#include "http.hpp"
#include "private_file.hpp"

#include <fmt/format.h>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace shaddock::master {
namespace {

/// Whether the process is gone within the time.
bool waits_until_gone(pid_t pid, std::chrono::milliseconds limit) {
    const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0U));
    if (fd < 0) {
        return errno == ESRCH;
    }
    pollfd ready{fd, POLLIN, 0};
    const int events = poll(&ready, 1, static_cast<int>(limit.count()));
    close(fd);
    return events == 1;
}

// Four stages of 10 s each, and some air.
constexpr std::chrono::seconds longest_stop{60};
// The master itself bounds the time of each server; this is for a master that hangs.
constexpr std::chrono::minutes longest_reload{30};

/// What a person needs to know of a master that gave no answer.
error unanswered(const error& why, pid_t master, std::string_view method, std::string_view target,
                 std::chrono::milliseconds timeout) {
    const auto what = fmt::format("{} {}", method, target.substr(0, target.find('?')));
    if (why.code() == errc::timeout) {
        return {why.code(),
                fmt::format("the master (process {}) has not answered {} within {} s: it is still "
                            "at it, or hangs; the servers go on without it",
                            master, what,
                            std::chrono::duration_cast<std::chrono::seconds>(timeout).count())};
    }
    if (why.code() == errc::not_found) {
        return {errc::disconnected,
                fmt::format("the master (process {}) cannot be reached: {}", master, why.text())};
    }
    return {why.code(),
            fmt::format("the master (process {}) closed the line before it answered {} ({}): look "
                        "at `host list` and its log, what was asked may be done",
                        master, what, why.text())};
}

} // namespace

result<admin_client> admin_client::open(const std::filesystem::path& run) {
    const auto nobody = [&](const std::string& why) {
        return error(errc::not_found,
                     fmt::format("no master runs on {}: {}; start one with `host start --run {}`",
                                 run.string(), why, run.string()));
    };
    if (!bus::is_running(run, "master")) {
        return nobody("its lock is free");
    }
    const auto text = read_small_file(run / "admin.json");
    if (!text) {
        return nobody(text.error().text());
    }
    const auto place = control::from_json<control::admin_place>(*text, "admin.json");
    if (!place) {
        return nobody(place.error().text());
    }
    auto token = read_small_file(run / "token");
    if (!token) {
        return nobody(token.error().text());
    }
    while (!token->empty() && token->back() == '\n') {
        token->pop_back();
    }
    admin_client client;
    client.host_ = place->host;
    client.port_ = place->port;
    client.pid_ = place->pid;
    client.token_ = *token;
    return client;
}

result<std::string> admin_client::call(const std::string& method, const std::string& target,
                                       std::string body, std::chrono::milliseconds timeout) const {
    http_request request;
    request.method = method;
    request.target = target;
    request.authorization = "Bearer " + token_;
    request.body = std::move(body);
    auto answer = http_call(host_, port_, request, timeout);
    if (!answer) {
        return unanswered(answer.error(), pid_, method, target, timeout);
    }
    if (answer->status >= 400) {
        const auto said = control::from_json<control::refusal>(answer->body);
        const auto why = said ? said->error : std::string();
        return error(answer->status == 404 ? errc::not_found : errc::refused,
                     why.empty() ? fmt::format("{} {} was answered with status {}", method, target,
                                               answer->status)
                                 : why);
    }
    return std::move(answer->body);
}

std::string admin_client::page_url() const {
    const bool is_v6 = host_.find(':') != std::string::npos;
    return fmt::format("http://{}{}{}:{}/admin#token={}", is_v6 ? "[" : "", host_, is_v6 ? "]" : "",
                       port_, token_);
}

result<control::server_rows> admin_client::list(bool with_all) const {
    const auto answer = call("GET", with_all ? "/api/servers?all=1" : "/api/servers");
    if (!answer) {
        return answer.error();
    }
    return control::from_json<control::server_rows>(*answer, "servers");
}

result<control::reload_results> admin_client::reload(const control::reload_request& wanted) const {
    const auto answer = call("POST", "/api/reload", control::to_json(wanted), longest_reload);
    if (!answer) {
        return answer.error();
    }
    return control::from_json<control::reload_results>(*answer);
}

result<void> admin_client::stop(const std::vector<std::string>& words) const {
    return end("/api/stop", words);
}

result<void> admin_client::drain(const std::vector<std::string>& words,
                                 std::chrono::milliseconds within) const {
    const auto answer = call("POST", "/api/drain",
                             control::to_json(control::drain_request{
                                 words, static_cast<std::uint64_t>(within.count())}));
    return answer ? result<void>() : answer.error();
}

result<void> admin_client::kill(const std::vector<std::string>& words) const {
    return end("/api/kill", words);
}

result<void> admin_client::remove(const std::vector<std::string>& words) const {
    return end("/api/remove", words);
}

result<void> admin_client::end(const std::string& target,
                               const std::vector<std::string>& words) const {
    const auto answer =
        call("POST", target, control::to_json(control::end_of(words)), longest_stop);
    if (!answer) {
        return answer.error();
    }
    if (words.empty() && !waits_until_gone(pid_, longest_stop)) {
        return error(errc::timeout,
                     fmt::format("the master (process {}) is still stopping after {} s", pid_,
                                 longest_stop.count()));
    }
    return {};
}

} // namespace shaddock::master
