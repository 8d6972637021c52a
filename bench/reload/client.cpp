#include "client.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace shaddock::reload {
namespace {

/// The id of `enter`; the others are n + first_id.
constexpr std::uint32_t enter_id = 1;
constexpr std::uint32_t first_id = 2;
constexpr std::size_t refusals_kept = 5;

std::string_view route_of(kind what) {
    constexpr std::array<std::string_view, kinds> routes{"connector.hot.echo", "chat.hot.say",
                                                         "connector.hot.relay", "chat.hot.wait"};
    return routes[static_cast<std::size_t>(what)];
}

} // namespace

stamp_id stage::take(const read_stamp& one, std::uint32_t n, bool& is_proved) {
    is_proved = is_proved && one.proof == proof_of(one.by.version, n);
    return seen.intern(one.by);
}

const push* stage::read_push(std::string_view body) {
    if (body == last_body_) {
        return &last_push_;
    }
    const auto read = parse_push(body);
    const auto from = read ? places.find(read->from) : places.end();
    if (!read || from == places.end()) {
        return nullptr;
    }
    last_body_ = body;
    last_push_ = {.from = from->second, .n = read->n, .seq = read->seq};
    last_push_.by = take(read->by, read->n, last_push_.is_proved);
    return &last_push_;
}

client::client(stage& all, std::uint32_t place, std::uint32_t room,
               const boost::asio::ip::tcp::endpoint& connector)
    : all_(all), place_(place), name_(fmt::format("u{}", place)), room_(fmt::format("r{}", room)) {
    seen().room = room;
    all_.places[name_] = place;
    link_ = bench::connection::open(all_.wire, connector, *this);
}

void client::on_ready() {
    link_->request(enter_id, "connector.hot.enter",
                   fmt::format(R"({{"user":"{}","room":"{}"}})", name_, room_));
}

void client::ask(kind what, std::uint32_t ms) {
    const auto& noted = all_.seen.ask(place_, what, all_.wire.now);
    body_.clear();
    fmt::format_to(std::back_inserter(body_), R"({{"n":{},"ms":{}}})", noted.n, ms);
    ++waiting_;
    ++all_.waiting;
    link_->request(noted.n + first_id, route_of(what), body_);
}

void client::end() {
    if (link_) {
        link_->close();
        link_.reset();
    }
}

void client::on_response(std::uint32_t id, std::string_view body) {
    all_.last_activity = all_.wire.now;
    if (id == enter_id && !is_entered_) {
        note_entered(body);
        return;
    }
    if (id < first_id || id - first_id >= seen().requests.size()) {
        ++seen().unasked;
        return;
    }
    note_answer(all_.seen.requests[seen().requests[id - first_id]], body);
}

void client::note_entered(std::string_view body) {
    if (body != "{}") {
        seen().mangled.push_back(fmt::format("enter was answered {}", body));
        return;
    }
    is_entered_ = true;
    ++all_.entered;
}

void client::note_answer(request& to, std::string_view body) {
    if (to.answers++ > 0) {
        return;
    }
    --waiting_;
    --all_.waiting;
    to.answered = all_.wire.now;
    to.place = seen().answers++;
    const auto read = parse_reply(body);
    if (!read) {
        seen().mangled.push_back(fmt::format("{} was answered {}", to_string(to.what), body));
        return;
    }
    if (!read->refusal.empty()) {
        to.is_refused = true;
        if (all_.refusals.size() < refusals_kept) {
            all_.refusals.push_back(fmt::format("{} {}", to_string(to.what), read->refusal));
        }
        return;
    }
    to.taken = all_.take(read->taken, to.n, to.is_proved);
    to.given = all_.take(read->given, to.n, to.is_proved);
    to.seq = read->seq;
    if (read->asked) {
        to.asked = all_.take(*read->asked, to.n, to.is_proved);
    }
}

void client::on_push(std::string_view route, std::string_view body,
                     const bench::push_proto* /*proto*/) {
    all_.last_activity = all_.wire.now;
    const auto* read = route == "onSaid" ? all_.read_push(body) : nullptr;
    if (read == nullptr) {
        seen().mangled.push_back(fmt::format("push {} {}", route, body));
        return;
    }
    seen().pushes.push_back(*read);
}

void client::on_kick(std::string_view body) {
    seen().closed = fmt::format("kicked: {}", body);
}

void client::on_mangled(std::string_view what) {
    seen().mangled.emplace_back(what);
}

void client::on_closed(std::string_view reason) {
    if (seen().closed.empty()) {
        seen().closed = reason.empty() ? "closed" : reason;
    }
    all_.waiting -= waiting_;
    waiting_ = 0;
    link_.reset();
}

} // namespace shaddock::reload
