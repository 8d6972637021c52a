// How a connection begins: the PROXY header, the framing, the upgrade of HTTP, the handshake. The
// rest of what a client sends is in connection_input.cpp.
#include "connection.hpp"

#include "connection_set.hpp"

#include <protocol/handshake.hpp>
#include <protocol/proxy_header.hpp>
#include <protocol/upgrade.hpp>
#include <protocol/websocket.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace shaddock::net {

namespace {

using protocol::package_type;
namespace close_code = protocol::close_code;

/// Whether the bytes can be the beginning of an HTTP request: their first four decide, or as many
/// as there are.
bool may_begin_http(std::string_view head) {
    constexpr std::array<std::string_view, 9> methods{"GET ", "POST", "PUT ", "HEAD", "DELE",
                                                      "OPTI", "PATC", "TRAC", "CONN"};
    const auto seen = head.substr(0, methods.front().size());
    return std::any_of(methods.begin(), methods.end(),
                       [seen](std::string_view method) { return method.starts_with(seen); });
}

/// For people: the body of an HTTP answer, and the log.
const char* words_of_refusal(drop why) {
    switch (why) {
    case drop::connections_limit:
        return "the server is full";
    case drop::address_limit:
        return "too many connections from this address";
    case drop::handshake_rate:
        return "too many handshakes at a time";
    case drop::origin:
        return "pages of this origin may not connect";
    default:
        return "refused";
    }
}

} // namespace

/// Reads not a byte more than the header: what follows belongs to the stream above, which may be
/// TLS. False: it is not whole, or refused.
bool client_connection::read_proxy_header() {
    auto header = protocol::read_proxy_header(partial_.view());
    while (header.status == protocol::proxy_status::need_more) {
        char* buffer = owner_.read_buffer();
        const auto got = stream_->read_some(buffer, header.wanted - partial_.size());
        if (got.status == stream_status::ended || got.status == stream_status::failed) {
            lost(got.status == stream_status::ended ? "closed by the client" : got.problem);
            return false;
        }
        if (got.size == 0) {
            stream_->wait_readable(this);
            return false;
        }
        owner_.counts().bytes_in += got.size;
        partial_.append({buffer, got.size});
        header = protocol::read_proxy_header(partial_.view());
    }
    if (header.status == protocol::proxy_status::bad) {
        owner_.note(drop::proxy_header, origin_, header.problem);
        lost(header.problem);
        return false;
    }
    partial_.clear();
    origin_.must_have_header = false;
    if (!header.is_own) {
        origin_.reached_at = header.to;
        came_from(header.from, header.from_port);
    }
    if (origin_.refused && (origin_.refused == drop::denied || !owner_.give_place_back(origin_))) {
        lost("refused");
        return false;
    }
    stream_ = owner_.for_clients(std::move(stream_), origin_);
    return true;
}

void client_connection::came_from(const base::ip_address& client, std::uint16_t number) {
    owner_.found(origin_, client, number);
    address_ = base::to_text(client, number);
    if (origin_.refused) {
        newcomer_entry::unlink();
        owner_.give_place_back(origin_);
        // It has less time than those who are let in.
        owner_.watch(*this);
    }
}

/// A package begins with its type, HTTP with a method: at most four bytes decide, however
/// they are cut.
std::size_t client_connection::open_framing(char* data, std::size_t size) {
    if (protocol::is_package_type(data[0])) {
        framing_ = make_package_framing(owner_.options().package_limit);
        phase_ = phase::greeting;
        return 0;
    }
    if (!may_begin_http({data, size})) {
        violation(close_code::protocol_error, "neither HTTP nor a package");
        return size;
    }
    return open_http({data, size});
}

std::size_t client_connection::open_http(std::string_view head) {
    const auto outcome = protocol::answer_upgrade_request(head);
    switch (outcome.status) {
    case protocol::upgrade_status::need_more:
        wanted_ = head.size() + 1;
        return 0;
    case protocol::upgrade_status::accepted:
        break;
    case protocol::upgrade_status::refused:
        open_queue();
        queue_.push_opaque(outcome.answer);
        violation(close_code::protocol_error, outcome.problem);
        return head.size();
    }
    const auto& trusted = owner_.trusted_proxies();
    if (const auto client = client_behind(origin_.from, outcome.forwarded_for, trusted);
        client != origin_.from) {
        came_from(client, 0);
    }
    if (origin_.refused == drop::denied) {
        return refuse_http(head, 403, "Forbidden", drop::denied);
    }
    if (origin_.refused) {
        return refuse_http(head, 503, "Service Unavailable", *origin_.refused);
    }
    if (outcome.origin && !is_origin_allowed(*outcome.origin, owner_.options().origins)) {
        // Of what a stranger has sent, no more than one reads.
        owner_.note(drop::origin, origin_, outcome.origin->substr(0, 100));
        return refuse_http(head, 403, "Forbidden", drop::origin);
    }
    open_queue();
    queue_.push_opaque(outcome.answer);
    framing_ = make_websocket_framing(owner_.options().package_limit);
    phase_ = phase::greeting;
    appended();
    return outcome.used;
}

/// What it is refused for was counted before.
std::size_t client_connection::refuse_http(std::string_view head, int status,
                                           std::string_view reason, drop why) {
    open_queue();
    queue_.push_opaque(protocol::http_refusal(status, reason, words_of_refusal(why)));
    say_goodbye(close_code::policy, words_of_refusal(why), std::nullopt);
    return head.size();
}

/// Who is not served is told so in the only words that a client reads before it works.
void client_connection::refuse_handshake() {
    append_package(package_type::handshake, protocol::handshake_failure(500));
    say_goodbye(close_code::policy, words_of_refusal(*origin_.refused), std::nullopt);
}

void client_connection::on_handshake(std::string_view json) {
    if (origin_.refused || !owner_.may_greet(origin_)) {
        return refuse_handshake();
    }
    phase_ = phase::deciding;
    if (const auto answer = owner_.events().on_handshake(*this, json)) {
        answer_handshake(*answer);
    } else if (is_open()) {
        owner_.await_answer(*this);
    }
}

void client_connection::answer_handshake(const handshake_answer& answer) {
    if (phase_ != phase::deciding) {
        return;
    }
    append_package(package_type::handshake, answer.json);
    if (!answer.accepted) {
        return say_goodbye(close_code::normal, "handshake refused", drop::handshake_refused);
    }
    enter(phase::waiting_for_ack);
    appended();
}

void client_connection::on_ack() {
    enter(phase::working);
    was_ready_ = true;
    owner_.events().on_ready(*this);
    // The clients' heartbeats start only from this one.
    if (phase_ == phase::working && has_heartbeat()) {
        append_package(package_type::heartbeat, {});
        appended();
    }
}

} // namespace shaddock::net
