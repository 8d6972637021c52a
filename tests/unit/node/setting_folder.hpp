#pragma once

#include "../master/temp_folder.hpp"
#include "node/setting.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace shaddock::node {

/// A config folder of one gate, one connector and one chat, and a run folder, for one test.
class setting_folder : public test::temp_folder {
public:
    explicit setting_folder(std::string_view host_yaml = {}) {
        write("config/master.json", R"({"id": "m", "host": "127.0.0.1", "port": 3005})");
        write("config/servers.json", R"({
          "gate": [{"id": "gate-1", "host": "127.0.0.1", "clientPort": 3014, "frontend": true}],
          "connector": [{"id": "connector-1", "host": "127.0.0.1", "port": 4050, "clientPort": 3050, "frontend": true,
                         "clientHost": "example.org", "max-connections": 7}],
          "chat": [{"id": "chat-1", "host": "127.0.0.1", "port": 6050}]})");
        write("config/host.yaml", host_yaml);
    }

    std::filesystem::path config() const { return path() / "config"; }

    setting found() const {
        auto system = config::load({config(), "development", std::nullopt});
        EXPECT_TRUE(system) << system.error().text();
        const std::filesystem::path build = SHADDOCK_TEST_BINARY_DIR;
        return {system ? *system : config::system{}, build / "bin" / "host", path() / "run", {}};
    }

    /// `text` without the path of the config folder.
    std::string without_path(std::string text) const {
        const std::string prefix = config().string() + "/";
        for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
            text.erase(at, prefix.size());
        }
        return text;
    }
};

} // namespace shaddock::node
