#include "verb.hpp"

namespace shaddock::cli {

CLI::Option* add_targets(CLI::App& app, std::vector<std::string>& targets, const char* which) {
    return app.add_option("targets", targets, which)->option_text("TYPE|ID|all ...");
}

void add_run(CLI::App& app, place& where) {
    app.add_option("--run", where.run, "Folder of sockets, locks and tokens")
        ->option_text("DIR (./run)");
}

void add_place(CLI::App& app, place& where) {
    app.add_option("-e,--env", where.env, "Section of the config files to use")
        ->option_text("ENV (development)");
    app.add_option("--config", where.config, "Folder of servers.json, master.json, host.yaml")
        ->option_text("DIR (./config, else the installed one)");
    app.add_option("--servers", where.servers, "Instead of the config folder's servers.json")
        ->option_text("FILE");
    add_run(app, where);
}

} // namespace shaddock::cli
