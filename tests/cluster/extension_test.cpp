#include "cluster.hpp"

/// A module of its own that asks a real server for extensions.
namespace shaddock::cluster_test {
namespace {

const door::plugin_door& module_door() {
    void* mapped = ::dlopen(SHADDOCK_TEST_MODULES "/module_extensions.so", RTLD_NOW | RTLD_LOCAL);
    if (mapped == nullptr) {
        throw std::runtime_error(::dlerror());
    }
    return *static_cast<const door::plugin_door*>(::dlsym(mapped, door::door_symbol));
}

TEST(extension, that_the_host_lacks_is_told_to_a_module_that_loads_all_the_same) {
    system all({.connectors = 1,
                .chats = 1,
                .probe = &module_door(),
                .adjust = [](server::server_options& options) {
                    if (options.self.type == "probe") {
                        options.read_config = [](std::string_view file) {
                            return door::config_text{"", std::string(file) + " of this host", 0};
                        };
                    }
                }});
    auto& alice = all.connect("connector-server-1");
    EXPECT_EQ(all.ask(alice, "probe.extensionHandler.ask", "{}"),
              R"({"absent":"this host has no extension test.tomorrow version 3, it has )"
              R"(shaddock.config_files version 1: build the plugin for what is there, update the )"
              R"(host, or do without",)"
              R"("other_version":"this host has no extension shaddock.config_files version 99, it )"
              R"(has shaddock.config_files version 1: build the plugin for what is there, update )"
              R"(the host, or do without",)"
              R"("file":"rooms of this host","days":0})");
}

} // namespace
} // namespace shaddock::cluster_test
