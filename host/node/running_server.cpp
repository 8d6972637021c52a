#include "node/serve.hpp"

#include "base/clock.hpp"
#include "base/crash_report.hpp"
#include "base/log.hpp"
#include "base/loop_watch.hpp"
#include "base/memory_return.hpp"
#include "base/process.hpp"
#include "bus/run_folder.hpp"
#include "cluster/master_link.hpp"
#include "control/codec.hpp"
#include "control/metrics.hpp"
#include "control/reload.hpp"
#include "control/run_files.hpp"
#include "control/words.hpp"
#include "kept_rooms.hpp"
#include "module/module.hpp"
#include "module_files.hpp"
#include "module_reload.hpp"
#include "module_watch.hpp"
#include "node/complain.hpp"
#include "node/deny_list.hpp"
#include "node/log_question.hpp"
#include "node/process_life.hpp"
#include "node/questions.hpp"
#include "node/server_options.hpp"
#include "node/setting.hpp"
#include "node/tls_files.hpp"
#include "node/wire_files.hpp"
#include "protocol/kick.hpp"
#include "server/server.hpp"
#include "server_list.hpp"
#include "server_reload.hpp"
#include "system_links.hpp"

#include <boost/asio/thread_pool.hpp>
#include <fmt/ranges.h>

#include <unistd.h>

namespace shaddock::node {
namespace {

/// After everything else has stopped.
constexpr std::chrono::seconds blocking_patience{2};

/// Tells the master of each link as it comes and goes: `ready` must not wait for the next regular
/// report. And of a new incarnation.
class link_reports final : public bus::link_observer {
public:
    link_reports(cluster::master_link& to, door::server_info& self) : to_(to), self_(self) {}
    void on_link_up(const bus::peer&) override { to_.report(); }
    void on_link_down(const bus::peer&, bus::link_end) override { to_.report(); }
    void on_dead(const bus::peer&) override {}
    void on_reborn(const bus::peer& self) override {
        self_.life = self.life;
        to_.register_anew();
    }

private:
    cluster::master_link& to_;
    door::server_info& self_;
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
          self_(own_info(record, clock_)), run_folder_(found.run), links_(make_links(found)),
          server_(loop_.get_executor(), clock_, links_->bus(), links_->registry(),
                  wired(options_of(found, record, self_, agreed, pool_.get_executor()))),
          master_(
              loop_.get_executor(), clock_, {found.run},
              [this] {
                  return control::to_json(control::registration{self_.id, self_.life});
              },
              [this] { return control::to_json<control::server_status>(server_.now()); }, *this),
          signals_(
              loop_, clock_, found.system.host.limits.stop_timeout,
              [this](int number) { stop(fmt::format("signal {}", number)); },
              [this] { read_again(); }),
          processes_(loop_.get_executor()),
          reload_steps_(loop_.get_executor(), clock_, processes_, loader, server_, found,
                        record.type, record.id),
          reload_(loop_.get_executor(), clock_, reload_steps_, record.id),
          watch_(clock_, found.system.host.limits.tick_warning, warn_of_ticks(found)) {
        questions_.on("metrics", [this](std::string_view, questions::reply_call reply) {
            reply(bounded(control::to_json(control::told(metrics()))));
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
            modules_.emplace(loop_.get_executor(), clock_, module_places(found, record.type),
                             [this](auto over) {
                                 reload_.reload([this, over = std::move(over)](
                                                    const control::reload_record& ended) mutable {
                                     tell_master(ended);
                                     over();
                                 });
                             });
        }
    }

    /// Returns the exit status.
    /// `files`: what the modules' files were when they were read.
    int run(reload_steps::plugins plugins, const std::vector<file_stamp>& files) {
        links_->bus().observe(reports_);
        server_.on_settled([this] { master_.report(); });
        reload_.begin_with(plugins);
        reload_steps_.begin_with(plugins);
        links_->open(
            [this, plugins = std::move(plugins), files](const result<void>& opened) mutable {
                if (is_stopping_) {
                    return;
                }
                if (!opened) {
                    return fail(opened.error());
                }
                start(std::move(plugins), files);
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
    std::unique_ptr<system_links> make_links(const setting& found) {
        auto options = in_turns(bus_of(found, self_));
        if (found.system.host.bus.kind != config::bus_kind::nats) {
            return make_direct_links(loop_.get_executor(), clock_, random_, found,
                                     std::move(options));
        }
        link_news news;
        news.on_replaced = [this](std::string_view why) {
            status_ = complain(fmt::format("{} has to end: {}", self_.id, why));
            // Clients come back at once, to where their rooms are now.
            stop("another process has its id", protocol::kick_reason::lost,
                 server::stop_pace::at_once);
        };
        auto made = make_nats_links(loop_.get_executor(), clock_, random_, found, self_,
                                    std::move(options), std::move(news));
        if (!made) {
            throw made.error();
        }
        return std::move(*made);
    }

    void start(reload_steps::plugins plugins, std::vector<file_stamp> files) {
        is_started_ = true;
        server_.start(std::move(plugins),
                      [this, files = std::move(files)](const result<void>& started) {
                          if (!started && !is_stopping_) {
                              fail(started.error());
                          }
                          if (started) {
                              forget_kept_rooms(run_folder_, self_.id);
                              note_build();
                          }
                          if (started && modules_) {
                              modules_->start(files);
                          }
                          master_.report();
                      });
    }
    void fail(const error& why) {
        status_ = complain(why.text());
        stop("the start has failed");
    }

    void stop(std::string_view why, std::string_view kick_reason = protocol::kick_reason::shutdown,
              server::stop_pace pace = server::stop_pace::drains) {
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
        auto leaves = [this] { links_->close([this] { leave(); }); };
        if (is_started_) {
            server_.stop(kick_reason, std::move(leaves), pace);
        } else {
            leaves();
        }
        master_.report();
    }
    /// What also a change of the files would bring.
    void read_again() {
        if (is_stopping_) {
            return;
        }
        if (protos_) {
            protos_->read_again();
        }
        if (tls_) {
            tls_->read_again();
        }
        if (denied_) {
            denied_->read_again();
        }
    }
    void leave() {
        master_.stop([this] {
            signals_.cancel();
            watch_.stop();
            memory_.stop();
            loop_.stop();
        });
    }

    bus::direct_options in_turns(bus::direct_options options) {
        options.turns = &turns_;
        return options;
    }
    server::server_options wired(server::server_options options) {
        options.may_own = [this] { return links_->may_own(); };
        options.may_other_own = [this](auto id) { return links_->may_other_own(id); };
        options.lists = list_exchange();
        options.kept_rooms = read_kept_rooms(run_folder_, self_.id);
        options.keep_rooms = [this](const std::string& bytes) {
            node::keep_rooms(run_folder_, self_.id, bytes);
        };
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
        base::add_counter(all, "shaddock_log_lost_lines_total",
                          "Lines of the log that could not be written.", base::log::lost_lines());
        return all;
    }

    /// For a report of a crash, also while no master asks.
    void note_build() const {
        const auto now = server_.now();
        base::crash_report::set_build(
            fmt::format("{} {} build {}", now.module, now.version, now.build_id), now.generation);
    }

    void on_message(std::string_view word, std::string_view body) override {
        namespace words = control::word;
        if (word == words::ask) {
            questions_.serve(body);
        } else if (word == words::servers) {
            expect(body);
        } else if (word == words::dead || word == words::leaving) {
            on_life(word, body);
        } else if (word == words::reload) {
            on_reload(body);
        } else {
            base::log::warn("host", "the master says '{}', which this version does not know", word);
        }
    }
    void on_life(std::string_view word, std::string_view body) {
        const auto who = control::from_json<control::server_life>(body, word);
        if (!who || who->id.empty()) {
            base::log::warn("host", "the master says of nobody that it is {}: {}", word, body);
        } else if (word == control::word::dead) {
            links_->bus().report_dead({who->id, who->life});
        } else {
            links_->set_leaving({who->id, who->life});
        }
    }
    void on_reload(std::string_view body) {
        const auto order = control::from_json<control::reload_order>(body, "reload");
        if (!order) {
            base::log::warn("host", "the master says {}", order.error().text());
            return;
        }
        reload_.add(
            {*order, [this](const control::reload_record& record) { tell_master(record); }});
    }
    /// The master's list counts: servers come and go while the system runs.
    void expect(std::string_view body, std::uint64_t later_than = 0) {
        auto list = list_from_json(body);
        if (!list) {
            base::log::warn("host", "the list of servers: {}", list.error().text());
            return;
        }
        if (later_than != 0 && list->epoch <= later_than) {
            return;
        }
        told_lists_.keep(list->epoch, body);
        links_->take(std::move(*list));
    }
    /// From others, when the master cannot be heard.
    server::list_exchange list_exchange() {
        if (!links_->has_masters_list()) {
            return {};
        }
        return {[this](std::uint64_t epoch) { return told_lists_.after(epoch); },
                [this](std::string_view list) { expect(list, links_->registry().now()->epoch); }};
    }
    void tell_master(const control::reload_record& record) {
        note_build();
        // First what serves now, so that who hears of the swap finds it in the list.
        master_.report();
        master_.send(control::word::reloaded, control::to_json(record));
    }

    boost::asio::io_context loop_{1};
    base::steady_clock clock_;
    base::turn_budget turns_{loop_.get_executor(), clock_};
    base::random random_{base::random_seed()};
    boost::asio::thread_pool pool_;
    door::server_info self_;
    std::filesystem::path run_folder_;
    std::unique_ptr<system_links> links_;
    told_lists told_lists_;
    server::server server_;
    cluster::master_link master_;
    link_reports reports_{master_, self_};
    questions questions_{
        [this](std::string_view answer) { master_.send(control::word::answer, answer); }};
    stop_signals signals_;
    base::system_processes processes_;
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
    bool is_started_ = false;
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

/// The files to start with: those of the disk, or what served before the last swap, which is kept
/// until a start without it.
std::vector<module_file> files_for(const setting& found, const config::server_record& record,
                                   std::vector<module_file> files, bool with_modules_before) {
    const auto folder = control::modules_before(found.run, record.id);
    std::error_code ignored;
    if (!with_modules_before) {
        std::filesystem::remove_all(folder, ignored);
        return files;
    }
    auto before = files;
    for (auto& file : before) {
        file.path = folder / std::filesystem::path(file.name).filename();
        if (!std::filesystem::exists(file.path, ignored)) {
            base::log::error("reload", "{}: there is no {}, so it starts with the new modules",
                             record.id, file.path.string());
            return files;
        }
    }
    base::log::warn("reload",
                    "{}: the new modules crashed right after the swap: it starts with those "
                    "before, until the next reload or `host restart {}`",
                    record.id, record.id);
    return before;
}

} // namespace

int serve(const setting& found, const config::server_record& record, bool with_modules_before) {
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
    auto plugins =
        open_modules(loader, files_for(found, record, *files, with_modules_before), record.type);
    if (!plugins) {
        return complain(plugins.error().text());
    }
    const auto agreed = read_wire_files(found, record);
    if (!agreed) {
        return complain(agreed.error().text());
    }
    try {
        return running_server(found, record, *agreed, loader).run(std::move(*plugins), stamps);
    } catch (const error& failed) { // what the links need is not there
        return complain(failed.text());
    }
}

} // namespace shaddock::node
