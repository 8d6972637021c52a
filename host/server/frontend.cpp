#include "frontend.hpp"

#include "base/log.hpp"
#include "protocol/handshake.hpp"
#include "protocol/message.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

namespace shaddock::server {

/// A client's message on its way to a handler.
struct frontend::incoming {
    /// 0: a notify, never answered.
    std::uint32_t id = 0;
    std::string_view route;
    door::body_view body;
};

/// A client's request that a handler of this very server answers.
class client_call final : public pending_call {
public:
    client_call(frontend& front, const std::shared_ptr<const door::session_data>& session,
                std::uint32_t message_id, door::body_view body, base::time_point deadline,
                std::string_view route)
        : pending_call(session, body, deadline, 0, message_id == 0), front_(front),
          session_(session->ref.id), message_id_(message_id), route_(route) {}
    ~client_call() override { abandon(); }

private:
    // A notify too is told to the frontend: it counts requests in flight and runs the after
    // filters.
    void answer(result<door::body> outcome) noexcept override {
        front_.ended(session_, message_id_, route_, outcome);
    }

    std::shared_ptr<const door::session_data> session_now() const override {
        const auto* here = front_.sessions_.find(session_);
        return here != nullptr ? here->data : nullptr;
    }
    bool is_session_gone() const override { return front_.sessions_.find(session_) == nullptr; }

    frontend& front_;
    session_id session_;
    std::uint32_t message_id_;
    std::string route_;
};

namespace {

/// `type` of `type.handler.method`; empty unless there are exactly three words.
std::string_view type_of(std::string_view route) {
    const auto first = route.find('.');
    if (first == std::string_view::npos || first == 0) {
        return {};
    }
    const auto second = route.find('.', first + 1);
    const bool has_three = second != std::string_view::npos && second > first + 1 &&
                           second + 1 < route.size() &&
                           route.find('.', second + 1) == std::string_view::npos;
    return has_three ? route.substr(0, first) : std::string_view{};
}

std::string error_body(const error& failed) {
    return fmt::format("{{\"code\":{}}}", failed.client_code());
}

void append_json_text(std::string& out, std::string_view text) {
    out.push_back('"');
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out.push_back(c);
        }
    }
    out.push_back('"');
}

} // namespace

frontend::frontend(const boost::asio::any_io_executor& executor, base::clock& clock,
                   const server_options& options, line& servers, directory& list, dispatcher& local)
    : executor_(executor), clock_(clock), options_(options), servers_(servers), list_(list),
      local_(local), sessions_(options.self.id, options.self.life),
      listener_(net::make_listener(executor, clock, *options.listener)) {}

frontend::~frontend() = default;

result<void> frontend::start() {
    return listener_->start(*this);
}

void frontend::drain() {
    is_draining_ = true;
    listener_->stop_accepting();
}

void frontend::stop(std::string_view reason, base::unique_function<void()> done) {
    listener_->stop(reason, std::move(done));
}

// ---- life of a connection
// ----------------------------------------------------------------------------------------------------

net::handshake_answer frontend::on_handshake(net::connection& from, std::string_view json) {
    const auto request = protocol::parse_handshake_request(json);
    if (!request) {
        base::log::debug("server", "handshake of {} refused: {}", from.address(),
                         request.error().text());
        return {false, protocol::handshake_failure(500)};
    }
    protocol::handshake_response response;
    const auto heartbeat = options_.listener->heartbeat;
    response.heartbeat_s = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(heartbeat).count());
    return {true, protocol::handshake_success(response)};
}

void frontend::on_ready(net::connection& from) {
    from.user = &sessions_.open(from);
}

void frontend::on_closed(net::connection& which, std::string_view reason) {
    auto* gone = static_cast<session*>(which.user);
    if (gone == nullptr) {
        return;
    }
    which.user = nullptr;
    const auto last = gone->data;
    mirror_.close(*gone, [&](const std::string& owner, const std::string& channel) {
        report_lost(owner, channel, last->ref.id);
    });
    sessions_.close(*gone);
    if (const auto& current = local_.current()) {
        for (auto* hook : current->registered().hooks()) {
            hook->on_session_closed(*last, reason);
        }
    }
}

// ---- requests
// ----------------------------------------------------------------------------------------------------------------

bool frontend::on_data(net::connection& from, std::string_view message) {
    auto* sender = static_cast<session*>(from.user);
    const auto decoded = protocol::decode_message(message);
    if (!decoded) {
        base::log::debug("server", "session {}: malformed message: {}", number(from.id()),
                         decoded.error().text());
        return false;
    }
    using protocol::message_type;
    if (sender == nullptr || decoded->type == message_type::response ||
        decoded->type == message_type::push) {
        return true; // not a client's to send: dropped
    }
    serve(*sender, {decoded->type == message_type::request ? decoded->id : 0,
                    decoded->route,
                    {door::codec::json, decoded->body}});
    return true;
}

void frontend::serve(session& from, const incoming& request) {
    const auto id = from.id();
    ++from.requests_in_flight;
    const auto refuse = [&](errc code, std::string text) {
        ended(id, request.id, request.route, error(code, std::move(text)));
    };
    const auto type = type_of(request.route);
    if (type.empty()) {
        return refuse(errc::unknown_route,
                      fmt::format("'{}' is not type.handler.method", request.route));
    }
    if (request.route.ends_with(".constructor")) {
        base::log::debug("server", "session {} asked for '{}': kicked", number(id), request.route);
        --from.requests_in_flight;
        from.link->kick("attack");
        return;
    }
    if (is_draining_) {
        return refuse(errc::cancelled, "the server is stopping");
    }
    if (from.requests_in_flight > options_.requests_limit) {
        return refuse(errc::overloaded, fmt::format("{} requests of session {} are unanswered",
                                                    options_.requests_limit, number(id)));
    }
    if (!passes_filters(from, request)) {
        return;
    }
    if (type == options_.self.type) {
        local_.run_handler(request.route, std::make_unique<client_call>(
                                              *this, from.data, request.id, request.body,
                                              clock_.now() + options_.call_timeout, request.route));
        return;
    }
    forward(from, type, request);
}

bool frontend::passes_filters(session& from, const incoming& request) {
    const auto lease = local_.current();
    // Held: a filter may change the session while it looks at it.
    const auto data = from.data;
    for (auto* filter : lease->registered().filters()) {
        if (auto passed = filter->before(request.route, request.body, *data); !passed) {
            ended(from.id(), request.id, request.route, std::move(passed).error());
            return false;
        }
    }
    return true;
}

void frontend::forward(session& from, std::string_view type, const incoming& request) {
    const auto data = from.data;
    auto to = list_.pick(local_.current()->registered(), type, {data.get(), {}, {}});
    if (!to) {
        return ended(from.id(), request.id, request.route, std::move(to).error());
    }
    ++forwarded_;
    servers_.call(*to, wire::kind::client_request,
                  wire::encode(request.route, 0, data.get(), request.body),
                  clock_.now() + options_.call_timeout,
                  [this, id = from.id(), message_id = request.id,
                   route = std::string(request.route)](result<std::string> reply) {
                      ended(id, message_id, route,
                            reply ? wire::decode_reply(*reply) : result<door::body>(reply.error()));
                      --forwarded_;
                      if (forwarded_ == 0 && idle_) {
                          idle_();
                      }
                  });
}

void frontend::ended(session_id of, std::uint32_t message_id, std::string_view route,
                     const result<door::body>& outcome) {
    if (!outcome && base::log::is_on(base::log::level::debug)) {
        const auto why = outcome.error();
        base::log::debug("server", "session {}: '{}' failed: {}: {}", number(of), route,
                         to_string(why.code()), why.text());
    }
    answer(of, message_id, outcome);
    auto* asked = sessions_.find(of);
    if (asked == nullptr) {
        return;
    }
    --asked->requests_in_flight;
    const auto lease = local_.current();
    if (!lease || lease->registered().filters().empty()) {
        return;
    }
    const auto& filters = lease->registered().filters();
    const auto data = asked->data;
    const auto failed = outcome ? error() : outcome.error();
    for (auto at = filters.rbegin(); at != filters.rend(); ++at) {
        (*at)->after(route, *data, outcome ? nullptr : &failed);
    }
}

void frontend::answer(session_id to, std::uint32_t message_id, const result<door::body>& outcome) {
    auto* asked = message_id == 0 ? nullptr : sessions_.find(to);
    if (asked == nullptr) {
        return;
    }
    package_.clear();
    const auto body = outcome ? std::string_view(outcome->bytes) : std::string_view{};
    const auto made = outcome && !body.empty()
                          ? protocol::append_response_package(package_, message_id, body)
                          : protocol::append_response_package(
                                package_, message_id, outcome ? "{}" : error_body(outcome.error()));
    if (!made) {
        base::log::error("server", "session {}: the answer does not fit a package: {}", number(to),
                         made.error().text());
        package_.clear();
        (void)protocol::append_response_package(package_, message_id, "{\"code\":500}");
    }
    (void)asked->link->send_package(package_);
}

// ---- pushes
// ------------------------------------------------------------------------------------------------------------------

namespace {

bool encode_push(std::string& into, std::string_view route, std::string_view body) {
    into.clear();
    if (const auto made = protocol::append_push_package(into, route, body); !made) {
        base::log::error("server", "push '{}' dropped: {}", route, made.error().text());
        return false;
    }
    return true;
}

} // namespace

void frontend::push(const net::encoded_package& made, session& to) {
    if (to.link->send(made) == net::send_result::queued) {
        ++deliveries_;
    }
}

void frontend::on_cast(const bus::peer& from, wire::kind what, std::string_view bytes) {
    switch (what) {
    case wire::kind::push_channel:
        return push_channel(from, bytes);
    case wire::kind::push_sessions:
        return push_sessions(bytes);
    case wire::kind::broadcast:
        return broadcast(bytes);
    case wire::kind::join:
        return join(from, bytes);
    case wire::kind::leave:
        return leave(from, bytes);
    case wire::kind::destroy_channel: {
        wire::reader in(bytes);
        return mirror_.destroy(from.id, in.text());
    }
    default:
        base::log::warn("server", "{} sent a cast of unknown kind {}", from.id,
                        static_cast<int>(what));
    }
}

void frontend::push_channel(const bus::peer& owner, std::string_view bytes) {
    wire::reader in(bytes);
    const auto name = in.text();
    const auto route = in.text();
    (void)in.u8(); // the codec: JSON is the only one clients get until protos come
    const auto* channel = mirror_.find(owner.id, name);
    if (!in.ok() || channel == nullptr || !encode_push(package_, route, in.rest())) {
        return;
    }
    const auto made = net::encode_for_all(package_);
    for (const auto& each : channel->members) {
        push(made, *each.who);
    }
}

void frontend::push_sessions(std::string_view bytes) {
    wire::reader in(bytes);
    const auto route = in.text();
    (void)in.u8();
    const auto count = in.u32();
    std::vector<session*> to;
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
        if (auto* found = sessions_.find(session_id{in.u64()})) {
            to.push_back(found);
        }
    }
    if (!in.ok() || to.empty() || !encode_push(package_, route, in.rest())) {
        return;
    }
    const auto made = net::encode_for_all(package_);
    for (auto* each : to) {
        push(made, *each);
    }
}

void frontend::broadcast(std::string_view bytes) {
    wire::reader in(bytes);
    const bool only_bound = in.u8() != 0;
    const auto route = in.text();
    (void)in.u8();
    if (!in.ok() || !encode_push(package_, route, in.rest())) {
        return;
    }
    const auto made = net::encode_for_all(package_);
    for (const auto& [id, each] : sessions_.all()) {
        if (!only_bound || !each->data->ref.uid.empty()) {
            push(made, *each);
        }
    }
}

// ---- memberships
// -------------------------------------------------------------------------------------------------------------

void frontend::join(const bus::peer& owner, std::string_view bytes) {
    wire::reader in(bytes);
    const auto value = wire::read_membership(in);
    if (!in.ok()) {
        return;
    }
    if (auto* found = sessions_.find(value.session)) {
        mirror_.join(owner.id, value.channel, *found, value.uid, value.joined);
    } else {
        report_lost(owner.id, value.channel, value.session);
    }
}

void frontend::leave(const bus::peer& owner, std::string_view bytes) {
    wire::reader in(bytes);
    const auto value = wire::read_membership(in);
    auto* found = in.ok() ? sessions_.find(value.session) : nullptr;
    if (found != nullptr) {
        (void)mirror_.leave(owner.id, value.channel, *found);
    }
}

void frontend::report_lost(std::string_view owner, std::string_view channel, session_id gone) {
    std::string bytes;
    wire::writer out(bytes);
    wire::write(out, wire::membership{channel, gone, {}, 0});
    // When the link is down the roster tells it on the next one.
    (void)servers_.cast(owner, wire::kind::member_lost, std::move(bytes));
}

void frontend::send_roster(const bus::peer& owner) {
    constexpr std::size_t chunk_bytes = std::size_t{64} * 1024;
    constexpr char more = 0;
    constexpr char last = 1;
    std::string bytes;
    bytes.push_back(more);
    for (const auto* channel : mirror_.of_owner(owner.id)) {
        for (const auto& each : channel->members) {
            wire::writer out(bytes);
            wire::write(out,
                        wire::membership{channel->name, each.who->id(), each.uid, each.joined});
            if (bytes.size() > chunk_bytes) {
                (void)servers_.cast(owner.id, wire::kind::roster, bytes);
                bytes.resize(1);
            }
        }
    }
    bytes.front() = last;
    (void)servers_.cast(owner.id, wire::kind::roster, std::move(bytes));
}

// ---- sessions, for anyone
// ----------------------------------------------------------------------------------------------------

result<door::body> frontend::change_session(const session_ref& who,
                                            const door::session_change& change) {
    auto* found = sessions_.find(who);
    if (found == nullptr) {
        return error(errc::closed,
                     fmt::format("session {} of {} is closed", number(who.id), who.frontend));
    }
    using kind = door::session_change::kind;
    result<void> done;
    switch (change.what) {
    case kind::bind:
        done = sessions_.bind(*found, change.uid);
        break;
    case kind::unbind:
        sessions_.unbind(*found);
        break;
    case kind::rebind:
        done = sessions_.rebind(*found, change.uid);
        break;
    case kind::push:
        done = sessions_.set(*found, change.settings);
        break;
    case kind::kick:
        found->link->kick(change.text);
        break;
    default:
        done = error(errc::bad_request,
                     fmt::format("unknown session change {}", static_cast<int>(change.what)));
    }
    if (!done) {
        return done.error();
    }
    return door::body{};
}

std::string frontend::find_sessions(const session_ref& who) const {
    std::vector<const session*> found;
    if (who.id != session_id{}) {
        if (const auto* one = sessions_.find(who)) {
            found.push_back(one);
        }
    } else {
        for (const auto* each : sessions_.of_uid(who.uid)) {
            found.push_back(each);
        }
    }
    std::string json = "[";
    for (const auto* each : found) {
        const auto& data = *each->data;
        json += json.size() > 1 ? ",{\"ref\":{\"frontend\":" : "{\"ref\":{\"frontend\":";
        append_json_text(json, data.ref.frontend);
        json += fmt::format(",\"life\":{},\"id\":{},\"uid\":", number(data.ref.life),
                            number(data.ref.id));
        append_json_text(json, data.ref.uid);
        json += "},\"settings\":{";
        for (std::size_t i = 0; i < data.settings.size(); ++i) {
            json += i != 0 ? "," : "";
            append_json_text(json, data.settings[i].key);
            json += ":" + data.settings[i].json;
        }
        json += "}}";
    }
    return json + "]";
}

std::size_t frontend::kick_uid(std::string_view uid, std::string_view reason) {
    const auto all = sessions_.of_uid(uid);
    for (auto* each : all) {
        each->link->kick(reason);
    }
    return all.size();
}

} // namespace shaddock::server
