#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/loop_watch.hpp"
#include "base/memory_return.hpp"
#include "bus/direct.hpp"
#include "bus/run_folder.hpp"
#include "cli/run.hpp"
#include "cluster/direct.hpp"
#include "cluster/master_link.hpp"
#include "cluster/metrics_json.hpp"
#include "deny_list.hpp"
#include "log_question.hpp"
#include "master/child_status.hpp"
#include "master/process.hpp"
#include "module/module.hpp"
#include "module_files.hpp"
#include "module_reload.hpp"
#include "module_watch.hpp"
#include "process_life.hpp"
#include "protocol/kick.hpp"
#include "questions.hpp"
#include "reload_text.hpp"
#include "server/server.hpp"
#include "server_list.hpp"
#include "server_options.hpp"
#include "server_reload.hpp"
#include "tls_files.hpp"
#include "wire_files.hpp"

#include <boost/asio/thread_pool.hpp>
#include <fmt/ranges.h>

#include <unistd.h>

namespace shaddock::cli {
namespace {

/// The job of a reload that no master has asked for.
constexpr std::uint64_t own_doing = 0;
/// After everything else has stopped.
constexpr std::chrono::seconds blocking_patience{2};

/// Tells the master of each link as it comes and goes: `ready` must not wait for the next regular
/// report.
class link_reports final : public bus::link_observer {
public:
    explicit link_reports(cluster::master_link& to) : to_(to) {}
    void on_link_up(const bus::peer&) override { to_.report(); }
    void on_link_down(const bus::peer&, bus::link_end) override { to_.report(); }
    void on_dead(const bus::peer&) override {}

private:
    cluster::master_link& to_;
};

base::unique_function<void(base::duration)> warn_of_ticks(const setting& found) {
    return [limit = found.system.host.limits.tick_warning](base::duration longest) {
        base::log::warn("host",
                        "a turn of the loop took {} ms or more (limits.tick_warning: {} ms): long "
                        "work belongs in app.blocking, unless the machine is overloaded",
                        std::chrono::duration_cast<std::chrono::milliseconds>(longest).count(),
                        limit.count());
    };
}

/// One server and all that it is given, wired; lives on the stack of serve().
class running_server final : cluster::master_listener {
public:
    running_server(const setting& found, const config::server_record& record,
                   const wire_files& agreed, module::loader& loader)
        : clock_(loop_.get_executor()), pool_(found.system.host.limits.blocking_threads),
          self_(own_info(record, clock_)),
          bus_(bus::make_direct(loop_.get_executor(), clock_, random_, bus_of(found, self_))),
          registry_(cluster::make_direct_registry(loop_.get_executor(), *bus_,
                                                  expected_of(found.system))),
          server_(loop_.get_executor(), clock_, *bus_, *registry_,
                  in_turns(options_of(found, record, self_, agreed, pool_.get_executor()))),
          master_(
              loop_.get_executor(), clock_, {found.run},
              [this] { return master::registration_json(self_.id, self_.life); },
              [this] { return master::to_json(status()); }, *this),
          signals_(loop_, clock_, found.system.host.limits.stop_timeout,
                   [this](int number) { stop(fmt::format("signal {}", number)); }),
          processes_(loop_.get_executor()),
          reload_steps_(loop_.get_executor(), clock_, processes_, loader, server_, found,
                        record.type, record.id),
          reload_(loop_.get_executor(), clock_, reload_steps_, record.id),
          watch_(clock_, found.system.host.limits.tick_warning, warn_of_ticks(found)) {
        questions_.on("metrics", [this](std::string_view, questions::reply_call reply) {
            reply(bounded(cluster::metrics_json(metrics())));
        });
        if (agreed.protos) {
            version_ = agreed.protos->version;
            protos_.emplace(loop_.get_executor(), clock_, found.system.folder, found.system.env,
                            [this](auto now) { server_.use_protos(std::move(now)); });
        }
        if (agreed.identity) {
            tls_.emplace(loop_.get_executor(), clock_, agreed.identity);
            tls_->start(found.system.folder, found.system.host.type(record.type).connector);
        }
        if (record.frontend) {
            denied_.emplace(loop_.get_executor(), clock_, found.system.folder, found.system.env,
                            [this](auto networks) { server_.deny(std::move(networks)); });
        }
        if (found.system.host.type(record.type).reload.watch) {
            modules_.emplace(
                loop_.get_executor(), clock_, module_places(found, record.type), [this](auto over) {
                    reload_.reload(
                        [this, over = std::move(over)](const reload_report& report) mutable {
                            tell_master(own_doing, report);
                            over();
                        });
                });
        }
    }

    /// Returns the exit status.
    /// `files`: what the modules' files were when they were read.
    int run(reload_steps::plugins plugins, const std::vector<file_stamp>& files) {
        bus_->observe(links_);
        reload_.begin_with(plugins);
        server_.start(std::move(plugins), [this, files](const result<void>& started) {
            if (!started && !is_stopping_) {
                status_ = complain(started.error().text());
                stop("the start has failed");
            }
            if (started && modules_) {
                modules_->start(files);
            }
            master_.report();
        });
        answer_log(questions_);
        master_.start();
        watch_.start();
        memory_.start();
        if (protos_) {
            protos_->start(version_);
        }
        if (denied_) {
            denied_->start();
        }
        loop_.run();
        // Blocking work of a plugin cannot be called back; with it, the process goes.
        alarm(static_cast<unsigned>(blocking_patience.count()));
        pool_.join();
        reload_steps_.join();
        alarm(0);
        return status_;
    }

private:
    void stop(std::string_view why) {
        if (std::exchange(is_stopping_, true)) {
            return;
        }
        base::log::info("host", "stopping: {}", why);
        if (protos_) {
            protos_->stop();
        }
        if (tls_) {
            tls_->stop();
        }
        if (denied_) {
            denied_->stop();
        }
        if (modules_) {
            modules_->stop();
        }
        reload_.stop();
        server_.stop(protocol::kick_reason::shutdown, [this] { leave(); });
        master_.report();
    }
    void leave() {
        master_.stop([this] {
            signals_.cancel();
            watch_.stop();
            memory_.stop();
            loop_.stop();
        });
    }

    server::server_options in_turns(server::server_options options) {
        if (options.listener) {
            options.listener->turns = &turns_;
        }
        return options;
    }

    /// A longer answer would end the line to the master.
    static result<std::string> bounded(std::string metrics) {
        constexpr std::size_t limit = std::size_t{768} * 1024;
        if (metrics.size() > limit) {
            return error(errc::overloaded,
                         fmt::format("the metrics have {} bytes, the line to the master takes {}",
                                     metrics.size(), limit));
        }
        return metrics;
    }
    base::metric_families metrics() const {
        auto all = server_.metrics();
        server::add_loop(all, watch_, turns_);
        return all;
    }

    master::child_status status() const {
        const auto now = server_.now();
        master::child_status said;
        said.is_ready = now.now == server::state::ready;
        said.is_draining = now.now == server::state::draining;
        said.connections = now.connections;
        said.module = now.module;
        said.version = now.version;
        said.build_id = now.build_id;
        said.generation = now.generation;
        said.ending = now.ending;
        said.kept = now.kept;
        said.links = now.links;
        said.links_expected = now.links_expected;
        return said;
    }

    void on_dead(const bus::peer& gone) override { bus_->report_dead(gone); }
    void on_leaving(const bus::peer& who) override { registry_->set_leaving(who); }
    void on_command(std::string_view name, std::string_view args) override {
        if (name == "ask") {
            return questions_.serve(args);
        }
        if (name == "servers") {
            return expect(args);
        }
        if (name != "reload") {
            base::log::warn("host", "the master says '{}', which this version does not know", name);
            return;
        }
        const auto order = reload_order_from_json(args);
        if (!order) {
            base::log::warn("host", "the master says {}", order.error().text());
            return;
        }
        auto answer = [this, job = order->job](const reload_report& report) {
            tell_master(job, report);
        };
        reload_.add({order->is_rollback, order->is_dry_run, std::move(answer)});
    }
    /// The master's list counts: servers come while the system runs.
    void expect(std::string_view args) {
        auto servers = servers_from_json(args);
        if (!servers) {
            base::log::warn("host", "the master's list of servers: {}", servers.error().text());
        } else if (!is_stopping_) {
            registry_->set_expected(std::move(*servers));
        }
    }
    void tell_master(std::uint64_t job, const reload_report& report) {
        // First what serves now, so that who hears of the swap finds it in the list.
        master_.report();
        master_.send("reloaded", to_json(job, report));
    }

    boost::asio::io_context loop_{1};
    base::steady_clock clock_;
    base::turn_budget turns_{loop_.get_executor(), clock_};
    base::random random_{base::random_seed()};
    boost::asio::thread_pool pool_;
    door::server_info self_;
    std::unique_ptr<bus::bus> bus_;
    std::unique_ptr<cluster::direct_registry> registry_;
    server::server server_;
    cluster::master_link master_;
    link_reports links_{master_};
    questions questions_{[this](std::string_view answer) { master_.send("answer", answer); }};
    stop_signals signals_;
    master::system_processes processes_;
    server_reload reload_steps_;
    module_reload reload_;
    base::loop_watch watch_;
    base::memory_return memory_{clock_};
    std::optional<proto_reload> protos_;
    std::optional<tls_reload> tls_;
    std::optional<deny_watch> denied_;
    std::optional<module_watch> modules_;
    /// Of the protos that the start has read.
    std::string version_;
    bool is_stopping_ = false;
    int status_ = 0;
};

std::string already_running(const setting& found, const config::server_record& record) {
    std::vector<std::string> others;
    for (const auto& server : found.system.of_type(record.type)) {
        if (!bus::is_running(found.run, server.id)) {
            others.push_back(server.id);
        }
    }
    return fmt::format("--id {}: is already running (process {}) on {}; {}", record.id,
                       bus::running_pid(found.run, record.id).value_or(0), found.run.string(),
                       others.empty()
                           ? fmt::format("so is every server of type {}", record.type)
                           : fmt::format("nearest ids that are not: {}",
                                         fmt::join(config::nearest(record.id, others), ", ")));
}

int serve(const setting& found, const config::server_record& record) {
    if (const auto usable = check_bus_kind(found.system.host.bus.kind); !usable) {
        return complain(usable.error().text());
    }
    if (auto prepared = bus::prepare_run_folder(found.run); !prepared) {
        return complain(prepared.error().text());
    }
    // Before the module is copied: the copies of whoever runs must not be taken for left-overs.
    if (bus::is_running(found.run, record.id)) {
        return complain(already_running(found, record));
    }
    module::loader loader(found.run, record.id);
    const auto files = find_modules(found, record.type);
    if (!files) {
        return complain(files.error().text());
    }
    const auto stamps = stamps_of(*files);
    auto plugins = open_modules(loader, *files, record.type);
    if (!plugins) {
        return complain(plugins.error().text());
    }
    const auto agreed = read_wire_files(found, record);
    if (!agreed) {
        return complain(agreed.error().text());
    }
    return running_server(found, record, *agreed, loader).run(std::move(*plugins), stamps);
}

} // namespace

int run_command(const serve_command& wanted) {
    forget_stale_list(wanted.where);
    const auto found = resolve(wanted.where);
    if (!found) {
        return complain(found.error().text());
    }
    const auto record = find_record(found->system, wanted.type, wanted.id);
    if (!record) {
        return complain(record.error().text());
    }
    start_log(record->id, found->system.host.log, wanted.is_child);
    for (const auto& slip : found->system.warnings) {
        base::log::warn("config", "{}", slip);
    }
    const int status = serve(*found, *record);
    base::log::stop();
    return status;
}

} // namespace shaddock::cli
