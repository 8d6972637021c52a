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

} // namespace

std::vector<child_plan> plan_children(const master_options& options) {
    const auto& system = options.system;
    const auto& folder = system.host.log.folder.empty() ? options.run : system.host.log.folder;
    const auto add_place = [&](std::vector<std::string>& command) {
        command.insert(command.end(), {"--env", system.env, "--config", system.folder.string(),
                                       "--run", options.run.string(), "--child"});
        if (options.servers_file) {
            command.insert(command.end(), {"--servers", options.servers_file->string()});
        }
    };
    const auto output = [&](const std::string& id) {
        return std::filesystem::absolute(folder / (id + ".out"));
    };
    std::vector<child_plan> plans;
    for (const auto& server : system.servers) {
        child_plan plan;
        plan.id = server.id;
        plan.type = server.type;
        plan.run.command = {options.exe.string(), "--type", server.type, "--id", server.id};
        add_place(plan.run.command);
        plan.run.output = output(server.id);
        plan.stop_stage = stage_of(server);
        plans.push_back(std::move(plan));
    }
    if (system.host.web.port != 0) {
        child_plan plan;
        plan.id = "web";
        plan.type = "web";
        plan.run.command = {options.exe.string(), "web"};
        add_place(plan.run.command);
        plan.run.output = output(plan.id);
        plan.stop_stage = page;
        plan.is_server = false;
        plans.push_back(std::move(plan));
    }
    return plans;
}

} // namespace shaddock::master
