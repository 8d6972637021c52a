#include "user.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace shaddock::bench {
namespace asio = boost::asio;
namespace {

constexpr std::string_view query_route = "gate.gateHandler.queryEntry";
constexpr std::string_view enter_route = "connector.entryHandler.enter";
constexpr std::string_view send_route = "chat.chatHandler.send";

} // namespace

std::string room_name(const load_options& options, unsigned room) {
    return fmt::format("r{}_{}", room, options.tag);
}

const delivery& stage::read_chat(std::string_view body, const push_proto* proto) {
    auto& slot = known_[std::hash<std::string_view>{}(body) % known_.size()];
    if (slot.body == body) {
        return slot.read;
    }
    slot.body = body;
    slot.read = {};
    if (const auto fields = parse_push(body, proto)) {
        slot.read.message = contents.recognise(fields->msg, slot.read.problem);
        slot.read.from = log.name(fields->from);
        slot.read.target = log.name(fields->target);
    } else {
        slot.read.problem = fmt::format("onChat with the body {}", body);
    }
    return slot.read;
}

user::user(stage& all, unsigned index, unsigned room)
    : all_(all), name_(fmt::format("u{}_{}", index, all.options.tag)),
      name_id_(all.log.name(name_)), room_(room), wanted_room_(room), timer_(all.wire.io) {}

void user::log_in() {
    login_began_ = all_.wire.now;
    is_coming_back_ = false;
    ++visit_;
    state_ = state::at_gate;
    connect(all_.gate, "gate");
}

void user::connect(const asio::ip::tcp::endpoint& to, const char* where) {
    client_ = all_.log.add_client(fmt::format("{}@{}#{}", name_, where, visit_));
    open_.clear();
    open_sends_ = 0;
    link_ = connection::open(all_.wire, to, *this);
}

void user::on_ready() {
    all_.note(client_, event_kind::connect);
    if (state_ == state::at_gate) {
        all_.note(client_, event_kind::query, next_id_);
        request(asked_kind::query, query_route, query_body(name_));
        return;
    }
    state_ = state::entering;
    enter(room_);
}

void user::request(asked_kind kind, std::string_view route, std::string_view body) {
    open_.push_back({next_id_, kind, all_.wire.now});
    link_->request(next_id_++, route, body);
}

void user::enter(unsigned room) {
    const std::string rid = room_name(all_.options, room);
    wanted_room_ = room;
    all_.note(client_, event_kind::enter, next_id_, all_.log.name(rid), name_id_);
    request(asked_kind::enter, enter_route, enter_body(name_, rid));
}

bool user::can_send() const {
    return is_settled() && is_sender && open_sends_ < all_.options.pipeline &&
           (all_.options.count == 0 || sequence_ < all_.options.count);
}

void user::say() {
    const std::string rid = room_name(all_.options, room_);
    const message_id message = all_.contents.make(name_, rid, ++sequence_, content_);
    const name_id target = pick_target();
    all_.sent_at.resize(message + std::size_t{1});
    all_.sent_at[message] = all_.wire.now;
    ++all_.sent;
    ++open_sends_;
    all_.note(client_, event_kind::send, next_id_, message, target);
    body_.clear();
    append_send_body(body_, rid, content_, name_, all_.log.name_text(target));
    request(asked_kind::send, send_route, body_);
}

name_id user::pick_target() {
    const double share = all_.options.private_share;
    if (share <= 0 || std::uniform_real_distribution<>(0, 1)(all_.wire.random) >= share) {
        return everyone;
    }
    const auto& members = all_.members[room_];
    if (all_.options.is_to_self || members.empty()) {
        return name_id_;
    }
    return members[all_.wire.random() % members.size()]->name_id_;
}

void user::fill() {
    while (all_.is_open && can_send()) {
        say();
    }
}

void user::switch_room(unsigned room) {
    is_switching_ = true;
    enter(room);
}

void user::depart() {
    ++all_.departures;
    state_ = state::leaving;
    leave_list();
    all_.note(client_, event_kind::depart);
    after(all_.options.linger_ms, state::leaving, &user::finish_leaving);
}

void user::finish_leaving() {
    hang_up();
    come_back_after(all_.options.away_ms);
}

void user::after(unsigned ms, state expected, void (user::*then)()) {
    timer_.expires_after(std::chrono::milliseconds(ms));
    timer_.async_wait([this, expected, then](boost::system::error_code failed) {
        if (failed) {
            return;
        }
        asio::post(all_.wire.io, [this, expected, then] {
            all_.wire.refresh();
            if (state_ == expected) {
                (this->*then)();
            }
        });
    });
}

void user::end() {
    timer_.cancel();
    if (link_) {
        all_.note(client_, event_kind::depart);
        hang_up();
    }
}

void user::hang_up() {
    all_.note(client_, event_kind::closed, all_.log.name("by the client"));
    link_->close();
    link_.reset();
    open_.clear();
    state_ = state::out;
    is_switching_ = false;
}

void user::come_back_after(unsigned ms) {
    is_coming_back_ = true;
    after(ms, state::out, &user::log_in);
}

void user::on_response(std::uint32_t id, std::string_view body) {
    all_.last_activity = all_.wire.now;
    auto read = parse_answer(body);
    if (!read) {
        all_.note(client_, event_kind::mangled, all_.log.name(fmt::format("the answer {}", body)));
    }
    const auto found =
        std::find_if(open_.begin(), open_.end(), [id](const asked& what) { return what.id == id; });
    if (found == open_.end()) {
        all_.note(client_, event_kind::ok, id);
        return;
    }
    const asked what = *found;
    open_.erase(found);
    const answer* good = read && read->is_ok() ? &*read : nullptr;
    std::uint32_t users = 0;
    if (good != nullptr && good->has_users) {
        std::vector<name_id> names;
        for (const auto& one : good->users) {
            names.push_back(all_.log.name(one));
        }
        users = all_.log.users_list(std::move(names));
    }
    if (good != nullptr) {
        all_.note(client_, event_kind::ok, id, users);
    } else {
        all_.note(client_, event_kind::fail, id,
                  read ? static_cast<std::uint32_t>(read->code) : 0U);
    }
    switch (what.kind) {
    case asked_kind::query:
        on_query_answer(what, good);
        break;
    case asked_kind::enter:
        on_enter_answer(what, good);
        break;
    case asked_kind::send:
        on_send_answer(what, good);
        break;
    }
}

void user::on_query_answer(const asked&, const answer* read) {
    boost::system::error_code failed;
    const auto address =
        asio::ip::make_address(read == nullptr ? std::string() : read->host, failed);
    if (read != nullptr && (failed || read->port == 0)) {
        all_.note(client_, event_kind::mangled,
                  all_.log.name(
                      fmt::format("the gate sends us to '{}' port {}", read->host, read->port)));
    }
    all_.note(client_, event_kind::depart);
    hang_up();
    if (read == nullptr || failed || read->port == 0) {
        come_back_after(all_.options.away_ms);
        return;
    }
    state_ = state::connecting;
    connect({address, read->port}, "connector");
}

void user::on_enter_answer(const asked&, const answer* read) {
    if (is_switching_) {
        is_switching_ = false;
        if (read != nullptr) {
            ++all_.switches;
            leave_list();
            join_list(wanted_room_);
        }
    } else if (state_ == state::entering) {
        if (read == nullptr) {
            // The name may not be free yet after a departure: try again, on this connection.
            after(50, state::entering, &user::try_again);
            return;
        }
        state_ = state::in;
        join_list(wanted_room_);
        all_.logins.record(all_.wire.now - login_began_);
        all_.entered += has_entered_ ? 0 : 1;
        has_entered_ = true;
    }
    if (all_.options.rate <= 0) {
        fill();
    }
}

void user::try_again() {
    enter(room_);
}

void user::on_send_answer(const asked& what, const answer* read) {
    --open_sends_;
    all_.refused += read == nullptr ? 1 : 0;
    if (all_.is_measuring) {
        all_.requests.record(all_.wire.now - what.at);
        all_.last_answer = all_.wire.now;
    }
    if (all_.options.rate <= 0) {
        fill();
    }
}

void user::on_push(std::string_view route, std::string_view body, const push_proto* proto) {
    all_.last_activity = all_.wire.now;
    if (route == "onChat") {
        on_chat(body, proto);
        return;
    }
    const bool is_add = route == "onAdd";
    const auto fields = parse_push(body, proto);
    if ((!is_add && route != "onLeave") || !fields || fields->user.empty()) {
        all_.note(client_, event_kind::mangled,
                  all_.log.name(fmt::format("the push {} {}", route, body)));
        return;
    }
    all_.note(client_, is_add ? event_kind::add : event_kind::leave, all_.log.name(fields->user));
}

void user::on_chat(std::string_view body, const push_proto* proto) {
    const delivery& read = all_.read_chat(body, proto);
    if (!read.problem.empty()) {
        all_.note(client_, event_kind::mangled, all_.log.name(read.problem));
        return;
    }
    all_.note(client_, event_kind::chat, read.message, read.from, read.target);
    if (all_.is_measuring && read.message < all_.sent_at.size()) {
        all_.deliveries.record(all_.wire.now - all_.sent_at[read.message]);
        all_.last_delivery = all_.wire.now;
    }
}

void user::on_kick(std::string_view body) {
    all_.note(client_, event_kind::kicked, all_.log.name(parse_kick(body)));
}

void user::on_mangled(std::string_view what) {
    all_.note(client_, event_kind::mangled, all_.log.name(what));
}

void user::on_closed(std::string_view reason) {
    all_.note(client_, event_kind::closed, all_.log.name(reason));
    leave_list();
    link_.reset();
    const bool is_leaving = state_ == state::leaving;
    state_ = state::out;
    is_switching_ = false;
    if (is_leaving || all_.options.is_reconnecting) {
        come_back_after(all_.options.away_ms);
    }
}

void user::join_list(unsigned room) {
    room_ = room;
    is_listed_ = true;
    all_.members[room_].push_back(this);
}

void user::leave_list() {
    if (is_listed_) {
        is_listed_ = false;
        std::erase(all_.members[room_], this);
    }
}

} // namespace shaddock::bench
