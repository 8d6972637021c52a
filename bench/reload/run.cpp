#include "run.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace shaddock::reload {
namespace asio = boost::asio;
namespace {

constexpr auto tick_time = std::chrono::milliseconds(1);
constexpr double enter_limit_s = 30;
/// Load without any measurement, so that all have reached their size.
constexpr double warm_up_s = 2;
/// More than a replaced generation may take to end.
constexpr auto rest_limit = std::chrono::seconds(13);
constexpr nanoseconds ms = 1'000'000;

asio::ip::tcp::endpoint resolve(asio::io_context& io, const std::string& address) {
    const auto colon = address.rfind(':');
    if (colon == std::string::npos) {
        throw std::runtime_error(address + ": expected HOST:PORT");
    }
    asio::ip::tcp::resolver resolver(io);
    boost::system::error_code failed;
    const auto found =
        resolver.resolve(address.substr(0, colon), address.substr(colon + 1), failed);
    if (failed || found.empty()) {
        throw std::runtime_error(address + ": " + failed.message());
    }
    return *found.begin();
}

/// Of 20 requests 9 echo, 8 say, 2 relay, 1 waits.
kind kind_of(std::uint64_t turn, bool may_wait) {
    constexpr std::string_view pattern = "eseserseeswesesrseee";
    switch (pattern[turn % pattern.size()]) {
    case 's':
        return kind::say;
    case 'r':
        return kind::relay;
    case 'w':
        return may_wait ? kind::wait : kind::echo;
    default:
        return kind::echo;
    }
}

} // namespace

proof_run::proof_run(const run_options& options) : options_(options), all_(io_) {
    all_.seen.has_state = options.is_drained;
    all_.seen.has_rows = !options.rows_in.empty();
}

double proof_run::since(nanoseconds then) const {
    return static_cast<double>(all_.wire.now - then) / 1e9;
}

measures proof_run::run() {
    open_sessions();
    tick();
    io_.run();
    commands_.join();
    return result_;
}

void proof_run::open_sessions() {
    std::vector<asio::ip::tcp::endpoint> connectors;
    for (const auto& address : options_.connectors) {
        connectors.push_back(resolve(io_, address));
    }
    all_.seen.sessions.resize(options_.sessions);
    all_.wire.refresh();
    phase_began_ = all_.wire.now;
    for (unsigned i = 0; i < options_.sessions; ++i) {
        clients_.push_back(std::make_unique<client>(all_, i, i % options_.rooms,
                                                    connectors[i % connectors.size()]));
    }
}

void proof_run::tick() {
    all_.wire.refresh();
    (this->*step_)();
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

void proof_run::tick_enter() {
    if (all_.entered == clients_.size()) {
        phase_began_ = talk_began_ = all_.wire.now;
        wanted_ = options_.warm_up;
        step_ = &proof_run::tick_warm_up;
    } else if (since(phase_began_) > enter_limit_s) {
        result_.problem = fmt::format("only {} of {} sessions entered within {} s", all_.entered,
                                      clients_.size(), enter_limit_s);
        start_drain();
    }
}

void proof_run::tick_warm_up() {
    talk();
    reload_when_due();
    if (begun_ == wanted_ && !is_commanding_ && since(phase_began_) >= warm_up_s) {
        look_at_servers(false);
        step_ = &proof_run::tick_look;
    }
}

void proof_run::tick_look() {
    talk();
    if (!is_commanding_) {
        next_window();
        step_ = &proof_run::tick_load;
    }
}

void proof_run::next_window() {
    all_.wire.refresh();
    const auto place = result_.windows.size();
    result_.windows.push_back({.began = all_.wire.now, .ended = 0, .has_reloads = place % 2 == 1});
    begun_ = 0;
    wanted_ = 0;
    if (place % 2 == 1) {
        const auto pair = static_cast<unsigned>(place / 2);
        wanted_ = options_.reloads * (pair + 1) / options_.windows -
                  options_.reloads * pair / options_.windows;
    }
}

void proof_run::tick_load() {
    talk();
    const auto& now = result_.windows.back();
    if (now.has_reloads) {
        reload_when_due();
    }
    const bool is_over = now.has_reloads ? begun_ == wanted_ && !is_commanding_
                                         : since(now.began) >= options_.seconds;
    if (is_over) {
        close_window();
    }
}

void proof_run::close_window() {
    result_.windows.back().ended = all_.wire.now;
    if (result_.windows.size() < 2 * std::size_t{options_.windows}) {
        next_window();
    } else {
        start_drain();
    }
}

/// What is due by now, from one session after another; one with too much unanswered is passed over.
void proof_run::talk() {
    const auto due = static_cast<std::uint64_t>(since(talk_began_) * options_.rate);
    std::size_t passed_over = 0;
    while (sent_ < due && passed_over < clients_.size()) {
        auto& next = *clients_[asked_++ % clients_.size()];
        if (next.is_open() && next.waiting() < options_.pipeline) {
            // Every session goes through all kinds, each from another beginning.
            next.ask(kind_of(asked_ / clients_.size() + asked_, !options_.is_drained),
                     static_cast<std::uint32_t>(1 + all_.wire.random() % 40));
            ++sent_;
            passed_over = 0;
        } else {
            ++passed_over;
        }
    }
}

void proof_run::reload_when_due() {
    if (begun_ == wanted_ || is_commanding_ || all_.wire.now < reload_due_) {
        return;
    }
    ++begun_;
    reload_due_ = all_.wire.now + options_.every_ms * ms;
    exchange();
}

template <class Work>
void proof_run::command(Work work) {
    is_commanding_ = true;
    asio::post(commands_, [this, work] {
        auto then = work();
        asio::post(io_, [this, then = std::move(then)]() mutable {
            is_commanding_ = false;
            then();
        });
    });
}

/// Connector and chat in turn, each the next of its builds.
void proof_run::exchange() {
    const std::string type = exchanges_ % 2 == 0 ? "chat" : "connector";
    const std::size_t build = exchanges_ / 2 + 1;
    ++exchanges_;
    command([this, type, build] {
        reload done;
        try {
            done = options_.system.exchange(type, build);
        } catch (const std::exception& problem) {
            done.target = type;
            done.status = -1;
            done.said = problem.what();
        }
        return [this, done = std::move(done)]() mutable {
            all_.seen.reloads.push_back(std::move(done));
        };
    });
}

void proof_run::look_at_servers(bool is_after) {
    command([this, is_after] {
        std::vector<std::pair<listed_server, holding>> found;
        std::string problem;
        try {
            // Before, too: what the warm-up has replaced still holds memory for a moment.
            for (const auto& one : options_.system.list_at_rest(rest_limit)) {
                if (options_.system.into.contains(one.type)) {
                    found.emplace_back(one, holding_of(one.pid));
                }
            }
        } catch (const std::exception& failed) {
            problem = failed.what();
        }
        return [this, found, problem, is_after] {
            for (const auto& [one, held] : found) {
                note_server(one, held, is_after);
            }
            if (!problem.empty()) {
                result_.problem = problem;
            }
            if (is_after) {
                finish();
            }
        };
    });
}

void proof_run::note_server(const listed_server& one, const holding& held, bool is_after) {
    if (!is_after) {
        result_.servers.push_back(
            {.before = one, .after = one, .held_before = held, .held_after = held});
        return;
    }
    const auto found = std::ranges::find_if(result_.servers, [&](const auto& each) {
        return each.before.id == one.id && each.before.pid == one.pid;
    });
    if (found == result_.servers.end()) {
        result_.problem = fmt::format("{} is not the process that it was", one.id);
    } else {
        found->after = one;
        found->held_after = held;
    }
}

void proof_run::start_drain() {
    all_.last_activity = phase_began_ = all_.wire.now;
    step_ = &proof_run::tick_drain;
}

void proof_run::tick_drain() {
    const bool is_quiet = all_.wire.now - all_.last_activity >= options_.settle_ms * ms &&
                          all_.waiting == 0 && !is_commanding_;
    if (!is_quiet && since(phase_began_) < options_.drain_ms / 1e3) {
        return;
    }
    step_ = nullptr;
    if (result_.servers.empty()) {
        finish();
    } else {
        look_at_servers(true);
    }
}

void proof_run::finish() {
    for (const auto& one : clients_) {
        one->end();
    }
    if (all_.seen.has_rows) {
        read_rows();
    }
}

/// The servers have had nothing to write for a while.
void proof_run::read_rows() {
    for (std::size_t place = 0; place < all_.seen.sessions.size(); ++place) {
        std::ifstream in(fmt::format("{}/u{}", options_.rows_in, place));
        for (row next; in >> next.count >> next.sum;) {
            all_.seen.sessions[place].rows.push_back(next);
        }
    }
}

} // namespace shaddock::reload
