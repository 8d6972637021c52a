#include "check_system.hpp"

#include "bus/run_folder.hpp"
#include "check_places.hpp"
#include "master/page_server.hpp"
#include "node/deny_list.hpp"
#include "node/module_look.hpp"
#include "node/server_options.hpp"
#include "node/tls_files.hpp"
#include "node/wire_files.hpp"
#include "proto_replies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace shaddock::cli {
namespace {

namespace fs = std::filesystem;

/// One look at a system; what it finds goes to the report.
class system_check {
public:
    system_check(located_folder folders, config::checked files)
        : folders_(std::move(folders)), files_(std::move(files)) {
        report_.findings = files_.findings;
    }

    system_report run(ports_in_use ports) {
        check_bus();
        for (const auto& [type, options] : system().host.types) {
            check_modules(type, options.modules);
        }
        check_contracts();
        check_dictionary();
        check_protos();
        check_identities();
        const auto denied = node::read_deny_list(system().folder, system().env);
        report_.findings.insert(report_.findings.end(), denied.problems.begin(),
                                denied.problems.end());
        for (const auto& said : problems_of_folders(system(), folders_.run)) {
            note(false, {}, said);
        }
        for (const auto& said : too_few_descriptors(system())) {
            note(true, {}, said);
        }
        check_page();
        if (ports == ports_in_use::warned_of) {
            for (auto& one : ports_taken(system(), files_.ports, folders_.run)) {
                report_.findings.push_back(std::move(one));
            }
        }
        count();
        return std::move(report_);
    }

private:
    const config::system& system() const { return files_.read; }

    void note(bool is_warning, const config::place& where, std::string_view text) {
        const auto place = config::to_string(where);
        report_.findings.push_back(
            {is_warning, where,
             place.empty() ? std::string(text) : fmt::format("{}: {}", place, text)});
    }

    void check_bus() {
        if (const auto usable = node::check_bus_kind(system().host.bus.kind); !usable) {
            note(false, {}, usable.error().text());
        }
    }

    void check_modules(const std::string& type, const std::vector<std::string>& names) {
        const auto known = files_.module_places.find(type);
        const auto& types = system().types;
        // A type without servers is no obstacle.
        const bool is_warning = std::find(types.begin(), types.end(), type) == types.end();
        std::map<std::string, std::string> owner_of_handler;
        std::map<std::string, std::string> owner_of_remote;
        for (std::size_t i = 0; i < names.size(); ++i) {
            config::place where;
            if (known != files_.module_places.end() && !known->second.empty()) {
                where = known->second[std::min(i, known->second.size() - 1)];
            }
            const auto looked = look_at(names[i], type);
            if (!looked) {
                is_module_missing_ = true;
                note(is_warning, where, looked.error().text());
                continue;
            }
            ++report_.modules;
            note_twice("handler", looked->handlers, names[i], where, owner_of_handler);
            note_twice("remote", looked->remotes, names[i], where, owner_of_remote);
            for (const auto& one : looked->handlers) {
                replies_.emplace(one.route, one.reply_shape);
            }
            modules_.push_back({names[i], where, looked->contracts});
        }
    }

    result<node::module_routes> look_at(const std::string& name, const std::string& type) const {
        const auto file = node::find_module(folders_.exe, name);
        return file ? node::look_at_module(*file, type) : file.error();
    }

    void note_twice(std::string_view kind, const std::vector<node::registered_route>& routes,
                    const std::string& module, const config::place& where,
                    std::map<std::string, std::string>& owners) {
        for (const auto& one : routes) {
            const auto [first, is_new] = owners.emplace(one.route, module);
            if (!is_new) {
                note(false, where,
                     fmt::format("found the {} '{}' in {}, which {} already has, expected each "
                                 "once in a type",
                                 kind, one.route, module, first->second));
            }
        }
    }

    /// Of what modules say that they call.
    void check_contracts() {
        for (const auto& caller : modules_) {
            for (const auto& callee : modules_) {
                for (const auto& one : refused_between(caller.contracts, callee.contracts)) {
                    note(true, caller.where,
                         fmt::format("found calls of {0} that {1} would refuse: {2}: {3}; there is "
                                     "{0}, here {1}: build both from the same contract, or give "
                                     "members that come and go a default",
                                     caller.name, callee.name, one.route, one.why));
                }
            }
        }
    }

    void check_dictionary() {
        const auto read = config::read_dictionary(system().folder, system().env);
        if (read) {
            dictionary_ = *read;
        } else {
            report_.findings.push_back(
                config::problem_in(system().folder / "dictionary.json", read.error()));
        }
    }

    void check_protos() {
        for (const std::string name : {"serverProtos.json", "clientProtos.json"}) {
            const auto file = node::look_at_protos(system().folder, system().env, name);
            report_.findings.insert(report_.findings.end(), file.findings.begin(),
                                    file.findings.end());
            if (!file.set) {
                continue;
            }
            report_.protos += file.set->routes().size();
            // Without the routes of all modules nobody knows which are used.
            if (!is_module_missing_) {
                check_proto_routes(file, name == "clientProtos.json");
            }
            if (name == "serverProtos.json") {
                for (const auto& one : unfit_replies(*file.set, replies_)) {
                    note(true, node::place_of_route(file, one.route), one.text);
                }
            }
        }
    }

    /// Routes of pushes are known only by dictionary.json, which need not name them; so that of
    /// those to clients only what looks like a handler's, or like a slip, is suspicious.
    void check_proto_routes(const node::proto_file& file, bool is_of_client) {
        constexpr int most = 100;
        std::vector<std::string> known;
        for (const auto& [route, reply] : replies_) {
            known.push_back(route);
        }
        known.insert(known.end(), dictionary_.begin(), dictionary_.end());
        auto routes = file.set->routes();
        std::sort(routes.begin(), routes.end());
        int told = 0;
        for (const auto& route : routes) {
            if (std::find(known.begin(), known.end(), route) != known.end()) {
                continue;
            }
            const auto slip = config::slip_of(route, known);
            const bool is_like_a_handler = std::count(route.begin(), route.end(), '.') == 2;
            if ((is_of_client || is_like_a_handler || slip) && ++told <= most) {
                note(true, node::place_of_route(file, route),
                     fmt::format("found a route that {}, expected one that is used{}",
                                 is_of_client ? "no handler has"
                                              : "no handler and no dictionary has",
                                 slip ? fmt::format("; did you mean '{}'?", *slip) : ""));
            }
        }
    }

    /// Of each type that has frontends.
    void check_identities() {
        std::set<std::string> looked;
        for (const auto& server : system().servers) {
            if (!server.frontend || !looked.insert(server.type).second) {
                continue;
            }
            const auto read =
                node::read_identity(system().folder, system().host.type(server.type).connector);
            if (!read) {
                note(false, {}, read.error().text());
            } else if (*read && (*read)->has_expired()) {
                note(true, {},
                     fmt::format("types.{}: found a certificate that has expired, {}, expected one "
                                 "that is valid",
                                 server.type, (*read)->text()));
            }
        }
    }

    void check_page() {
        const auto& web = system().host.web;
        if (web.port == 0) {
            return;
        }
        const auto wanted = web.folder.empty() ? std::nullopt : std::optional(web.folder);
        if (const auto page = master::find_page_folder(wanted, system().folder, folders_.exe);
            !page) {
            note(false, {}, page.error().text());
        }
    }

    void count() {
        std::set<std::string> types;
        for (const auto& server : system().servers) {
            types.insert(server.type);
        }
        report_.servers = system().servers.size();
        report_.types = types.size();
        report_.routes = replies_.size();
        report_.ports = static_cast<std::size_t>(
            std::count_if(files_.ports.begin(), files_.ports.end(),
                          [](const auto& use) { return use.is_listened; }));
    }

    located_folder folders_;
    config::checked files_;
    system_report report_;
    struct looked_module {
        std::string name;
        config::place where;
        server::contract_rows contracts;
    };
    std::vector<looked_module> modules_;
    /// The shapes of handlers' replies, by route.
    std::map<std::string, std::string> replies_;
    bool is_module_missing_ = false;
    std::vector<std::string> dictionary_;
};

} // namespace

result<system_report> check_system(const place& where, ports_in_use ports, list_choice which) {
    auto folders = locate(where, which);
    if (!folders) {
        return folders.error();
    }
    auto files = config::check(folders->wanted);
    // Kept when the env itself is wrong and nothing was read.
    files.read.folder = folders->wanted.folder;
    files.read.env = folders->wanted.env;
    return system_check(std::move(*folders), std::move(files)).run(ports);
}

} // namespace shaddock::cli
