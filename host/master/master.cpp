#include "master/master.hpp"

#include "additions.hpp"
#include "asks.hpp"
#include "base/log.hpp"
#include "bus/run_folder.hpp"
#include "cluster/master_hub.hpp"
#include "command_routes.hpp"
#include "log_commands.hpp"
#include "master/admin.hpp"
#include "master/child_status.hpp"
#include "master/page_server.hpp"
#include "master_log.hpp"
#include "metrics.hpp"
#include "reloads.hpp"
#include "restarts.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/ranges.h>

#include <csignal>
#include <map>
#include <unistd.h>

namespace shaddock::master {
namespace {

constexpr int status_failed = 1;
/// A server that has not answered a scrape by then is left out of it.
constexpr std::chrono::seconds metrics_patience{1};
/// Beside what host.yaml grants to the steps of a reload: opening the files on a busy machine, and
/// a reload of the server's own that is under way.
constexpr std::chrono::seconds reload_slack{26};

/// Milliseconds: every JSON reader takes a number of that size exactly.
std::uint64_t first_question(const base::clock& clock) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(clock.wall_now().time_since_epoch())
            .count());
}

bool is_loopback(const std::string& host) {
    boost::system::error_code is_name;
    const auto address = boost::asio::ip::make_address(host, is_name);
    return is_name ? host == "localhost" : address.is_loopback();
}

/// Everything that one master owns, wired; lives on the stack of run_master.
class running_master final : supervisor_listener,
                             admin_target,
                             command_target,
                             reload_port,
                             restart_port,
                             cluster::hub_listener {
public:
    running_master(boost::asio::io_context& loop, const master_options& options, const terminal& to)
        : loop_(loop), options_(options), to_(to), system_(options.system),
          clock_(loop.get_executor()), processes_(loop.get_executor()),
          children_(
              plan_children(options), options.supervision, clock_, processes_,
              [this](std::string_view id) { return who_runs(id); }, *this),
          hub_(loop.get_executor(), clock_, options.run, *this),
          reloads_(clock_, *this, first_question(clock_)), restarts_(clock_, *this),
          additions_(
              clock_, system_, options.run, children_,
              [this](const config::server_record& server) {
                  return plan_added(options_, server, running_list(options_.run));
              },
              [this] { hub_.send_all("servers", expected_json(system_.servers)); }),
          asks_(
              clock_,
              [this](std::string_view id, std::string_view name, std::string_view args) {
                  return hub_.send(id, name, args);
              },
              first_question(clock_)),
          metrics_([this] { return observed(); },
                   [this](std::string_view id, metrics_round::answer_call answer) {
                       asks_.ask(id, "metrics", "{}", metrics_patience, std::move(answer));
                   }),
          admin_(loop.get_executor(), clock_, *this, options.run),
          signals_(loop, SIGINT, SIGTERM, SIGHUP) {
        serve_metrics();
        add_command_routes(admin_, *this);
    }

    /// Errors: what could not be opened.
    result<void> start() {
        if (auto opened = hub_.start(); !opened) {
            return opened.error().code() == errc::duplicate ? runs_already() : opened;
        }
        is_hub_open_ = true;
        // Not before it is sure that no other master writes there.
        if (auto opened = start_log(options_); !opened) {
            return opened;
        }
        if (const auto page = find_admin_folder(options_.system.folder, options_.exe)) {
            admin_.show_page(*page);
        } else {
            base::log::warn("master", "{}", page.error().text());
        }
        const auto& readers = system_.host.metrics;
        if (auto opened = admin_.let_read(readers.token_file, readers.token_group); !opened) {
            return opened;
        }
        const auto& record = system_.master;
        if (auto opened = admin_.start(record.host, record.port); !opened) {
            return opened;
        }
        if (!is_loopback(record.host)) {
            say(fmt::format("the admin API listens on {}:{} (master.json): who has the token rules "
                            "this system from other machines too, and it is sent unencrypted; "
                            "127.0.0.1 keeps it here",
                            record.host, record.port),
                true);
        }
        wait_for_signal();
        children_.start();
        return {};
    }

    /// After a failed start, too.
    void close(base::unique_function<void()> done) {
        signals_.cancel();
        admin_.stop();
        if (!std::exchange(is_hub_open_, false)) {
            boost::asio::post(loop_, std::move(done));
            return;
        }
        hub_.stop(std::move(done));
    }

    int status() const { return status_; }

private:
    std::optional<pid_t> who_runs(std::string_view id) const {
        if (!bus::is_running(options_.run, id)) {
            return std::nullopt;
        }
        return bus::running_pid(options_.run, id).value_or(0);
    }

    void serve_metrics() {
        const auto serve = [this](std::string_view path, std::string type, auto to_text) {
            auto handler = [this, type, to_text](const admin_request&, auto reply) {
                auto answer = [reply = std::move(reply), type, to_text](const auto& all) mutable {
                    reply({200, to_text(all), type});
                };
                metrics_.collect(std::move(answer));
            };
            admin_.route("GET", path, std::move(handler), admin_access::readers);
        };
        serve("/metrics", "text/plain; version=0.0.4; charset=utf-8", prometheus_text);
        serve("/api/metrics", "application/json", servers_json);
    }

    /// The children and the master itself, as if it were one.
    std::vector<child_report> observed() const {
        auto all = children_.list();
        child_report own;
        own.id = options_.system.master.id;
        own.type = "master";
        own.pid = getpid();
        own.state = is_stopping_ ? child_state::draining : child_state::ready;
        own.is_server = false;
        all.push_back(std::move(own));
        return all;
    }

    void wait_for_signal() {
        signals_.async_wait([this](const boost::system::error_code& failed, int number) {
            if (failed) {
                return;
            }
            if (is_stopping_) {
                say("stopping at once", true);
                children_.kill_all();
            } else {
                say(fmt::format("signal {}: stopping", number), false);
                stop_everything();
            }
            wait_for_signal();
        });
    }

    void say(std::string_view text, bool is_bad) {
        if (is_bad) {
            base::log::warn("master", "{}", text);
        } else {
            base::log::info("master", "{}", text);
        }
        to_.say(text);
    }

    result<void> runs_already() const {
        return error(errc::duplicate,
                     fmt::format("a master runs already on {} (process {}); `host stop --run {}` "
                                 "ends it",
                                 options_.run.string(),
                                 bus::running_pid(options_.run, "master").value_or(0),
                                 options_.run.string()));
    }

    void leave(int status) {
        status_ = status;
        close([this] { loop_.stop(); });
    }

    // ---- supervisor_listener
    void on_news(std::string_view text, bool is_bad) override { say(text, is_bad); }

    void on_ready(std::size_t servers) override {
        for (const auto& line : list_lines(false)) {
            const auto* record = system_.find(line.id);
            const auto clients =
                record != nullptr && record->frontend
                    ? fmt::format("  clients on {}:{}", record->host, record->client_port)
                    : std::string();
            say(fmt::format("{:<20} {:<10} process {:<8} {}{}", line.id, line.type,
                            line.pid.value_or(0), line.state, clients),
                false);
        }
        const auto& web = system_.host.web;
        if (web.port != 0) {
            const auto& host = web.host == "0.0.0.0" ? "127.0.0.1" : web.host;
            say(fmt::format("http://{}:{}/", host, web.port), false);
        }
        say(fmt::format("ready: {} servers", servers), false);
        to_.started(true);
    }

    void on_start_failed(std::string_view why) override {
        base::log::error("master", "the start has failed: {}", why);
        to_.say(fmt::format("the start has failed: {}", why));
        to_.started(false);
        leave(status_failed);
    }

    void on_dead(std::string_view id, incarnation life) override {
        for (const auto& other : hub_.connected()) {
            if (other != id) {
                hub_.send_dead(other, {std::string(id), life});
            }
        }
    }

    // ---- admin_target
    std::vector<list_line> list(bool with_all) override { return list_lines(with_all); }

    result<void> stop(const std::vector<std::string>& ids,
                      base::unique_function<void()> done) override {
        auto begun = children_.stop(ids, std::move(done));
        return begun ? taken_down(ids, "stop") : begun;
    }

    void stop_everything() override {
        if (std::exchange(is_stopping_, true)) {
            return;
        }
        children_.stop_all([this] {
            say("stopped", false);
            forget_additions();
            leave(0);
        });
    }

    result<void>
    reload(reload_request wanted,
           base::unique_function<void(const std::vector<reload_line>&)> done) override {
        if (is_stopping_) {
            return is_stopping("reloaded");
        }
        return reloads_.start(std::move(wanted), std::move(done));
    }

    // ---- command_target, restart_port
    result<void> restart(const std::vector<std::string>& targets, starts_call done) override {
        if (is_stopping_) {
            return is_stopping("restarted");
        }
        return restarts_.start(targets, std::move(done));
    }

    result<void> end(std::string_view id, base::unique_function<void()> done) override {
        return children_.stop({std::string(id)}, std::move(done));
    }
    void begin(std::string_view id, base::unique_function<void(result<void>)> done) override {
        children_.begin(id, std::move(done));
    }

    result<void> add(const addition_keys& keys, starts_call done) override {
        if (is_stopping_) {
            return is_stopping("added");
        }
        return additions_.start(keys, std::move(done));
    }

    result<void> kill(const std::vector<std::string>& ids,
                      base::unique_function<void()> done) override {
        auto begun = children_.kill(ids, std::move(done));
        return begun ? taken_down(ids, "kill") : begun;
    }

    void kill_everything() override {
        say("killing everything", true);
        children_.kill_all();
        stop_everything();
    }

    result<void> log(const std::vector<std::string>& targets, const log_change& wanted,
                     log_levels_call done) override {
        return change_levels(asks_, loop_.get_executor(), system_.master.id, children_.list(),
                             targets, wanted, std::move(done));
    }
    result<std::filesystem::path> log_file(std::string_view id) const override {
        return find_log(system_, children_.list(), id);
    }

    /// By a person: the log says so, and no restart under way brings them back.
    result<void> taken_down(const std::vector<std::string>& ids, std::string_view how) {
        say(fmt::format("asked to {} {}", how, fmt::join(ids, ", ")), false);
        restarts_.leave_out(ids);
        return {};
    }

    static error is_stopping(std::string_view what) {
        return {errc::duplicate, fmt::format("the system is stopping: nothing is {}", what)};
    }

    /// Additions live until everything has stopped.
    void forget_additions() const {
        std::error_code ignored;
        std::filesystem::remove(running_list(options_.run), ignored);
    }

    // ---- reload_port
    std::vector<child_report> children() const override { return children_.list(); }
    bool ask(std::string_view id, std::string_view args_json) override {
        return hub_.send(id, "reload", args_json);
    }
    base::duration patience(std::string_view type) const override {
        return system_.host.type(type).reload.longest() + reload_slack;
    }
    void on_swapped(std::string_view id, const running_build& now) override {
        children_.on_swapped(id, now);
    }

    std::vector<list_line> list_lines(bool with_all) const {
        std::vector<list_line> lines;
        for (const auto& child : children_.list()) {
            if (child.is_server || with_all) {
                lines.push_back(line_of(child));
            }
        }
        if (with_all) {
            lines.push_back(own_line());
        }
        return lines;
    }

    static list_line line_of(const child_report& child) {
        list_line line;
        line.id = child.id;
        line.type = child.type;
        line.pid = child.pid;
        line.state = to_string(child.state);
        line.connections = child.status.connections;
        line.module = child.status.module;
        line.version = child.status.version;
        line.build_id = child.status.build_id;
        line.generation = child.status.generation;
        line.ending = child.status.ending;
        line.kept = child.status.kept;
        line.life = number(child.life);
        add_usage(line);
        return line;
    }

    list_line own_line() const {
        list_line line;
        line.id = system_.master.id;
        line.type = "master";
        line.pid = getpid();
        line.state = is_stopping_ ? "draining" : "ready";
        line.version = options_.version;
        line.life = number(life_);
        add_usage(line);
        return line;
    }

    static void add_usage(list_line& line) {
        if (line.pid) {
            const auto usage = usage_of(*line.pid);
            line.uptime_s = static_cast<std::uint64_t>(usage.uptime.count());
            line.rss_kb = usage.rss_kb;
        }
    }

    // ---- hub_listener
    void on_register(std::string_view id, pid_t pid, std::string_view json) override {
        const auto life = life_from_registration(json);
        children_.on_link_up(id, pid, life ? *life : incarnation{});
        // Its own list may be older, or younger.
        hub_.send(id, "servers", expected_json(system_.servers));
    }
    void on_status(std::string_view id, std::string_view json) override {
        const auto status = child_status_from_json(json);
        if (!status) {
            return;
        }
        children_.on_status(id, *status);
        if (status->is_draining) {
            tell_of_leaving(id);
        }
    }
    void on_message(std::string_view id, std::string_view name, std::string_view json) override {
        if (name == "reloaded") {
            reloads_.on_answer(id, json);
        } else if (name == "answer") {
            asks_.on_answer(id, json);
        }
    }
    void on_gone(std::string_view id) override {
        children_.on_link_down(id);
        reloads_.on_gone(id);
        asks_.on_gone(id);
    }

    /// Nobody is to choose a server that stops any more.
    void tell_of_leaving(std::string_view id) {
        for (const auto& child : children_.list()) {
            if (child.id == id && number(child.life) != 0 && left_[child.id] != child.life) {
                left_[child.id] = child.life;
                for (const auto& other : hub_.connected()) {
                    if (other != id) {
                        hub_.send_leaving(other, {child.id, child.life});
                    }
                }
            }
        }
    }

    boost::asio::io_context& loop_;
    const master_options& options_;
    const terminal& to_;
    /// What `options_.system` was at the start, and what was added since.
    config::system system_;
    base::steady_clock clock_;
    system_processes processes_;
    supervisor children_;
    cluster::master_hub hub_;
    reloads reloads_;
    restarts restarts_;
    additions additions_;
    asks asks_;
    metrics_round metrics_;
    admin_server admin_;
    boost::asio::signal_set signals_;
    /// The last life of each server of whose leaving the others were told.
    std::map<std::string, incarnation> left_;
    incarnation life_{static_cast<std::uint64_t>(
        std::chrono::nanoseconds(clock_.wall_now().time_since_epoch()).count())};
    bool is_hub_open_ = false;
    bool is_stopping_ = false;
    int status_ = 0;
};

} // namespace

int run_master(const master_options& options, const terminal& to) {
    const auto fail = [&](std::string_view why) {
        to.say(fmt::format("the start has failed: {}", why));
        to.started(false);
        return status_failed;
    };
    if (auto prepared = bus::prepare_run_folder(options.run); !prepared) {
        return fail(prepared.error().text());
    }
    int status = 0;
    {
        boost::asio::io_context loop(1);
        running_master one(loop, options, to);
        if (auto started = one.start(); !started) {
            status = fail(started.error().text());
            one.close([&loop] { loop.stop(); });
        }
        loop.run();
        status = std::max(status, one.status());
    }
    base::log::stop();
    return status;
}

} // namespace shaddock::master
