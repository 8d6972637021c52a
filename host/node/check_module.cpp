#include "node/check_module.hpp"

#include "base/log.hpp"
#include "bus/local.hpp"
#include "cluster/local.hpp"
#include "module_files.hpp"
#include "node/complain.hpp"
#include "node/module_look.hpp"
#include "node/server_options.hpp"
#include "node/setting.hpp"
#include "scratch_folder.hpp"
#include "server_reload.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <csignal>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace shaddock::node {
namespace {

namespace fs = std::filesystem;

/// Without a caller that kills it. Safe in a signal handler.
[[noreturn]] void give_up(int) {
    constexpr std::string_view why =
        "host: found no end of create and setup (they spin or block), wanted a module that lets "
        "the loop turn\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, why.data(), why.size());
    _exit(exit_failed);
}

void limit(int what, rlim_t most) {
    rlimit now{};
    if (getrlimit(static_cast<__rlimit_resource>(what), &now) == 0) {
        now.rlim_cur = std::min(now.rlim_max, most);
        setrlimit(static_cast<__rlimit_resource>(what), &now);
    }
}

/// A module that does harm does it to this process.
void bound_this_process(const module_trial& wanted) {
    constexpr rlim_t gib = 1024ULL * 1024 * 1024;
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, gib);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // they map terabytes
    limit(RLIMIT_AS, 8 * gib);
#endif
    // The caller waits for twice the patience, as a person does.
    const auto most_seconds = static_cast<unsigned>(wanted.patience.count() * 2 / 1000 + 1);
    if (wanted.scratch) {
        limit(RLIMIT_CPU, most_seconds);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        // A try must not take the processor from the servers that serve.
        setpriority(PRIO_PROCESS, 0, 10);
    } else {
        std::signal(SIGALRM, &give_up);
    }
    alarm(most_seconds);
}

/// The copies are gone when this returns: what crashes or spins later leaves nothing on the disk.
result<reload_steps::plugins> open_once(const module_trial& wanted,
                                        const std::vector<module_file>& files) {
    const scratch_folder scratch(wanted.scratch);
    module::loader loader(scratch.path(), "check");
    return open_modules(loader, files, wanted.type);
}

/// The server whose part is played: the named one, else the first of the type, else one that stands
/// in no file.
config::server_record record_for(const config::system& system, const module_trial& wanted) {
    for (const auto& one : system.servers) {
        if (one.type == wanted.type && wanted.id.value_or(one.id) == one.id) {
            return one;
        }
    }
    config::server_record made;
    made.id = wanted.id.value_or(wanted.type + "-check");
    made.type = wanted.type;
    made.host = "127.0.0.1";
    made.json = "{}";
    return made;
}

/// Whether nothing but the absence of others is to blame.
bool is_of_being_alone(const error& failed) {
    return failed.code() == errc::no_server || failed.code() == errc::disconnected ||
           failed.code() == errc::timeout;
}

/// A server on its own loop, bus and registry, started and stopped once.
class lone_server {
public:
    lone_server(const setting& found, const config::server_record& record,
                std::chrono::milliseconds patience)
        : patience_(patience), self_(own_info(record, clock_)),
          directory_(with(cluster::list_of(found.system).servers, self_)),
          bus_(bus::make_local(loop_.get_executor(), clock_, network_, self_.id, self_.life)),
          registry_(cluster::make_local_registry(loop_.get_executor(), directory_)),
          server_(loop_.get_executor(), clock_, *bus_, *registry_,
                  options(found, record, pool_.get_executor())) {}

    /// What the plugins' authors should mend.
    result<std::vector<std::string>> run(reload_steps::plugins plugins) {
        server_.start(std::move(plugins), [this](const result<void>& started) {
            if (started) {
                advice_ = server_.advice();
            }
            if (!started && !is_of_being_alone(started.error()) && !is_stopping_) {
                outcome_ = started;
            }
            stop();
        });
        limit_ = clock_.after(patience_, [this] { stop(); });
        loop_.run();
        pool_.join();
        if (!outcome_) {
            return outcome_.error();
        }
        return advice_;
    }

private:
    static std::vector<door::server_info> with(std::vector<door::server_info> all,
                                               const door::server_info& self) {
        const auto is_there = std::any_of(all.begin(), all.end(),
                                          [&](const auto& each) { return each.id == self.id; });
        if (!is_there) {
            all.push_back(self);
            all.back().is_up = false;
        }
        return all;
    }
    server::server_options options(const setting& found, const config::server_record& record,
                                   const boost::asio::any_io_executor& blocking) const {
        auto wanted = options_of(found, record, self_, {}, blocking);
        wanted.listener.reset();
        wanted.is_check = true;
        wanted.drain_timeout = std::min<base::duration>(wanted.drain_timeout, patience_ / 2);
        return wanted;
    }

    void stop() {
        if (std::exchange(is_stopping_, true)) {
            return;
        }
        limit_.cancel();
        server_.stop("checked", [this] { loop_.stop(); });
    }

    boost::asio::io_context loop_{1};
    base::steady_clock clock_{loop_.get_executor()};
    boost::asio::thread_pool pool_{1};
    std::chrono::milliseconds patience_;
    door::server_info self_;
    bus::local_network network_;
    cluster::local_directory directory_;
    std::unique_ptr<bus::bus> bus_;
    std::unique_ptr<cluster::registry> registry_;
    server::server server_;
    base::timer limit_;
    result<void> outcome_;
    std::vector<std::string> advice_;
    bool is_stopping_ = false;
};

} // namespace

result<std::vector<std::string>> check_module(const setting& found, const module_trial& wanted) {
    bound_this_process(wanted);
    base::log::options quiet;
    quiet.threshold = base::log::level::off;
    base::log::start("check", quiet);
    std::vector<module_file> files;
    for (const auto& path : wanted.modules) {
        files.push_back({path.filename().string(), fs::absolute(path).lexically_normal()});
    }
    auto plugins = open_once(wanted, files);
    if (!plugins) {
        return plugins.error();
    }
    std::string names;
    for (const auto& file : files) {
        names += (names.empty() ? "" : ", ") + file.path.string();
    }
    auto outcome = lone_server(found, record_for(found.system, wanted), wanted.patience)
                       .run(std::move(*plugins));
    if (!outcome) {
        return error(errc::config, fmt::format("{}: {}", names, outcome.error().text()));
    }
    for (auto& each : *outcome) {
        each = fmt::format("{}: {}", names, each);
    }
    return outcome;
}

std::vector<std::string> cut_off_by(const setting& found, const module_trial& wanted) {
    std::vector<std::string> cut_off;
    for (const auto& path : wanted.modules) {
        const auto next = look_at_module(path, wanted.type);
        for (const auto& [type, options] : found.system.host.types) {
            for (const auto& name :
                 type == wanted.type ? std::vector<std::string>() : options.modules) {
                const auto file = find_module(found.exe, name);
                const auto other = file ? look_at_module(*file, type) : file.error();
                if (!next || !other) {
                    continue;
                }
                const auto compare = [&](const module_routes& caller, const module_routes& callee,
                                         std::string_view there, std::string_view here) {
                    for (const auto& one : refused_between(caller.contracts, callee.contracts)) {
                        cut_off.push_back(
                            fmt::format("cuts off calls of {1}: {0}: {2}; there is {1}, "
                                        "here {3}",
                                        one.route, there, one.why, here));
                    }
                };
                compare(*other, *next, name, path.filename().string());
                compare(*next, *other, path.filename().string(), name);
            }
        }
    }
    return cut_off;
}

} // namespace shaddock::node
