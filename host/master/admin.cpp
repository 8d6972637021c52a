#include "master/admin.hpp"

#include "admin_page.hpp"
#include "control/codec.hpp"
#include "control/requests.hpp"
#include "http.hpp"
#include "private_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <unistd.h>

namespace shaddock::master {
namespace {

http_response to_http(admin_answer answer) {
    http_response sent;
    sent.status = answer.status;
    sent.headers = {{"Content-Type", std::move(answer.type)}};
    sent.body = std::move(answer.body);
    return sent;
}

std::string refusal_text(std::string_view why) {
    return control::to_json(control::refusal{std::string(why)});
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

/// `%41` -> `A`, `+` -> a blank; what is no escape stays.
std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        const auto* end = text.data() + std::min(i + 3, text.size());
        if (text[i] == '%' && end == text.data() + i + 3 &&
            std::from_chars(text.data() + i + 1, end, value, 16).ptr == end) {
            plain.push_back(static_cast<char>(value));
            i += 2;
        } else {
            plain.push_back(text[i] == '+' ? ' ' : text[i]);
        }
    }
    return plain;
}

} // namespace

std::string admin_request::parameter(std::string_view name) const {
    for (std::string_view rest = query; !rest.empty();) {
        const auto one = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        if (one.substr(0, one.find('=')) == name) {
            return unescaped(one.substr(std::min(name.size() + 1, one.size())));
        }
    }
    return {};
}

admin_answer refusal(const error& why) {
    return {http_status(why.code()), refusal_text(why.text())};
}

struct admin_server::state {
    struct call {
        std::string method;
        std::string path;
        admin_access access;
        admin_handler handler;
    };

    state(const boost::asio::any_io_executor& executor, base::clock& clock,
          std::filesystem::path folder)
        : run(std::move(folder)), token(random_token()),
          server(executor, clock, {}, [this](const http_request& request, http_reply reply) {
              serve(request, std::move(reply));
          }) {}

    void serve(const http_request& request, http_reply reply) {
        if (page_folder && is_of_admin_page(request.target)) {
            return reply(serve_admin_page(*page_folder, request));
        }
        const auto mark = std::min(request.target.find('?'), request.target.size());
        const auto path = std::string_view(request.target).substr(0, mark);
        const auto at = std::ranges::find_if(calls, [&](const call& each) {
            return each.path == path && each.method == request.method;
        });
        const auto access = at != calls.end() ? at->access : admin_access::with_token;
        const bool is_reader = !readers_token.empty() &&
                               is_same_secret(request.authorization, "Bearer " + readers_token);
        if (is_reader && access == admin_access::with_token) {
            return reply(to_http({403, refusal_text("this token reads metrics and the list of "
                                                    "servers, and nothing else")}));
        }
        if (access != admin_access::anyone && !is_reader &&
            !is_same_secret(request.authorization, "Bearer " + token)) {
            return reply(to_http(
                {401, refusal_text("expected Authorization: Bearer <what <run>/token holds>")}));
        }
        if (at == calls.end()) {
            return reply(
                to_http({404, refusal_text(fmt::format("unknown; there are {}", known()))}));
        }
        const std::string query(request.target, std::min(mark + 1, request.target.size()));
        at->handler({query, request.body}, [reply = std::move(reply)](admin_answer answer) mutable {
            reply(to_http(std::move(answer)));
        });
    }

    std::string known() const {
        std::string text;
        for (const auto& each : calls) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", each.method, each.path);
        }
        return text;
    }

    std::filesystem::path run;
    std::string token;
    std::string readers_token;
    /// Its file is in the run folder.
    bool is_readers_token_here = false;
    /// Where clients of this machine reach it.
    std::string reach;
    std::vector<call> calls;
    std::optional<std::filesystem::path> page_folder;
    http_server server;
    bool is_started = false;
};

admin_server::admin_server(const boost::asio::any_io_executor& executor, base::clock& clock,
                           std::filesystem::path run)
    : state_(std::make_unique<state>(executor, clock, std::move(run))) {}

void admin_server::route(std::string_view method, std::string_view path, admin_handler handler,
                         admin_access access) {
    state_->calls.push_back({std::string(method), std::string(path), access, std::move(handler)});
}

result<void> admin_server::let_read(const std::filesystem::path& file, const std::string& group) {
    auto token = kept_secret(file.empty() ? state_->run / "metrics_token" : file, group);
    if (!token) {
        return error(errc::config, fmt::format("the metrics' token (host.yaml: metrics): {}",
                                               token.error().text()));
    }
    state_->readers_token = std::move(*token);
    state_->is_readers_token_here = file.empty();
    return {};
}

void admin_server::show_page(const std::filesystem::path& folder) {
    state_->page_folder = folder;
}

admin_server::~admin_server() {
    stop();
}

result<void> admin_server::start(const std::string& host, std::uint16_t port) {
    if (auto listening = state_->server.start(host, port); !listening) {
        return error(errc::config,
                     fmt::format("the master (master.json): {}", listening.error().text()));
    }
    // 0.0.0.0 is where to listen, not where to connect.
    state_->reach = host == "0.0.0.0" ? std::string("127.0.0.1") : host;
    state_->is_started = true;
    return write_place();
}

result<void> admin_server::write_place() const {
    const auto& run = state_->run;
    if (auto written = write_private_file(run / "token", state_->token + "\n"); !written) {
        return written;
    }
    if (state_->is_readers_token_here && !std::filesystem::exists(run / "metrics_token")) {
        if (auto written = write_private_file(run / "metrics_token", state_->readers_token + "\n");
            !written) {
            return written;
        }
    }
    return write_private_file(
        run / "admin.json",
        control::to_json(control::admin_place{state_->reach, state_->server.port(), getpid()}) +
            "\n");
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

} // namespace shaddock::master
