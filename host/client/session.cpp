#include "client/session.hpp"

#include "client/json.hpp"

#include <shaddock/detail/json_parse.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace shaddock::client {
namespace {

constexpr std::string_view gate_route = "gate.gateHandler.queryEntry";
constexpr std::size_t pushes_kept = 1000;
constexpr std::size_t push_bytes_kept = std::size_t{16} * 1024 * 1024;
constexpr std::size_t push_routes_kept = 1000;

/// For programs: milliseconds since 1970.
std::int64_t unix_ms(base::wall_time now) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
}

/// The wall clock, for people: `12:03:04.123` of this machine's zone.
std::string time_of_day(base::wall_time now) {
    const auto ms = unix_ms(now);
    const std::time_t seconds = ms / 1000;
    std::tm parts{};
    localtime_r(&seconds, &parts);
    return fmt::format("{:02}:{:02}:{:02}.{:03}", parts.tm_hour, parts.tm_min, parts.tm_sec,
                       ms % 1000);
}

/// Text from elsewhere in a line for people: what a terminal would obey is escaped.
std::string plain(std::string_view text) {
    auto quoted = json_string(text);
    return quoted.size() == text.size() + 2 ? std::string(text) : quoted;
}

/// `{"code":200,"host":"..","port":3050}`.
result<address> read_entry(std::string_view body) {
    const detail::parsed text(body);
    const auto& root = text.root();
    address entry;
    if (text.problem().empty() && root.IsObject()) {
        const auto host = root.FindMember("host");
        const auto port = root.FindMember("port");
        if (host != root.MemberEnd() && host->value.IsString()) {
            entry.host = host->value.GetString();
        }
        if (port != root.MemberEnd() && port->value.IsUint() && port->value.GetUint() <= 0xffff) {
            entry.port = static_cast<std::uint16_t>(port->value.GetUint());
        }
    }
    if (entry.host.empty() || entry.port == 0) {
        return error(errc::no_server,
                     fmt::format("{} answered {}, expected {{\"host\":..,\"port\":..}}", gate_route,
                                 json_line(body)));
    }
    return {boost::system::in_place_value, std::move(entry)};
}

std::string json_list(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const auto& text : texts) {
        out += (out.size() > 1 ? "," : "") + json_string(text);
    }
    return out + "]";
}

std::string_view name_of(transport over) {
    return over == transport::tcp ? "tcp" : "websocket";
}

std::string info_json(const session_options& options, const agreement& agreed) {
    return fmt::format(
        R"({{"type":"info","frontend":{},"gate":{},"transport":"{}","heartbeat":{},"routes":{},)"
        R"("dictVersion":{},"serverProtos":{},"clientProtos":{},"protoVersion":{},"user":{}}})"
        "\n",
        json_string(options.frontend.text()),
        options.gate ? json_string(options.gate->text()) : "null", name_of(options.over),
        agreed.heartbeat_s(), agreed.dictionary().size(), json_string(agreed.dictionary_version()),
        json_list(agreed.server_protos()), json_list(agreed.client_protos()),
        json_string(agreed.protos_version()), json_line(agreed.user()));
}

std::string protos_text(const std::vector<std::string>& protos) {
    return protos.empty() ? "none" : plain(fmt::format("{}", fmt::join(protos, ", ")));
}

std::string info_text(const session_options& options, const agreement& agreed) {
    const auto version = [](const std::string& text) {
        return text.empty() ? "" : ", version " + plain(text);
    };
    return fmt::format("frontend    {} over {}{}\n"
                       "heartbeat   {}\n"
                       "dictionary  {} routes{}\n"
                       "protobuf    from the server: {}; from the client: {}{}\n"
                       "user        {}\n",
                       options.frontend.text(), name_of(options.over),
                       options.gate ? ", named by the gate " + options.gate->text() : "",
                       agreed.heartbeat_s() == 0 ? "none"
                                                 : fmt::format("{} s", agreed.heartbeat_s()),
                       agreed.dictionary().size(), version(agreed.dictionary_version()),
                       protos_text(agreed.server_protos()), protos_text(agreed.client_protos()),
                       version(agreed.protos_version()),
                       agreed.user().empty() ? "nothing" : json_text(agreed.user()));
}

} // namespace

session::session(boost::asio::io_context& loop, base::clock& clock, base::random& random,
                 session_options options, session_events& events)
    : loop_(loop), clock_(clock), random_(random), options_(std::move(options)), events_(events) {}

void session::open(base::unique_function<void()> opened) {
    opened_ = std::move(opened);
    is_at_gate_ = options_.gate.has_value();
    connect(is_at_gate_ ? *options_.gate : options_.frontend);
}

void session::connect(const address& to) {
    connect_options options;
    options.to = to;
    options.over = options_.over;
    options.connect_timeout = options_.timeout;
    options.request_timeout = options_.timeout;
    connection_ = connection::open(loop_, clock_, random_, options, *this);
}

void session::on_open() {
    if (is_at_gate_) {
        ask_gate();
    } else {
        opened_();
    }
}

void session::ask_gate() {
    connection_->request(gate_route, fmt::format(R"({{"uid":{}}})", json_string(options_.uid)),
                         [this](const result<std::string>& body) { take_entry(body); });
}

void session::take_entry(const result<std::string>& body) {
    if (!body) {
        on_closed(body.error());
        return;
    }
    auto entry = read_entry(*body);
    if (!entry) {
        on_closed(error(entry.error().code(),
                        fmt::format("{}: {}", options_.gate->text(), entry.error().text())));
        return;
    }
    is_at_gate_ = false;
    options_.frontend = std::move(*entry);
    connection_->close();
    connect(options_.frontend);
}

void session::on_closed(const error& why) {
    connection_->close();
    is_over_ = true;
    const error named(why.code(), is_at_gate_ ? "gate " + why.text() : why.text());
    finish(named);
    events_.on_closed(named);
}

void session::close() {
    done_ = nullptr;
    patience_.cancel();
    if (connection_) {
        connection_->close();
    }
}

void session::run(const statement& wanted, done_call done) {
    ++run_;
    done_ = std::move(done);
    if (is_over_) {
        finish(error(errc::closed, fmt::format("{}: not connected", options_.frontend.text())));
        return;
    }
    std::visit([this](const auto& one) { begin(one); }, wanted);
}

void session::cancel() {
    finish(error(errc::cancelled, "given up"));
}

void session::finish(const result<void>& outcome) {
    ++run_;
    awaited_.clear();
    patience_.cancel();
    if (auto done = std::exchange(done_, nullptr)) {
        done(outcome);
    }
}

void session::begin(const ask& wanted) {
    connection_->request(wanted.route, wanted.body,
                         [this, run = run_, route = wanted.route,
                          asked = clock_.now()](const result<std::string>& body) {
                             if (run == run_) {
                                 answered(route, asked, body);
                             }
                         });
}

void session::answered(const std::string& route, base::time_point asked,
                       const result<std::string>& body) {
    if (!body) {
        finish(body.error());
        return;
    }
    last_ = *body;
    last_name_ = "the answer of " + route;
    const std::chrono::duration<double, std::milli> took = clock_.now() - asked;
    print_answer(route, took.count(), *body);
    finish({});
}

void session::print_answer(const std::string& route, double ms, std::string_view body) {
    if (options_.as_json) {
        events_.on_text(fmt::format(R"({{"type":"answer","route":{},"ms":{:.3f},"body":{}}})"
                                    "\n",
                                    json_string(route), ms, json_line(body)));
    } else {
        events_.on_text(fmt::format("{}  ({:.1f} ms)\n", json_text(body), ms));
    }
}

void session::begin(const tell& wanted) {
    finish(connection_->notify(wanted.route, wanted.body));
}

void session::begin(const listen& wanted) {
    listening_ = wanted;
    finish({});
}

void session::on_push(std::string_view route, std::string_view body) {
    pushes_.push_back({std::string(route), std::string(body)});
    push_bytes_ += body.size();
    while (pushes_.size() > pushes_kept || (push_bytes_ > push_bytes_kept && pushes_.size() > 1)) {
        push_bytes_ -= pushes_.front().body.size();
        pushes_.pop_front();
    }
    if (push_routes_.size() < push_routes_kept &&
        std::find(push_routes_.begin(), push_routes_.end(), route) == push_routes_.end()) {
        push_routes_.emplace_back(route);
    }
    const auto& wanted = listening_.routes;
    if (listening_.is_on &&
        (wanted.empty() || std::find(wanted.begin(), wanted.end(), route) != wanted.end())) {
        print_push(route, body);
    }
    if (!awaited_.empty() && take_push()) {
        finish({});
    }
}

void session::print_push(std::string_view route, std::string_view body) {
    if (options_.as_json) {
        events_.on_text(fmt::format(R"({{"type":"push","time":{},"route":{},"body":{}}})"
                                    "\n",
                                    unix_ms(clock_.wall_now()), json_string(route),
                                    json_line(body)));
    } else {
        events_.on_text(fmt::format("{}  {}  {}\n", time_of_day(clock_.wall_now()), plain(route),
                                    json_text(body)));
    }
}

/// The oldest push of the awaited route that no wait has taken.
bool session::take_push() {
    const auto found = std::find_if(pushes_.begin(), pushes_.end(),
                                    [this](const pushed& one) { return one.route == awaited_; });
    if (found == pushes_.end()) {
        return false;
    }
    push_bytes_ -= found->body.size();
    last_ = std::move(found->body);
    last_name_ = "the push " + awaited_;
    pushes_.erase(found);
    return true;
}

void session::begin(const await_push& wanted) {
    awaited_ = wanted.route;
    if (take_push()) {
        finish({});
        return;
    }
    const base::duration limit = wanted.limit ? *wanted.limit : options_.timeout;
    patience_ = clock_.after(limit, [this, limit] {
        finish(error(errc::timeout, fmt::format("wait {}: no such push within {:g} s", awaited_,
                                                std::chrono::duration<double>(limit).count())));
    });
}

void session::begin(const expect& wanted) {
    if (!last_) {
        finish(error(errc::refused, "expect: nothing was answered or waited for yet"));
        return;
    }
    if (const auto differs = json_difference(*last_, wanted.part)) {
        finish(error(errc::refused,
                     fmt::format("expect: {} is not as expected: {}", last_name_, *differs)));
        return;
    }
    finish({});
}

void session::begin(const pause& wanted) {
    patience_ = clock_.after(wanted.time, [this] { finish({}); });
}

void session::begin(const info&) {
    const auto& agreed = connection_->agreed();
    events_.on_text(options_.as_json ? info_json(options_, agreed) : info_text(options_, agreed));
    finish({});
}

void session::begin(const routes&) {
    const auto& codes = connection_->agreed().dictionary();
    std::string text = options_.as_json ? R"({"type":"routes","routes":{)" : "";
    bool is_first = true;
    for (const auto& [route, code] : codes) {
        if (options_.as_json) {
            text += fmt::format("{}{}:{}", is_first ? "" : ",", json_string(route), code);
        } else {
            text += fmt::format("{:>5}  {}\n", code, plain(route));
        }
        is_first = false;
    }
    if (options_.as_json) {
        text += "}}\n";
    } else if (codes.empty()) {
        text = "this frontend has no dictionary (option dict): its routes are not known\n";
    }
    events_.on_text(text);
    finish({});
}

void session::begin(const help&) {
    events_.on_text(help_text());
    finish({});
}

std::vector<std::string> session::known_routes() const {
    auto known = push_routes_;
    for (const auto& [route, code] : connection_->agreed().dictionary()) {
        known.push_back(route);
    }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    return known;
}

} // namespace shaddock::client
