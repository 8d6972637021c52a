#include "master/admin.hpp"

#include "bus/run_folder.hpp"
#include "http.hpp"
#include "json.hpp"
#include "private_file.hpp"

#include <fmt/format.h>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace shaddock::master {
namespace {

http_response json_answer(unsigned status, std::string body) {
    http_response answer;
    answer.status = status;
    answer.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
    answer.body = std::move(body);
    return answer;
}

/// Takes as long for a wrong first digit as for a wrong last one.
bool is_same_secret(std::string_view a, std::string_view b) {
    unsigned difference = a.size() == b.size() ? 0U : 1U;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
    }
    return difference == 0;
}

unsigned http_status(errc code) {
    switch (code) {
    case errc::not_found:
        return 404;
    case errc::bad_request:
        return 400;
    case errc::duplicate:
        return 409;
    default:
        return 500;
    }
}

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

} // namespace

struct admin_server::state {
    state(boost::asio::any_io_executor executor, admin_target& what, std::filesystem::path folder)
        : target(what), run(std::move(folder)), token(random_token()),
          server(std::move(executor), {}, [this](const http_request& request, http_reply reply) {
              serve(request, std::move(reply));
          }) {}

    void serve(const http_request& request, http_reply reply) {
        if (!is_same_secret(request.authorization, "Bearer " + token)) {
            return reply(json_answer(
                401, error_json("expected Authorization: Bearer <what <run>/token holds>")));
        }
        const auto path = request.target.substr(0, request.target.find('?'));
        if (path == "/api/servers" && request.method == "GET") {
            const bool with_all = request.target.ends_with("?all=1");
            return reply(json_answer(200, to_json(target.list(with_all))));
        }
        if (path == "/api/stop" && request.method == "POST") {
            return serve_stop(request, std::move(reply));
        }
        if (path == "/api/reload" && request.method == "POST") {
            return serve_reload(request, std::move(reply));
        }
        reply(json_answer(404, error_json("unknown; there are GET /api/servers, POST /api/stop and "
                                          "POST /api/reload")));
    }

    void serve_stop(const http_request& request, http_reply reply) {
        const auto ids = ids_from_json(request.body);
        if (!ids) {
            return reply(json_answer(400, error_json(ids.error().text())));
        }
        if (ids->empty()) {
            reply(json_answer(202, "{}"));
            return target.stop_everything();
        }
        auto kept = std::make_shared<http_reply>(std::move(reply));
        const auto begun = target.stop(*ids, [kept] { (*kept)(json_answer(200, "{}")); });
        if (!begun) {
            (*kept)(
                json_answer(http_status(begun.error().code()), error_json(begun.error().text())));
        }
    }

    void serve_reload(const http_request& request, http_reply reply) {
        const auto wanted = reload_request_from_json(request.body);
        if (!wanted) {
            return reply(json_answer(400, error_json(wanted.error().text())));
        }
        auto kept = std::make_shared<http_reply>(std::move(reply));
        const auto begun =
            target.reload(wanted->targets, wanted->is_rollback,
                          [kept](const auto& lines) { (*kept)(json_answer(200, to_json(lines))); });
        if (!begun) {
            (*kept)(
                json_answer(http_status(begun.error().code()), error_json(begun.error().text())));
        }
    }

    admin_target& target;
    std::filesystem::path run;
    std::string token;
    http_server server;
    bool is_started = false;
};

admin_server::admin_server(boost::asio::any_io_executor executor, admin_target& target,
                           std::filesystem::path run)
    : state_(std::make_unique<state>(std::move(executor), target, std::move(run))) {}

admin_server::~admin_server() {
    stop();
}

result<void> admin_server::start(const std::string& host, std::uint16_t port) {
    if (auto listening = state_->server.start(host, port); !listening) {
        return error(errc::config,
                     fmt::format("the master (master.json): {}", listening.error().text()));
    }
    if (auto written = write_private_file(state_->run / "token", state_->token + "\n"); !written) {
        return written;
    }
    // 0.0.0.0 is where to listen, not where to connect.
    const auto reach = host == "0.0.0.0" ? std::string("127.0.0.1") : host;
    state_->is_started = true;
    return write_private_file(state_->run / "admin.json",
                              admin_place_json({reach, state_->server.port(), getpid()}) + "\n");
}

std::uint16_t admin_server::port() const {
    return state_->server.port();
}

void admin_server::stop() {
    if (std::exchange(state_->is_started, false)) {
        std::error_code ignored;
        std::filesystem::remove(state_->run / "admin.json", ignored);
    }
    state_->server.stop();
}

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
    const auto place = admin_place_from_json(*text);
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

result<std::vector<list_line>> admin_client::list(bool with_all) const {
    http_request request;
    request.method = "GET";
    request.target = with_all ? "/api/servers?all=1" : "/api/servers";
    request.authorization = "Bearer " + token_;
    auto answer = http_call(host_, port_, request, std::chrono::seconds(10));
    if (!answer) {
        return answer.error();
    }
    if (answer->status != 200) {
        return error(errc::refused, error_from_json(answer->body));
    }
    return list_from_json(answer->body);
}

result<std::vector<reload_line>> admin_client::reload(const std::vector<std::string>& targets,
                                                      bool is_rollback) const {
    http_request request;
    request.method = "POST";
    request.target = "/api/reload";
    request.authorization = "Bearer " + token_;
    request.body = reload_request_json({targets, is_rollback});
    auto answer = http_call(host_, port_, request, longest_reload);
    if (!answer) {
        return answer.error();
    }
    if (answer->status != 200) {
        return error(answer->status == 404 ? errc::not_found : errc::refused,
                     error_from_json(answer->body));
    }
    return reload_from_json(answer->body);
}

result<void> admin_client::stop(const std::vector<std::string>& ids) const {
    http_request request;
    request.method = "POST";
    request.target = "/api/stop";
    request.authorization = "Bearer " + token_;
    request.body = ids_json(ids);
    auto answer = http_call(host_, port_, request, longest_stop);
    if (!answer) {
        return answer.error();
    }
    if (answer->status >= 400) {
        return error(answer->status == 404 ? errc::not_found : errc::refused,
                     error_from_json(answer->body));
    }
    if (ids.empty() && !waits_until_gone(pid_, longest_stop)) {
        return error(errc::timeout,
                     fmt::format("the master (process {}) is still stopping after {} s", pid_,
                                 longest_stop.count()));
    }
    return {};
}

} // namespace shaddock::master
