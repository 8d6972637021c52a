#include "user.hpp"

#include "protocol/message.hpp"
#include "wire/bodies.hpp"

#include <fmt/format.h>

namespace shaddock::simulation {

using bench::event_kind;

namespace {

/// Sends of one user without an answer.
constexpr std::size_t pipeline = 3;
/// From the wish to leave to the end of the connection: what was owed before can arrive.
constexpr auto linger = 500ms;

} // namespace

user::user(stage& all, int index)
    : all_(all), name_(fmt::format("u{}", index)), name_id_(all.log.name(name_)) {}

void user::note(event_kind kind, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    const auto t = std::chrono::nanoseconds(all_.servers.in.now().time_since_epoch()).count();
    all_.log.note(t, client_, kind, a, b, c);
}

template <class F>
void user::later(duration delay, F call) {
    all_.servers.in.after(delay, [this, visit = visit_, call = std::move(call)] {
        if (visit == visit_) {
            call();
        }
    });
}

std::string user::some_room() {
    return fmt::format("r{}", all_.servers.in.chance.below(static_cast<std::size_t>(all_.rooms)));
}

void user::begin() {
    wanted_room_ = wanted_room_.empty() ? some_room() : wanted_room_;
    state_ = state::at_gate;
    const auto gates = all_.servers.listed("gate");
    connect(gates.size() == 1 ? gates[0] : gates[all_.servers.in.chance.below(gates.size())]);
}

void user::connect(const std::string& server) {
    ++visit_;
    open_.clear();
    room_.clear();
    refusals_ = 0;
    client_ = all_.log.add_client(fmt::format("{}#{}@{}", name_, visit_, server));
    line_ = all_.servers.clients.connect(server, *this);
}

void user::on_ready() {
    note(event_kind::connect);
    if (state_ == state::at_gate) {
        note(event_kind::query, next_id_);
        return request({asked_kind::query, {}}, "gate.gateHandler.queryEntry",
                       bench::query_body(name_));
    }
    enter(wanted_room_);
}

void user::request(asked what, std::string_view route, std::string_view body) {
    std::string message;
    (void)protocol::append_message(
        message,
        {.type = protocol::message_type::request, .id = next_id_, .route = route, .body = body});
    open_.emplace(next_id_++, std::move(what));
    line_->send(std::move(message));
}

void user::enter(const std::string& room) {
    all_.moves();
    note(event_kind::enter, next_id_, all_.log.name(room), name_id_);
    request({asked_kind::enter, room}, "connector.entryHandler.enter",
            bench::enter_body(name_, room));
}

void user::say() {
    auto& chance = all_.servers.in.chance;
    const auto target = chance.chance(0.2) ? fmt::format("u{}", chance.below(8)) : std::string("*");
    auto text = fmt::format("{}.{}", name_, ++said_);
    std::string body;
    bench::append_send_body(body, room_, text, name_, target);
    note(event_kind::send, next_id_, all_.log.message(text), all_.log.name(target));
    request({asked_kind::send, {}}, "chat.chatHandler.send", body);
}

void user::act_later() {
    later(all_.servers.in.chance.between(1ms, 2 * all_.pace), [this] {
        if (state_ == state::inside) {
            act_later();
            act();
        }
    });
}

void user::act() {
    if (!all_.is_open) {
        return;
    }
    auto& chance = all_.servers.in.chance;
    const auto dice = chance.below(100);
    bool is_entering = false;
    for (const auto& [id, what] : open_) {
        is_entering |= what.kind == asked_kind::enter;
    }
    if (dice < 80) {
        for (auto count = dice < 10 ? pipeline : 1; count > 0 && open_.size() < pipeline; --count) {
            say();
        }
    } else if (dice < 92) {
        if (!is_entering) {
            const auto there = some_room(); // its own, now and then, which is refused
            enter(there);
            if (const auto on = some_room(); on != there && chance.chance(0.3)) {
                enter(on); // at once, as one who clicks on two rooms
            }
        }
    } else if (dice < 96) {
        // Quietly, or in the middle of what it does.
        note(event_kind::depart);
        state_ = dice < 94 ? state::leaving : state::inside;
        later(linger, [this] {
            hang_up();
            come_back();
        });
    }
}

void user::on_package(protocol::package_type type, std::string_view body) {
    if (type == protocol::package_type::kick) {
        return note(event_kind::kicked, all_.log.name(bench::parse_kick(body)));
    }
    if (type != protocol::package_type::data) {
        return;
    }
    const auto message = protocol::decode_message(body);
    if (!message) {
        return note(event_kind::mangled, all_.log.name("a message that cannot be read"));
    }
    if (message->type == protocol::message_type::response) {
        on_answer(message->id, message->body);
    } else {
        on_push(message->route, message->body);
    }
}

void user::on_push(std::string_view route, std::string_view body) {
    const auto said = bench::parse_push(body, nullptr);
    if (!said) {
        return note(event_kind::mangled, all_.log.name(fmt::format("{} {}", route, body)));
    }
    if (route == "onChat") {
        note(event_kind::chat, all_.log.message(said->msg), all_.log.name(said->from),
             all_.log.name(said->target));
    } else if (route == "onAdd" || route == "onLeave") {
        note(route == "onAdd" ? event_kind::add : event_kind::leave, all_.log.name(said->user));
    } else {
        note(event_kind::mangled, all_.log.name(fmt::format("a push {}", route)));
    }
}

void user::on_answer(std::uint32_t id, std::string_view body) {
    const auto read = bench::parse_answer(body);
    if (!read) {
        note(event_kind::mangled, all_.log.name(fmt::format("the answer {}", body)));
    }
    const bool is_ok = read && read->is_ok();
    std::uint32_t users = 0;
    if (is_ok && read->has_users) {
        std::vector<bench::name_id> names;
        for (const auto& one : read->users) {
            names.push_back(all_.log.name(one));
        }
        users = all_.log.users_list(std::move(names));
    }
    if (is_ok) {
        note(event_kind::ok, id, users);
    } else {
        note(event_kind::fail, id, read ? static_cast<std::uint32_t>(read->code) : 0U);
    }
    const auto at = open_.find(id);
    if (at == open_.end()) {
        return;
    }
    const auto what = std::move(at->second);
    open_.erase(at);
    if (what.kind == asked_kind::query) {
        note(event_kind::depart);
        hang_up();
        if (is_ok) {
            state_ = state::entering;
            return connect(fmt::format("connector-server-{}", read->port));
        }
        return come_back();
    }
    answered(what, is_ok);
}

void user::answered(const asked& what, bool is_ok) {
    if (what.kind == asked_kind::send || state_ == state::leaving) {
        return;
    }
    if (is_ok) {
        refusals_ = 0;
        room_ = wanted_room_ = what.room;
        if (state_ == state::entering) {
            state_ = state::inside;
            act_later();
        }
        return;
    }
    if (state_ != state::entering) {
        return; // it stays where it was
    }
    if (++refusals_ % 5 == 0) {
        wanted_room_ = some_room();
    }
    later(all_.servers.in.chance.between(50ms, 500ms), [this] { enter(wanted_room_); });
}

void user::on_closed() {
    note(event_kind::closed, all_.log.name("by the server"));
    line_.reset();
    come_back();
}

void user::hang_up() {
    if (line_) {
        all_.moves();
        note(event_kind::closed, all_.log.name("by the client"));
        std::exchange(line_, nullptr)->close();
    }
}

void user::come_back() {
    ++visit_;
    state_ = state::out;
    open_.clear();
    room_.clear();
    if (all_.lets_in) {
        later(all_.servers.in.chance.between(50ms, 2s), [this] { begin(); });
    }
}

void user::depart() {
    if (line_) {
        note(event_kind::depart);
    }
    hang_up();
    come_back();
}

} // namespace shaddock::simulation
