#include "arguments_routes.hpp"

#include "place_options.hpp"

#include <CLI/CLI.hpp>

namespace shaddock::cli {
namespace {

constexpr const char* help = R"(
Read from the module files that host.yaml names, each opened in a process of its own; nothing of a plugin is
created, and no system need run. A name with ? may be left out; a remote's arguments stand in parentheses.

Examples:
  host routes                               of every type: what clients and other servers may ask
  host routes chat                          one type
  host routes chat --json                   [{"type","route","kind","serial","module","request","reply","text"},..]

Exit status: 0 done, 1 no such type, or a module cannot be read (the others are listed), 2 wrong arguments.)";

} // namespace

void routes_arguments::add_to(CLI::App& app) {
    app_ = app.add_subcommand("routes", "Show every route with what it takes and answers");
    app_->group("Look at it")->footer(help);
    app_->add_option("type", wanted_.type, "Only this server type")->option_text("TYPE");
    app_->add_flag("--json", wanted_.as_json,
                   "An array, for programs; requests and replies as JSON Schema");
    add_place(*app_, wanted_.where);
}

std::optional<command> routes_arguments::chosen() const {
    if (app_->parsed()) {
        return wanted_;
    }
    return std::nullopt;
}

} // namespace shaddock::cli
