#include "node/wire_files.hpp"

#include "base/log.hpp"
#include "config/json_text.hpp"
#include "config/load.hpp"
#include "module/module.hpp"
#include "module_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <optional>

namespace shaddock::node {
namespace {

constexpr std::string_view server_file = "serverProtos.json";
constexpr std::string_view client_file = "clientProtos.json";

/// `pointer`: a JSON pointer such as `/onChat/required string msg`, which the error texts of config
/// write as `onChat.required string msg`.
config::place place_in(const config::config_text& file, std::string_view pointer) {
    const auto line = config::line_of(file.text, pointer);
    return {file.path, line != 0 ? line + file.line_offset : 0,
            fmt::format("{}", fmt::join(config::steps_of(pointer), "."))};
}

config::finding finding_of(const config::config_text& file, const protocol::proto_complaint& what,
                           bool is_warning) {
    config::finding out;
    out.is_warning = is_warning;
    out.where = place_in(file, what.path);
    out.text = fmt::format("{}: {}", config::to_string(out.where), what.text);
    return out;
}

/// None: there is no such file.
result<std::optional<protocol::proto_set>> read_set(const std::filesystem::path& folder,
                                                    std::string_view env, std::string_view name) {
    auto file = look_at_protos(folder, env, name);
    for (auto& one : file.findings) {
        if (!one.is_warning) {
            return error(errc::config, std::move(one.text));
        }
    }
    return std::move(file.set);
}

/// Adds the routes of one type's handlers.
result<void> list_handlers(const setting& found, const std::string& type, module::loader& loader,
                           std::vector<std::string>& routes) {
    const auto files = find_modules(found, type);
    if (!files) {
        return files.error();
    }
    for (const auto& file : *files) {
        const auto listed = loader.list_routes(file.path, type);
        if (!listed) {
            return listed.error();
        }
        for (const auto& handler : listed->handlers) {
            routes.push_back(fmt::format("{}.{}.{}", type, handler.object, handler.method));
        }
    }
    return {};
}

} // namespace

proto_file look_at_protos(const std::filesystem::path& folder, std::string_view env,
                          std::string_view name) {
    proto_file out;
    const auto file = config::read_for_env(folder, env, name);
    if (!file) {
        if (file.error().code() != errc::not_found) {
            out.findings.push_back(config::problem_in(folder / name, file.error()));
        }
        return out;
    }
    auto parsed = protocol::proto_set::parse(file->text);
    if (!parsed) {
        out.findings.push_back(finding_of(*file, parsed.error(), false));
        return out;
    }
    for (const auto& dropped : parsed->dropped()) {
        out.findings.push_back(finding_of(*file, dropped, true));
    }
    out.set = std::move(*parsed);
    out.text = *file;
    return out;
}

config::place place_of_route(const proto_file& file, std::string_view route) {
    std::string pointer = "/";
    for (const char c : route) {
        pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    return place_in(file.text, pointer);
}

result<std::shared_ptr<const protocol::protos>> read_protos(const std::filesystem::path& folder,
                                                            std::string_view env) {
    auto server = read_set(folder, env, server_file);
    if (!server) {
        return server.error();
    }
    auto client = read_set(folder, env, client_file);
    if (!client) {
        return client.error();
    }
    auto both = std::make_shared<protocol::protos>();
    both->server = server->value_or(protocol::proto_set());
    both->client = client->value_or(protocol::proto_set());
    both->version = protocol::protos_version(both->client, both->server,
                                             server->has_value() || client->has_value());
    return std::shared_ptr<const protocol::protos>(std::move(both));
}

std::vector<std::filesystem::path> proto_files(const std::filesystem::path& folder,
                                               std::string_view env) {
    return {folder / server_file, folder / client_file, folder / env / server_file,
            folder / env / client_file};
}

result<std::shared_ptr<const protocol::route_dictionary>> make_dictionary(const setting& found,
                                                                          const std::string& id) {
    const auto extra = config::read_dictionary(found.system.folder, found.system.env);
    if (!extra) {
        return extra.error();
    }
    // No id has an '@', so that these copies are nobody else's.
    module::loader loader(found.run, id + "@routes");
    std::vector<std::string> routes;
    for (const auto& type : found.system.types) {
        if (const auto listed = list_handlers(found, type, loader, routes); !listed) {
            return error(errc::config,
                         fmt::format("the dictionary (connector.dict) needs the handlers of every "
                                     "type of servers.json; {}: {}",
                                     type, listed.error().text()));
        }
    }
    auto built = protocol::route_dictionary::build(std::move(routes), *extra);
    if (!built) {
        return built.error();
    }
    return std::make_shared<const protocol::route_dictionary>(std::move(*built));
}

proto_reload::proto_reload(const boost::asio::any_io_executor& executor, base::clock& clock,
                           std::filesystem::path folder, std::string env,
                           base::unique_function<void(std::shared_ptr<const protocol::protos>)> use)
    : folder_(std::move(folder)), env_(std::move(env)), use_(std::move(use)),
      watch_(executor, clock, [this] { read_again(); }) {}

void proto_reload::start(std::string_view version) {
    if (const auto watched = watch_.start(proto_files(folder_, env_)); !watched) {
        base::log::warn("config", "{}; protos that change count after a restart",
                        watched.error().text());
    }
    if (auto now = read_protos(folder_, env_); !now || (*now)->version != version) {
        take(std::move(now));
    }
}

void proto_reload::stop() {
    watch_.stop();
}

void proto_reload::take(result<std::shared_ptr<const protocol::protos>> now) {
    if (!now) {
        base::log::error("config", "{}; the protos before it stay in use", now.error().text());
        return;
    }
    base::log::info("config", "new protos, version '{}', for clients that connect from now on",
                    (*now)->version);
    use_(std::move(*now));
}

} // namespace shaddock::node
