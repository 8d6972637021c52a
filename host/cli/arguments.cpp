#include "cli/arguments.hpp"

#include "client/statement.hpp"
#include "client_help.hpp"
#include "slips.hpp"
#include "verb.hpp"
#include "version_text.hpp"

#include <fmt/format.h>

namespace shaddock::cli {
namespace {

constexpr const char* examples = R"(
First steps:
  host check                                is everything there, and right? Nothing is started
  host start                                the master, every server of config/servers.json, and the page
  host list                                 who runs (--json for programs)
  host logs -f                              what they say, until Ctrl-C
  host routes                               what clients and other servers may ask of it
  host client                               talk to the system as a player's client does
  host admin                                the address of the admin page: load, logs, reload, restart in a browser

Day by day:
  host start -e production -D               in the background; returns once everything serves
  host reload chat                          new code for every chat server; nobody notices
  host restart chat-server-2                host.yaml anew, or after a crash loop; loses no request
  host add serverType=chat id=chat-server-4 host=127.0.0.1 port=6053
  host log chat debug --area server         each request in the logs, until `host log chat info`
  host stop chat-server-2                   stop one server; it stays stopped
  host stop                                 stop everything

One server by hand, no master needed:
  host --type chat --id chat-server-1

A server type of your own:
  host new tally --type tally               a project of it, to be built and tested

`host COMMAND --help` has more of each, with examples. Exit status: 0 done, 1 failed, 2 wrong arguments,
3 no master runs on that --run folder.)";

constexpr const char* start_examples = R"(
What dies is started again. A master that runs already is refused; servers that run without one are taken over.

Examples:
  host start                                in the foreground: what happens is printed; Ctrl-C stops all in order
  host start -D                             in the background: returns after the ready line
  host start -e production --config /etc/shop --run /var/lib/shop/run

Exit status: 0 stopped (-D: everything serves), 1 the start has failed (why has been said), 2 wrong arguments.)";

constexpr const char* web_examples = R"(
Examples:
  host web                                  the page that belongs to this host
  host web --port 8080 --folder ./web

Exit status: 0 stopped, 1 failed, 2 wrong arguments.)";

constexpr const char* list_examples = R"(
Examples:
  host list                                 the servers: process, state, uptime, memory, connections, build
  host list --all --json                    the page's server and the master too, as an array

Exit status: 0 all that should serve do, 1 one of those shown does not, or failed, 2 wrong arguments,
3 no master runs on that --run folder.)";

constexpr const char* health_examples = R"(
One line, for probes of Docker and Kubernetes. A server that somebody has stopped need not serve.

Examples:
  host health                               healthy: 6 of 6 serve
  host health connector-server-1            one of them
  host health connector                     those of a type
  host health --json                        {"healthy":false,"missing":[{"id","state"},..]}

Exit status: 0 all serve, 1 one does not, or no master runs on that --run folder, 2 wrong arguments.)";

constexpr const char* admin_examples = R"(
Examples:
  host admin                                prints http://127.0.0.1:3005/admin#token=...

Exit status: 0 done, 2 wrong arguments, 3 no master runs on that --run folder.)";

constexpr const char* routes_help = R"(
Read from the module files that host.yaml names, each opened in a process of its own; nothing of a plugin is
created, and no system need run. A name with ? may be left out; a remote's arguments stand in parentheses.

Examples:
  host routes                               of every type: what clients and other servers may ask
  host routes chat                          one type
  host routes chat --json                   [{"type","route","kind","serial","module","request","reply","text"},..]

Exit status: 0 done, 1 no such type, or a module cannot be read (the others are listed), 2 wrong arguments.)";

constexpr const char* check_examples = R"(
Plugins' files are opened in a process of their own and asked for their routes; nothing of them is created,
but with --module, which creates and starts what the file registers, as a reload does.

Examples:
  host check                                the system of ./config in development
  host check -e production --config /etc/shop
  host check --json                         {"ok":false,"problems":[{"file","line","key","text"},..],"warnings":[..],..}
  host check --options                      every option of host.yaml: unit, default, range, meaning
  host check --module chat.so --type chat   whether a reload would take this file

Exit status: 0 nothing is wrong (there may be warnings), 1 something is, 2 wrong arguments.)";

constexpr const char* new_examples = R"(
Makes a folder with all that a server type needs: CMakeLists.txt, a handler for clients, a remote for other
servers, their tests, a README.md. Then prints how to build, test and run it. Nothing of a system is touched.
Several types get a folder each, one header of contracts by which they ask each other, and a configuration
with the host's gate and connector, with which `host start` runs them.

Examples:
  host new tally --type tally               ./tally, which becomes build/dev/tally.so
  host new ~/games/my-game --type my-game   the handler's routes are my-game.myGameHandler.*
  host new island --types area,bag,quest    three types, and a system of them

Exit status: 0 made, 1 not made (the folder is in use, the type is no name), 2 wrong arguments.)";

client::address read_address(const char* option, const std::string& text) {
    const auto read = client::parse_address(text);
    if (!read) {
        throw CLI::ValidationError(option, read.error().text());
    }
    return *read;
}

std::chrono::milliseconds read_timeout(const std::string& text) {
    const auto read = client::parse_time(text);
    if (!read || read->count() == 0) {
        throw CLI::ValidationError("--timeout", "found '" + text +
                                                    "', expected a time of at most an hour as in "
                                                    "1.5, 500ms or 10s");
    }
    return *read;
}

/// All commands side by side; parsing fills one of them. The order of the groups in `host --help`
/// is that of their first commands here.
struct parser {
    parser() {
        app.footer(examples);
        app.set_version_flag("--version", version_text());
        app.require_subcommand(0, 1);
        add_serve();
        add_start();
        add_web();
        add_list();
        add_health();
        add_admin();
        add_running_verbs(app, chosen);
        add_routes();
        add_check();
        add_new();
        add_client();
    }

    void add_serve() {
        add_place(app, serve.where);
        app.add_option("--type", serve.type, "Run one server: its type, a key of servers.json")
            ->option_text("TYPE");
        app.add_option("--id", serve.id, "Run one server: its id in servers.json")
            ->option_text("ID");
        app.add_flag("--child", serve.is_child)->group("");
        app.add_flag("--modules-before", serve.with_modules_before)->group("");
    }
    void add_start() {
        const auto [start_app, start] = add_verb<start_command>(
            app, chosen, "start",
            "Start the master, which starts every server of servers.json and the page\n"
            "and keeps them running. Prints 'ready: N servers' when all serve.\n"
            "Ctrl-C stops everything in order.",
            run_group, start_examples);
        add_place(start_app, start->where);
        start_app.add_flag("-D", start->is_daemon,
                           "In the background: returns after the ready line");
        start_app.add_flag("--take-over", start->where.keeps_list)->group("");
    }
    void add_web() {
        const auto [web_app, web] = add_verb<web_command>(
            app, chosen, "web", "Serve the chat page. `host start` does it for you.", run_group,
            web_examples);
        add_place(web_app, web->where);
        web_app.add_option("--port", web->port, "Where to listen")
            ->option_text("PORT (host.yaml, 3001)");
        web_app.add_option("--folder", web->folder, "The page's files")->option_text("DIR");
        web_app.add_flag("--child", web->is_child)->group("");
    }
    void add_list() {
        const auto [list_app, list] =
            add_verb<list_command>(app, chosen, "list", "Show the servers of the running master",
                                   look_group, list_examples);
        add_place(list_app, list->where);
        list_app.add_flag("--json", list->as_json, "An array, for programs");
        list_app.add_flag("--all", list->with_all, "The master and the page's server too");
    }
    void add_health() {
        const auto [health_app, health] = add_verb<health_command>(
            app, chosen, "health", "Say in one line whether all that should serve do", look_group,
            health_examples);
        add_run(health_app, health->where);
        add_targets(health_app, health->targets,
                    "Types, ids as `host list --all` shows them, or all");
        health_app.add_flag("--json", health->as_json, "An object, for programs");
    }
    void add_admin() {
        const auto [admin_app, admin] = add_verb<admin_command>(
            app, chosen, "admin",
            "Print the address of the admin page, to be opened in a browser. It carries the\n"
            "token that opens the admin API: treat it as a password.",
            look_group, admin_examples);
        add_run(admin_app, admin->where);
    }

    void add_routes() {
        const auto [routes_app, routes] = add_verb<routes_command>(
            app, chosen, "routes", "Show every route with what it takes and answers", look_group,
            routes_help);
        routes_app.add_option("type", routes->type, "Only this server type")->option_text("TYPE");
        routes_app.add_flag("--json", routes->as_json,
                            "An array, for programs; requests and replies as JSON Schema");
        add_place(routes_app, routes->where);
    }

    void add_check() {
        const auto [check_app, check] = add_verb<check_command>(
            app, chosen, "check",
            "Look at everything that a start needs, and start nothing: config files,\n"
            "modules, protos, ports, folders. Tells all that is wrong, one line each.\n"
            "With --module: try module files in this process as a reload would.",
            run_group, check_examples);
        add_place(check_app, check->where);
        check_app.add_flag("--json", check->as_json, "An object, for programs");
        check_app.add_flag("--options", check->shows_options,
                           "Print the reference of host.yaml instead, as a Markdown table");
        auto* module =
            check_app
                .add_option("--module", check->modules,
                            "Try this file: open, create, set up, take down. Repeat it for each "
                            "module of the type")
                ->option_text("FILE");
        auto* type =
            check_app.add_option("--type", check->type, "The server type that they are for")
                ->option_text("TYPE");
        module->needs(type);
        type->needs(module);
        check_app.add_option("--id", check->id, "The server whose part they play")
            ->option_text("ID (the first of the type)")
            ->needs(module);
        check_app.add_option("--scratch", check->scratch)->group("");
        check_app.add_option("--patience", check->patience_ms)->group("");
    }

    void add_new() {
        const auto [new_app, project] =
            add_verb<new_command>(app, chosen, "new", "Make a project of a server type of your own",
                                  "Write plugins", new_examples);
        new_app.add_option("folder", project->folder, "A new or an empty folder")
            ->option_text("DIR")
            ->required();
        auto* kinds = new_app.add_option_group("types")->require_option(1);
        kinds->add_option("--type", project->type, "The server type, a key of servers.json")
            ->option_text("TYPE");
        kinds
            ->add_option("--types", project->types,
                         "Several, which share a header of contracts; with a configuration")
            ->option_text("TYPE,TYPE..")
            ->delimiter(',')
            ->allow_extra_args(false);
    }

    void add_client() {
        const auto [client_app, client] = add_verb<client_command>(
            app, chosen, "client",
            "A client in the terminal: requests, notifies and pushes of a frontend", look_group,
            client_examples);
        add_place(client_app, client->where);
        const auto add_address = [&to = client_app](const char* name, const char* what,
                                                    auto& into) {
            return to
                .add_option_function<std::string>(
                    name,
                    [name, &into](const std::string& text) { into = read_address(name, text); },
                    what)
                ->option_text("HOST:PORT");
        };
        auto* gate = add_address(
            "--gate", "The gate that names a frontend (the first of servers.json)", client->gate);
        add_address("--connect", "A frontend itself, without a gate", client->connect)
            ->excludes(gate);
        auto* tcp = client_app.add_flag("--tcp", client->over_tcp, "Over raw TCP");
        client_app.add_flag("--ws", with_websocket, "Over WebSocket (so it is by default)")
            ->excludes(tcp);
        client_app.add_option("--uid", client->uid, "Whom the gate is asked for")
            ->option_text("NAME");
        client_app.add_option("--script", client->script, "Lines to run; - is standard input")
            ->option_text("FILE");
        client_app.add_flag("--json", client->as_json, "One object a line, for programs");
        client_app
            .add_option_function<std::string>(
                "--timeout",
                [&timeout = client->timeout](const std::string& text) {
                    timeout = read_timeout(text);
                },
                "To connect, and for each answer")
            ->option_text("TIME (10s)");
    }

    command parsed() const {
        if (chosen) {
            return *chosen;
        }
        if (serve.type.empty() && serve.id.empty()) {
            return answer{app.help(), exit_usage};
        }
        if (serve.type.empty() || serve.id.empty()) {
            return answer{fmt::format("host: --{} is missing; a server is run with "
                                      "`host --type chat --id chat-server-1`\n",
                                      serve.type.empty() ? "type" : "id"),
                          exit_usage};
        }
        return serve;
    }

    CLI::App app{"Runs servers whose behaviour is a plugin of their type.", "host"};
    serve_command serve;
    std::optional<command> chosen;
    /// Said, though it is the default.
    bool with_websocket = false;
};

} // namespace

std::vector<std::string> verbs() {
    const parser all;
    std::vector<std::string> names;
    for (const auto* each : all.app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(each->get_name());
    }
    return names;
}

command parse(const std::vector<std::string>& arguments) {
    parser all;
    // CLI11 takes them from the back.
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
        all.app.parse(std::move(reversed));
        return all.parsed();
    } catch (const CLI::ParseError& stopped) {
        if (stopped.get_exit_code() != 0) {
            return answer{text_of(all.app, stopped), exit_usage};
        }
        std::ostringstream out; // help, or the version
        all.app.exit(stopped, out, out);
        return answer{out.str(), 0};
    }
}

} // namespace shaddock::cli
