#include "run.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace shaddock::bench {
namespace asio = boost::asio;
namespace {

constexpr auto tick_time = std::chrono::milliseconds(2);
/// A run by count that gets nowhere ends after this.
constexpr double count_limit_s = 300;

double as_seconds(nanoseconds time) {
    return static_cast<double>(time) / 1e9;
}

cpu_reading operator-(const cpu_reading& after, const cpu_reading& before) {
    return {after.servers_s - before.servers_s, after.self_s - before.self_s};
}

} // namespace

load_run::load_run(const load_options& options)
    : options_(options), all_(io_, options_), meter_(options.cpu_of, options.cpu_children_of) {
    all_.members.resize(options_.rooms);
    for (unsigned i = 0; i < options_.users; ++i) {
        users_.push_back(std::make_unique<user>(all_, i, i % options_.rooms));
        users_.back()->is_sender = options_.senders == 0 || i < options_.senders;
        if (users_.back()->is_sender) {
            senders_.push_back(users_.back().get());
        }
    }
}

measures load_run::run() {
    resolve_gate();
    all_.wire.refresh();
    result_.processes = meter_.processes();
    cpu_before_ = meter_.read();
    phase_began_ = last_tick_ = all_.wire.now;
    tick();
    io_.run();
    return result_;
}

void load_run::resolve_gate() {
    asio::ip::tcp::resolver resolver(io_);
    boost::system::error_code failed;
    const auto found =
        resolver.resolve(options_.gate_host, std::to_string(options_.gate_port), failed);
    if (failed || found.empty()) {
        throw std::runtime_error(fmt::format("--gate {}:{}: {}", options_.gate_host,
                                             options_.gate_port, failed.message()));
    }
    all_.gate = *found.begin();
}

void load_run::tick() {
    all_.wire.refresh();
    (this->*step_)();
    last_tick_ = all_.wire.now;
    if (step_ == nullptr) {
        return;
    }
    timer_.expires_after(tick_time);
    timer_.async_wait([this](boost::system::error_code failed) {
        if (!failed) {
            tick();
        }
    });
}

void load_run::tick_login() {
    while (started_ < users_.size() && started_ - all_.entered < options_.login_concurrency) {
        users_[started_++]->log_in();
    }
    if (all_.entered == users_.size()) {
        start_load();
    } else if (is_login_hopeless()) {
        start_drain(fmt::format("only {} of {} users were in when the others had lost their "
                                "connections",
                                all_.entered, users_.size()));
    } else if (as_seconds(all_.wire.now - phase_began_) > options_.login_timeout_s) {
        start_drain(fmt::format("only {} of {} users were in after {} s", all_.entered,
                                users_.size(), options_.login_timeout_s));
    }
}

/// Nobody is on the way, and so many are lost that nobody new may start.
bool load_run::is_login_hopeless() const {
    return started_ > all_.entered && !is_anyone_busy() &&
           (started_ == users_.size() || started_ - all_.entered >= options_.login_concurrency);
}

void load_run::start_load() {
    result_.login_s = as_seconds(all_.wire.now - phase_began_);
    const auto now = meter_.read();
    result_.login_cpu = now - cpu_before_;
    cpu_before_ = now;
    all_.wire.refresh();
    phase_began_ = all_.wire.now;
    all_.is_open = all_.is_measuring = true;
    step_ = &load_run::tick_load;
    if (options_.rate <= 0) {
        for (user* one : senders_) {
            one->fill();
        }
    }
}

void load_run::tick_load() {
    talk();
    move_people();
    const double passed = as_seconds(all_.wire.now - phase_began_);
    if (options_.count == 0 ? passed >= options_.seconds : is_everything_sent()) {
        start_drain("");
    } else if (options_.count > 0 && passed > count_limit_s) {
        start_drain(fmt::format("not all messages were sent after {} s", count_limit_s));
    }
}

/// Open loop: what is due by now, from one sender after another; one whose pipeline is full is
/// passed over and catches up later.
void load_run::talk() {
    if (options_.rate <= 0) {
        return;
    }
    const double passed = as_seconds(all_.wire.now - phase_began_);
    const auto due =
        static_cast<std::uint64_t>(passed * options_.rate * static_cast<double>(senders_.size()));
    std::size_t passed_over = 0;
    while (sent_by_rate_ < due && passed_over < senders_.size()) {
        user& next = *senders_[next_sender_++ % senders_.size()];
        if (next.can_send()) {
            next.say();
            ++sent_by_rate_;
            passed_over = 0;
        } else {
            ++passed_over;
        }
    }
}

void load_run::move_people() {
    const double share =
        as_seconds(all_.wire.now - last_tick_) * static_cast<double>(users_.size());
    if (options_.switch_every_s > 0 && options_.rooms > 1) {
        owed_switches_ += share / options_.switch_every_s;
        for (; owed_switches_ >= 1; --owed_switches_) {
            if (user* one = pick_settled()) {
                one->switch_room(pick_room(one->room()));
            }
        }
    }
    if (options_.churn_every_s > 0) {
        owed_departures_ += share / options_.churn_every_s;
        for (; owed_departures_ >= 1; --owed_departures_) {
            if (user* one = pick_settled()) {
                one->depart();
            }
        }
    }
}

/// Another room; now and then the same, which the server has to refuse.
unsigned load_run::pick_room(unsigned now) {
    const auto random = static_cast<unsigned>(all_.wire.random() % 1'000'000);
    return random % 10 == 0 ? now : (now + 1 + random / 10 % (options_.rooms - 1)) % options_.rooms;
}

user* load_run::pick_settled() {
    user* one = users_[all_.wire.random() % users_.size()].get();
    return one->is_settled() ? one : nullptr;
}

bool load_run::is_everything_sent() const {
    return std::all_of(senders_.begin(), senders_.end(),
                       [this](const user* one) { return one->messages_sent() >= options_.count; });
}

void load_run::start_drain(std::string problem) {
    result_.problem = std::move(problem);
    result_.load_s = all_.is_open ? as_seconds(all_.wire.now - phase_began_) : 0;
    all_.is_open = false;
    all_.last_activity = phase_began_ = all_.wire.now;
    step_ = &load_run::tick_drain;
}

bool load_run::is_anyone_busy() const {
    return std::any_of(users_.begin(), users_.end(),
                       [](const auto& one) { return one->is_busy() || one->is_waiting(); });
}

void load_run::tick_drain() {
    const nanoseconds quiet = all_.wire.now - all_.last_activity;
    const nanoseconds passed = all_.wire.now - phase_began_;
    const bool is_quiet = quiet >= nanoseconds{options_.settle_ms} * 1'000'000 && !is_anyone_busy();
    if (is_quiet || passed >= nanoseconds{options_.drain_ms} * 1'000'000) {
        finish();
    }
}

void load_run::finish() {
    result_.load_cpu = meter_.read() - cpu_before_;
    for (const auto& one : users_) {
        one->end();
    }
    step_ = nullptr;
}

} // namespace shaddock::bench
