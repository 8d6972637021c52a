#include "master/master.hpp"

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
    const auto& log = options.system.host.log.folder;
    return std::filesystem::absolute((log.empty() ? options.run : log) / (id + ".out"));
}

void add_place(const master_options& options,
               const std::optional<std::filesystem::path>& servers_file,
               std::vector<std::string>& command) {
    command.insert(command.end(),
                   {"--env", options.system.env, "--config", options.system.folder.string(),
                    "--run", options.run.string(), "--child"});
    if (servers_file) {
        command.insert(command.end(), {"--servers", servers_file->string()});
    }
}

child_plan plan_server(const master_options& options, const config::server_record& server,
                       const std::optional<std::filesystem::path>& servers_file) {
    child_plan plan;
    plan.id = server.id;
    plan.type = server.type;
    plan.run.command = {options.exe.string(), "--type", server.type, "--id", server.id};
    add_place(options, servers_file, plan.run.command);
    plan.run.output = output_of(options, server.id);
    plan.stop_stage = stage_of(server);
    return plan;
}

} // namespace

std::vector<child_plan> plan_children(const master_options& options) {
    std::vector<child_plan> plans;
    for (const auto& server : options.system.servers) {
        plans.push_back(plan_server(options, server, options.servers_file));
    }
    if (options.system.host.web.port != 0) {
        child_plan plan;
        plan.id = "web";
        plan.type = "web";
        plan.run.command = {options.exe.string(), "web"};
        add_place(options, options.servers_file, plan.run.command);
        plan.run.output = output_of(options, plan.id);
        plan.stop_stage = page;
        plan.is_server = false;
        plans.push_back(std::move(plan));
    }
    return plans;
}

child_plan plan_added(const master_options& options, const config::server_record& server,
                      const std::filesystem::path& servers_file) {
    return plan_server(options, server, servers_file);
}

} // namespace shaddock::master
