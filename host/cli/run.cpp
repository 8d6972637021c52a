#include "cli/run.hpp"

#include "base/log.hpp"
#include "bus/run_folder.hpp"
#include "check_system.hpp"
#include "config/reference.hpp"
#include "control/run_files.hpp"
#include "master/master.hpp"
#ifdef SHADDOCK_HAS_NATS
#include "master_nats/nats_machines.hpp"
#endif
#include "new_project.hpp"
#include "node/check_module.hpp"
#include "terminal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>

namespace shaddock::cli {
namespace {

namespace fs = std::filesystem;

fs::path this_program() {
    std::error_code failed;
    return fs::read_symlink("/proc/self/exe", failed);
}

int run_command(const answer& said) {
    std::fputs(said.text.c_str(), said.status == 0 ? stdout : stderr);
    return said.status;
}

/// Says all that keeps the system from starting, and what looks like a slip. False: it cannot.
bool is_startable(const place& where) {
    const auto report = check_system(where, ports_in_use::not_asked, list_choice::running);
    if (!report) {
        complain(report.error().text());
        return false;
    }
    for (const auto& one : report->findings) {
        complain((one.is_warning ? "warning: " : "") + one.text);
    }
    return report->problems() == 0;
}

void join_machines([[maybe_unused]] master::master_options& options) {
#ifdef SHADDOCK_HAS_NATS // else the first server says so
    options.place = master::place_of(options.system);
    options.others = [&options](const boost::asio::any_io_executor& executor) {
        return master::make_nats_machines(executor, options.system, options.run, options.place);
    };
#endif
}

int run_command(const start_command& wanted) {
    forget_stale_list(wanted.where);
    if (!is_startable(wanted.where)) {
        return exit_failed;
    }
    const auto found = resolve(wanted.where);
    if (!found) {
        return complain(found.error().text());
    }
    if (auto prepared = bus::prepare_run_folder(found->run); !prepared) {
        return complain(prepared.error().text());
    }
    const auto& log = found->system.host.log;
    if (!log.folder.empty()) {
        std::error_code ignored;
        fs::create_directories(log.folder, ignored);
    }
    auto to = foreground();
    if (wanted.is_daemon) {
        const auto& folder = log.folder.empty() ? found->run : log.folder;
        if (const auto status = daemonise(folder / "master.out", to)) {
            return *status;
        }
    }
    master::master_options options;
    options.system = found->system;
    options.run = found->run;
    options.exe = found->exe;
    options.supervision.stop_timeout =
        std::max(found->system.host.limits.stop_timeout, std::chrono::milliseconds(1000));
    options.supervision.silence = found->system.host.bus.silence;
    options.version = SHADDOCK_VERSION;
    if (found->system.host.bus.kind == config::bus_kind::nats) {
        join_machines(options);
    }
    if (const auto& list = found->servers_file;
        list && *list == control::running_list(found->run)) {
        to.say(fmt::format("servers run already: their list counts, {} (epoch {}), and not the "
                           "file servers.json, until `host stop` ends them all",
                           list->string(), found->system.epoch));
    }
    return master::run_master(options, to);
}

int run_command(const check_command& wanted) {
    if (wanted.shows_options) {
        fmt::print("{}", config::to_markdown(config::reference()));
        return 0;
    }
    if (wanted.modules.empty()) {
        const auto report = check_system(wanted.where, ports_in_use::warned_of, list_choice::files);
        if (!report) {
            return complain(report.error().text());
        }
        fmt::print("{}", wanted.as_json ? to_json(*report) + "\n" : to_text(*report));
        return report->problems() == 0 ? 0 : exit_failed;
    }
    // A server that reloads names the list that it runs by.
    const auto found =
        resolve(wanted.where, wanted.where.servers ? list_choice::files : list_choice::running);
    if (!found) {
        return complain(found.error().text());
    }
    const node::module_trial trial{wanted.modules, wanted.type, wanted.id, wanted.scratch,
                                   std::chrono::milliseconds(wanted.patience_ms)};
    if (!wanted.scratch) { // the server that reloads asks those that run
        for (const auto& line : node::cut_off_by(*found, trial)) {
            fmt::print("warning: {}\n", line);
        }
    }
    const auto checked = node::check_module(*found, trial);
    if (!checked) {
        return complain(checked.error().text());
    }
    for (const auto& each : *checked) {
        fmt::print("warning: {}\n", each);
    }
    return 0;
}

int run_command(const new_command& wanted) {
    const auto made = make_project(wanted, this_program());
    if (!made) {
        return complain(made.error().text());
    }
    std::fputs(made->c_str(), stdout);
    return 0;
}

} // namespace

int run(const std::vector<std::string>& arguments) {
    try {
        return std::visit([](const auto& wanted) { return run_command(wanted); }, parse(arguments));
    } catch (const std::exception& failed) {
        return complain(failed.what());
    }
}

void forget_stale_list(const place& where) {
    const auto run = fs::absolute(where.run).lexically_normal();
    std::error_code ignored;
    if (const auto list = control::running_list(run);
        !where.keeps_list && fs::exists(list, ignored) && !bus::is_anyone_running(run)) {
        fs::remove(list, ignored);
    }
}

result<located_folder> locate(const place& where, list_choice which) {
    located_folder found;
    found.exe = this_program();
    const auto folder = config::find_folder(where.config, found.exe);
    if (!folder) {
        return folder.error();
    }
    found.wanted.folder = fs::absolute(*folder).lexically_normal();
    found.wanted.env = where.env;
    if (where.servers) {
        found.wanted.servers_file = fs::absolute(*where.servers).lexically_normal();
    }
    found.run = fs::absolute(where.run).lexically_normal();
    std::error_code ignored;
    if (const auto list = control::running_list(found.run);
        which == list_choice::running && fs::exists(list, ignored) &&
        (where.keeps_list || bus::is_anyone_running(found.run))) {
        if (where.servers && found.wanted.servers_file != list) {
            return error(errc::config,
                         fmt::format("--servers {}: servers run on {} already, and their list "
                                     "counts ({}): leave --servers out, or end them first with "
                                     "`host stop`",
                                     where.servers->string(), found.run.string(), list.string()));
        }
        found.wanted.servers_file = list;
    }
    return {boost::system::in_place_value, std::move(found)};
}

result<setting> resolve(const place& where, list_choice which) {
    const auto folders = locate(where, which);
    if (!folders) {
        return folders.error();
    }
    auto files = config::check(folders->wanted);
    std::string problems;
    for (const auto& one : files.findings) {
        if (!one.is_warning) {
            problems += (problems.empty() ? "" : "\n") + one.text;
        }
    }
    if (!problems.empty()) {
        return error(errc::config, std::move(problems));
    }
    return setting{std::move(files.read), folders->exe, folders->run, folders->wanted.servers_file};
}

result<config::server_record> find_record(const config::system& system, std::string_view type,
                                          std::string_view id) {
    std::vector<std::string> types;
    std::vector<std::string> ids;
    std::vector<std::string> ids_of_type;
    for (const auto& server : system.servers) {
        ids.push_back(server.id);
        if (server.type == type) {
            ids_of_type.push_back(server.id);
        }
        if (std::find(types.begin(), types.end(), server.type) == types.end()) {
            types.push_back(server.type);
        }
    }
    if (ids_of_type.empty()) {
        return error(errc::config,
                     fmt::format("--type {}: no such type in servers.json ({}); known types: {}; "
                                 "nearest ids: {}",
                                 type, system.env, fmt::join(types, ", "),
                                 fmt::join(config::nearest(id, ids), ", ")));
    }
    const auto* record = system.find(id);
    if (record == nullptr) {
        return error(errc::config,
                     fmt::format("--id {}: no such server in servers.json ({}); nearest: {}", id,
                                 system.env, fmt::join(config::nearest(id, ids_of_type), ", ")));
    }
    if (record->type != type) {
        return error(errc::config,
                     fmt::format("--id {}: is of type {}, not {}; nearest of that type: {}", id,
                                 record->type, type,
                                 fmt::join(config::nearest(id, ids_of_type), ", ")));
    }
    return {boost::system::in_place_value, *record};
}

} // namespace shaddock::cli
