#include "control/run_files.hpp"
#include "master/master.hpp"

#include <fmt/format.h>

namespace shaddock::master {
namespace {

enum stop_stage { entrances = 0, frontends = 1, backends = 2, page = 3 };

int stage_of(const config::server_record& server) {
    if (!server.frontend) {
        return backends;
    }
    return server.port == 0 ? entrances : frontends;
}

std::filesystem::path output_of(const master_options& options, const std::string& id) {
    return control::output_folder(options.system, options.run) / (id + ".out");
}

/// The files as a person would name them.
void add_place(const master_options& options, std::vector<std::string>& command) {
    command.insert(command.end(), {"--env", options.system.env, "--config",
                                   options.system.folder.string(), "--run", options.run.string()});
}

bool kills_stalled(const master_options& options) {
    return options.system.host.supervision.stalled == config::stalled_process::kill;
}

/// A child reads the list of the running system.
void add_child_place(const master_options& options, std::vector<std::string>& command) {
    add_place(options, command);
    command.insert(command.end(),
                   {"--child", "--servers", control::running_list(options.run).string()});
}

} // namespace

child_plan plan_server(const master_options& options, const config::server_record& server) {
    child_plan plan;
    plan.id = server.id;
    plan.type = server.type;
    plan.is_stopped = server.stopped;
    plan.run.command = {options.exe.string(), "--type", server.type, "--id", server.id};
    add_child_place(options, plan.run.command);
    plan.run.output = output_of(options, server.id);
    plan.stop_stage = stage_of(server);
    plan.modules_before = control::modules_before(options.run, server.id);
    plan.is_restarted = server.auto_restart || server.restart_force;
    plan.is_killed_stalled = kills_stalled(options) || server.restart_force;
    return plan;
}

std::vector<child_plan> plan_children(const master_options& options) {
    std::vector<child_plan> plans;
    for (const auto& server : options.system.servers) {
        if (server.is_here) { // the others have masters of their own
            plans.push_back(plan_server(options, server));
        }
    }
    if (options.system.host.web.port != 0) {
        child_plan plan;
        plan.id = "web";
        plan.type = "web";
        plan.run.command = {options.exe.string(), "web"};
        add_child_place(options, plan.run.command);
        plan.run.output = output_of(options, plan.id);
        plan.stop_stage = page;
        plan.is_server = false;
        plan.is_killed_stalled = kills_stalled(options);
        plans.push_back(std::move(plan));
    }
    return plans;
}

base::launch plan_check(const master_options& options) {
    base::launch check;
    check.command = {options.exe.string(), "check"};
    add_place(options, check.command);
    // What runs is to be fit for a start; the list of the config folder is for the next system.
    check.command.insert(check.command.end(),
                         {"--servers", control::running_list(options.run).string()});
    check.output = options.run / "check.out";
    return check;
}

std::vector<std::string> restart_command(const master_options& options) {
    std::vector<std::string> command{options.exe.string(), "start", "--take-over"};
    add_place(options, command);
    return command;
}

} // namespace shaddock::master
