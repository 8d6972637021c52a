#include "host_yaml_nats.hpp"

#include "environment.hpp"
#include "host_yaml_rows.hpp"
#include "read.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shaddock::config {
namespace {

/// The bucket of NATS is `shaddock_` and it, and takes 64.
constexpr std::size_t longest_cluster = 55;
constexpr std::string_view server_form = "a server of NATS such as 'nats://10.0.0.4:4222'";

/// What follows the scheme of a good one.
std::optional<std::string_view> authority_of(std::string_view url) {
    for (const std::string_view scheme : {"nats://", "tls://"}) {
        if (url.starts_with(scheme)) {
            return url.substr(scheme.size());
        }
    }
    return std::nullopt;
}

/// Not shown when it is refused: somebody may have written a password into it.
void read_servers(const yaml_section::entry& list, nats_options& options, findings& found) {
    read_list(list, "a list of servers such as [nats://10.0.0.4:4222]", server_form, found,
              [&](const std::string& text) {
                  const auto url = expand(text);
                  const auto authority = authority_of(url.text);
                  if (text.find('@') != text.npos || url.text.find('@') != url.text.npos) {
                      throw complaint(list.where, "a user or password in an address",
                                      "user, and password or password_file, beside servers");
                  }
                  options.servers.push_back(url.text);
                  return !url.unset && authority && !authority->empty() &&
                         authority->find_first_of("/ ,") == std::string_view::npos;
              });
}

/// `name: ${VARIABLE}`, or `name_file: <path>`. The value itself is shown nowhere.
void read_secret(yaml_section& from, const std::string& name, secret& value,
                 const std::filesystem::path& folder) {
    const auto itself = from.take(name);
    const auto file = from.take(name + "_file");
    if (itself && file) {
        throw complaint(file.where, "both " + name + " and " + name + "_file", "one of them");
    }
    if (itself) {
        if (!itself.node.IsScalar() || !is_variable(itself.node.Scalar())) {
            throw complaint(
                itself.where,
                itself.node.IsScalar() ? "a " + name + " in the file" : describe_node(itself.node),
                "a variable of the environment such as '${NATS_SECRET}', or " + name + "_file");
        }
        value = secret(yaml_section::text_of(itself));
    }
    if (file) {
        const std::string path = file.node.IsScalar() ? yaml_section::text_of(file) : "";
        if (path.empty()) {
            throw complaint(file.where, describe_node(file.node), "a file");
        }
        std::string text = read_file(folder / path);
        text.resize(std::min(text.find_first_of("\r\n"), text.size()));
        value = secret(std::move(text));
    }
    if ((itself || file) && value.is_empty()) {
        throw complaint(itself ? itself.where : file.where, "nothing in it", "the " + name);
    }
}

std::vector<std::string> ways_to_log_in(const nats_options& options) {
    std::vector<std::string> used;
    const auto note = [&](std::string_view name, bool is_used) {
        if (is_used) {
            used.emplace_back(name);
        }
    };
    note("user", !options.user.empty());
    note("token", !options.token.is_empty());
    note("credentials", !options.credentials.empty());
    note("nkey", !options.nkey.empty());
    return used;
}

void check_together(const place& where, const nats_options& options) {
    if (options.servers.empty()) {
        throw complaint(where, "bus.kind nats without servers", server_form);
    }
    const auto ways = ways_to_log_in(options);
    if (ways.size() > 1) {
        throw complaint(where, join(ways), "one way to log in");
    }
    if (options.user.empty() != options.password.is_empty()) {
        throw complaint(
            where, options.user.empty() ? "a password without a user" : "a user without a password",
            "both, or none");
    }
    if (options.tls_certificate.empty() != options.tls_key.empty()) {
        throw complaint(where, "one of tls_certificate and tls_key", "both, or none");
    }
    const bool is_good_name =
        is_plain_name(options.cluster) && options.cluster.find('.') == std::string::npos &&
        options.cluster.size() <= longest_cluster;
    if (!is_good_name) {
        throw complaint(where, options.cluster.empty() ? "no cluster" : in_quotes(options.cluster),
                        "cluster: a name of 1 to 55 letters, digits, '_' or '-'");
    }
}

/// A claim is written every heartbeat: two may be missed.
void check_times(yaml_section& from, const bus_options& bus) {
    const auto& nats = bus.nats;
    if (nats.host_lost < 3 * bus.heartbeat) {
        throw complaint(from.place_of("host_lost", "servers"),
                        fmt::format("a host_lost of {} ms with a bus.heartbeat of {} ms",
                                    nats.host_lost.count(), bus.heartbeat.count()),
                        "a host_lost of at least three heartbeats");
    }
    if (nats.machine_lost.count() != 0 && nats.machine_lost < nats.host_lost) {
        throw complaint(from.place_of("machine_lost", "host_lost"),
                        fmt::format("a machine_lost of {} ms with a host_lost of {} ms",
                                    nats.machine_lost.count(), nats.host_lost.count()),
                        "a machine_lost at least as long as host_lost, or 0");
    }
}

} // namespace

void read_nats(yaml_section& bus, bus_options& options) {
    const auto stands = bus.take("nats");
    yaml_section from = bus.below_key("nats");
    findings& found = bus.found();
    const auto problems = found.problems();
    auto& nats = options.nats;
    read_servers(from.take("servers"), nats, found);
    from.read(nats_rows(), nats);
    const auto folder = bus.path().parent_path();
    found.attempt([&] { read_secret(from, "password", nats.password, folder); });
    found.attempt([&] { read_secret(from, "token", nats.token, folder); });
    from.finish();
    const auto kind = bus.take("kind");
    if (options.kind == bus_kind::nats && found.problems() == problems) {
        found.attempt([&] { check_together(stands ? stands.where : kind.where, nats); });
        found.attempt([&] { check_times(from, options); });
    }
}

} // namespace shaddock::config
