#include "master/master.hpp"

#include "additions.hpp"
#include "asks.hpp"
#include "base/log.hpp"
#include "base/rare_lines.hpp"
#include "bus/run_folder.hpp"
#include "cluster/master_hub.hpp"
#include "command_routes.hpp"
#include "control/codec.hpp"
#include "control/run_files.hpp"
#include "control/words.hpp"
#include "departures.hpp"
#include "drains.hpp"
#include "file_check.hpp"
#include "local_commands.hpp"
#include "master/admin.hpp"
#include "master/page_server.hpp"
#include "master_log.hpp"
#include "master_phase.hpp"
#include "metrics.hpp"
#include "reloads.hpp"
#include "replacement.hpp"
#include "restarts.hpp"
#include "server_book.hpp"
#include "service_notices.hpp"
#include "settling.hpp"
#include "several_machines.hpp"
#include "targets.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <unistd.h>

namespace shaddock::master {
namespace {

constexpr int status_failed = 1;
/// A server that has not answered a scrape by then is left out of it.
constexpr std::chrono::seconds metrics_patience{1};
/// Beside what host.yaml grants to the steps of a reload: opening the files on a busy machine, and
/// a reload of the server's own that is under way.
constexpr std::chrono::seconds reload_slack{26};

bool is_loopback(const std::string& host) {
    boost::system::error_code is_name;
    const auto address = boost::asio::ip::make_address(host, is_name);
    return is_name ? host == "localhost" : address.is_loopback();
}

/// Everything that one master owns, wired; lives on the stack of run_master.
class running_master final : supervisor_listener,
                             reload_needs,
                             restart_needs,
                             cluster::hub_listener {
public:
    running_master(boost::asio::io_context& loop, const master_options& options, const terminal& to)
        : loop_(loop), options_(options), to_(to), system_(options.system),
          clock_(loop.get_executor()), processes_(loop.get_executor()),
          children_(
              plan_children(options), options.supervision, clock_, processes_,
              [this](std::string_view id) { return who_runs(id); }, *this),
          hub_(loop.get_executor(), clock_, options.run, *this),
          reloads_(clock_, *this, clock_.wall_ms()), restarts_(clock_, *this),
          book_(loop.get_executor(), system_, options.run,
                [this] { hub_.send_all(control::word::servers, list_now()); }),
          settling_(clock_, children_),
          departures_(system_, options.run, book_, children_, settling_, restarts_, phase_,
                      [this](std::string_view text, bool is_bad) { say(text, is_bad); }),
          drains_(clock_, system_, book_, children_,
                  [this](const std::string& id, std::string_view why) {
                      return departures_.end_drain(id, why);
                  }),
          additions_(
              clock_, system_, options.run, book_, children_,
              [this](const config::server_record& server) { return plan_server(options_, server); },
              [this](auto done) { settling_.wait(system_.epoch, std::move(done)); }),
          replacement_(clock_, options, check_, phase_, [this] { return under_way(); }),
          asks_(
              clock_,
              [this](std::string_view id, std::string_view word, std::string_view body) {
                  return hub_.send(id, word, body);
              },
              clock_.wall_ms()),
          metrics_([this] { return observed(); },
                   [this](std::string_view id, metrics_round::answer_call answer) {
                       asks_.ask(id, "metrics", "{}", metrics_patience, std::move(answer));
                   }),
          commands_(command_parts{loop.get_executor(), options, system_, phase_, book_, children_,
                                  departures_, drains_, additions_, restarts_, reloads_,
                                  replacement_, asks_, metrics_, life_,
                                  [this](std::string_view text, bool is_bad) { say(text, is_bad); },
                                  [this] { stop_everything(); }, [this] { give_way(); }}),
          admin_(loop.get_executor(), clock_, options.run), notices_(clock_),
          signals_(loop, SIGINT, SIGTERM, SIGHUP) {
        made_ = machines_.make(loop.get_executor());
        add_command_routes(admin_, machines_.all());
    }

    /// Errors: what could not be opened.
    result<void> start() {
        if (!made_) {
            return made_;
        }
        if (auto opened = hub_.start(); !opened) {
            return opened.error().code() == errc::duplicate ? runs_already() : opened;
        }
        is_hub_open_ = true;
        // No other master writes there, and speaks for this machine.
        if (auto kept = book_.keep(); !kept) {
            return kept;
        }
        if (auto opened = start_log(options_); !opened) {
            return opened;
        }
        // Its thread writes to that log.
        if (auto joined = machines_.start(); !joined) {
            return joined;
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
        guard_folder();
        children_.start();
        drains_.look();
        return {};
    }

    /// After a failed start, too.
    void close(base::unique_function<void()> done) {
        signals_.cancel();
        guard_.cancel();
        admin_.stop();
        if (!std::exchange(is_hub_open_, false)) {
            boost::asio::post(loop_, std::move(done));
            return;
        }
        hub_.stop(std::move(done));
    }

    int status() const { return status_; }
    /// It is to be replaced by another program in this process.
    bool is_replaced() const { return phase_.is_replaced; }

private:
    std::optional<pid_t> who_runs(std::string_view id) const {
        if (!bus::is_running(options_.run, id)) {
            return std::nullopt;
        }
        return bus::running_pid(options_.run, id).value_or(0);
    }

    /// The children and the master itself, as if it were one.
    std::vector<child_report> observed() const {
        auto all = children_.list();
        for (auto& each : all) {
            drains_.show(each);
        }
        child_report own;
        own.id = options_.system.master.id;
        own.type = "master";
        own.set_process(getpid());
        own.state = to_string(phase_.is_stopping ? control::server_state::draining
                                                 : control::server_state::ready);
        own.is_server = false;
        all.push_back(std::move(own));
        return all;
    }

    void wait_for_signal() {
        signals_.async_wait([this](const boost::system::error_code& failed, int number) {
            if (failed) {
                return;
            }
            if (number == SIGHUP) {
                base::log::look_after_files();
                say("SIGHUP: logs, certificates, protos and deny.txt are looked at again, by all",
                    false);
                children_.hang_up();
            } else if (phase_.is_stopping) {
                say("stopping at once", true);
                children_.kill_all();
                machines_.end_hand_over(); // nobody is started any more
            } else {
                say(fmt::format("signal {}: stopping", number), false);
                stop_everything();
            }
            wait_for_signal();
        });
    }

    /// Without the run folder nobody finds this master.
    void guard_folder() {
        base::log::look_after_files();
        guard_ = clock_.after(std::chrono::seconds(1), [this] { guard_folder(); });
        book_.write_again();
        const auto restored = hub_.restore();
        if (restored && !*restored) {
            return;
        }
        auto written = restored ? admin_.write_place() : restored.error();
        if (written) {
            written = book_.keep(); // children read their list there
        }
        if (no_folder_.due(clock_.now())) {
            say(fmt::format("somebody has removed the run folder {}, or master.sock in it: {}",
                            options_.run.string(), written ? "made anew" : written.error().text()),
                true);
        }
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
        machines_.bring_in();
        for (const auto& row : commands_.rows(false)) {
            const auto* record = system_.find(row.id);
            const auto clients =
                record != nullptr && record->frontend
                    ? fmt::format("  clients on {}:{}", record->host, record->client_port)
                    : std::string();
            say(fmt::format("{:<20} {:<10} process {:<8} {}{}", row.id, row.type,
                            row.process().value_or(0), row.state, clients),
                false);
        }
        const auto& web = system_.host.web;
        if (web.port != 0) {
            const auto& host = web.host == "0.0.0.0" ? "127.0.0.1" : web.host;
            say(fmt::format("http://{}:{}/", host, web.port), false);
        }
        say(fmt::format("ready: {} servers", servers), false);
        to_.started(true);
        notices_.say(fmt::format("READY=1\nMAINPID={}", getpid()));
    }

    void on_start_failed(std::string_view why) override {
        base::log::error("master", "the start has failed: {}", why);
        to_.say(fmt::format("the start has failed: {}", why));
        to_.started(false);
        leave(status_failed);
    }

    void on_dead(std::string_view id, incarnation life) override {
        tell_others(control::word::dead, {std::string(id), life});
        machines_.tell_over(id, life);
    }

    void stop_everything() {
        if (std::exchange(phase_.is_stopping, true)) {
            return;
        }
        notices_.say("STOPPING=1");
        machines_.hand_over([this] {
            children_.stop_all([this] {
                say("stopped", false);
                forget_list();
                leave(0);
            });
        });
    }

    // ---- restart_needs
    void check(base::unique_function<void(result<void>)> done) override {
        check_.start(std::move(done));
    }

    result<void> end(std::string_view id, base::unique_function<void()> done) override {
        return children_.stop({std::string(id)}, std::move(done));
    }
    void begin(std::string_view id, base::unique_function<void(result<void>)> done) override {
        departures_.begin(id, std::move(done));
    }

    /// Of what the next master would not know.
    std::string_view under_way() const {
        return restarts_.is_busy()     ? "restart"
               : additions_.is_busy()  ? "addition"
               : reloads_.is_busy()    ? "reload"
               : departures_.is_busy() ? "stop"
                                       : "";
    }

    void give_way() {
        say("this master is replaced, in this process", false);
        loop_.stop();
    }

    /// The list lives until everything has stopped.
    void forget_list() const {
        std::error_code ignored;
        std::filesystem::remove(control::running_list(options_.run), ignored);
    }

    // ---- reload_needs
    std::vector<child_report> children() const override { return children_.list(); }
    bool ask(std::string_view id, const control::reload_order& order) override {
        return hub_.send(id, control::word::reload, control::to_json(order));
    }
    base::duration patience(std::string_view type) const override {
        return system_.host.type(type).reload.longest() + reload_slack;
    }
    void on_swapped(std::string_view id, const control::running_build& now) override {
        children_.on_swapped(id, now);
    }

    std::string list_now() const { return control::to_json(control::list_of(system_)); }

    void tell_others(std::string_view word, const control::server_life& of) {
        for (const auto& other : hub_.connected()) {
            if (other != of.id) {
                hub_.send(other, word, control::to_json(of));
            }
        }
    }

    // ---- hub_listener
    void on_register(std::string_view id, pid_t pid, std::string_view body) override {
        const auto said = control::from_json<control::registration>(body, "register");
        if (departures_.is_out(id) && is_down(id)) {
            say(fmt::format("{} (process {}) runs, but it was stopped and is out of the list: "
                            "nobody asks it for anything; `host restart {}` brings it back, "
                            "`host stop {}` ends it",
                            id, pid, id, id),
                true);
        }
        children_.on_link_up(id, pid, said ? said->life : incarnation{});
        // Its own list may be older, or younger.
        hub_.send(id, control::word::servers, list_now());
    }
    void on_status(std::string_view id, std::string_view body) override {
        const auto status = control::from_json<control::server_status>(body, "status");
        if (!status) {
            if (odd_status_.due(clock_.now())) {
                base::log::warn("master",
                                "{} says of itself what this master does not understand: {}", id,
                                status.error().text());
            }
            return;
        }
        children_.on_status(id, *status);
        departures_.bring_back(id);
        book_.catch_up(status->epoch);
        machines_.bring_in();
        settling_.look();
        if (departures_.is_leaving(id) && !restarts_.is_busy()) {
            drains_.look();
        }
        if (status->is(control::server_state::draining)) {
            tell_of_leaving(id);
        }
    }
    void on_message(std::string_view id, std::string_view word, std::string_view body) override {
        if (word == control::word::reloaded) {
            reloads_.on_answer(id, body);
        } else if (word == control::word::answer) {
            asks_.on_answer(id, body);
        }
    }
    void on_gone(std::string_view id) override {
        children_.on_link_down(id);
        settling_.look();
        reloads_.on_gone(id);
        asks_.on_gone(id);
    }

    bool is_down(std::string_view id) const {
        const auto all = children_.list();
        const auto* child = find_child(all, id);
        return child == nullptr || child->is(control::server_state::stopped);
    }

    /// Nobody is to choose a server that stops any more.
    void tell_of_leaving(std::string_view id) {
        const auto all = children_.list();
        const auto* child = find_child(all, id);
        if (child == nullptr || child->incarnation == 0) {
            return;
        }
        const auto life = static_cast<incarnation>(child->incarnation);
        if (std::exchange(left_[child->id], life) != life) {
            tell_others(control::word::leaving, {child->id, life});
        }
    }

    boost::asio::io_context& loop_;
    const master_options& options_;
    const terminal& to_;
    /// What `options_.system` was at the start, and what has changed since.
    config::system system_;
    base::steady_clock clock_;
    base::system_processes processes_;
    supervisor children_;
    cluster::master_hub hub_;
    reloads reloads_;
    restarts restarts_;
    server_book book_;
    settling settling_;
    master_phase phase_;
    departures departures_;
    drains drains_;
    additions additions_;
    /// Before a restart.
    file_check check_{loop_.get_executor(), processes_, options_};
    replacement replacement_;
    asks asks_;
    metrics_round metrics_;
    const incarnation life_{clock_.wall_ns()};
    local_commands commands_;
    several_machines machines_{{clock_, options_, book_, children_, settling_, phase_, commands_,
                                [this](std::string_view text, bool is_bad) { say(text, is_bad); }}};
    result<void> made_;
    admin_server admin_;
    service_notices notices_;
    base::timer guard_;
    base::rare_line no_folder_;
    base::rare_line odd_status_;
    boost::asio::signal_set signals_;
    /// The last life of each server of whose leaving the others were told.
    std::map<std::string, incarnation> left_;
    bool is_hub_open_ = false;
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
        if (one.is_replaced()) {
            // Nothing is taken down: sockets and locks end with this program.
            base::log::stop();
            status = fail(become_another_master(options).text());
            std::_Exit(status);
        }
    }
    base::log::stop();
    return status;
}

} // namespace shaddock::master
