#include "check.hpp"

#include "host_yaml.hpp"
#include "servers.hpp"

#include <shaddock/error.hpp>

#include <set>
#include <string>

using namespace shaddock::config;
using shaddock::fuzz::check;

namespace {

void check_texts(const findings& found) {
    for (const auto& one : found.all()) {
        check(!one.text.empty(), "a finding says what is wrong");
    }
}

void check_host(std::string_view text) {
    findings found;
    const auto host = parse_host({"host.yaml", std::string(text), false}, "development", found);
    check_texts(found);
    check(host.options.connector.package_limit > 0, "an option that is refused keeps its default");
    for (const auto& [type, options] : host.options.types) {
        check(!type.empty() && !options.modules.empty(), "a type has a name and a module");
    }
}

void check_servers(std::string_view text) {
    findings found;
    try {
        const auto source = cut_for_env({"servers.json", std::string(text), false}, "development");
        const auto servers = parse_servers(source, "development", found);
        check(servers.servers.size() == servers.id_places.size(), "each id has a place");
        for (const auto& each : servers.servers) {
            check(is_plain_name(each.id) && is_plain_name(each.type), "names go into file names");
            check(!is_taken_in_javascript(each.id), "and are keys of tables");
            check(!each.frontend || each.client_port != 0, "a frontend has a port for clients");
        }
        (void)parse_master(source, "development", found);
    } catch (const shaddock::error& refused) {
        check(refused.code() == shaddock::errc::config, "refused as config");
    }
    check_texts(found);
}

} // namespace

/// The text of host.yaml; and, when it looks so, of servers.json and master.json.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(data), size);
    check_host(in);
    const std::size_t first = in.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && (in[first] == '[' || in[first] == '{')) {
        check_servers(in);
    }
    return 0;
}
