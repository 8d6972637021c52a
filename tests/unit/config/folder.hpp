#pragma once

#include "config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace shaddock::config {

/// A config folder of its own for one test, gone with it.
class folder {
public:
    folder() {
        std::string name = (std::filesystem::temp_directory_path() / "config_test_XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~folder() { std::filesystem::remove_all(path_); }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::string file(std::string_view name) const { return (path_ / name).string(); }

    void write(std::string_view name, std::string_view text) const {
        const auto path = path_ / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }

private:
    std::filesystem::path path_;
};

/// A folder with a master on port 3005 and the given servers.json and host.yaml.
class system_folder : public folder {
public:
    explicit system_folder(std::string_view servers, std::string_view host = "web: {port: 0}") {
        write("master.json", R"({"id": "master-server-1", "host": "127.0.0.1", "port": 3005})");
        write("servers.json", servers);
        write("host.yaml", host);
    }

    result<system> load(std::string env = "development") const {
        return config::load({path(), std::move(env), std::nullopt});
    }
    /// The text of the error that load() ends in, or "no error"; the folder's own path is left out.
    std::string load_error(std::string env = "development") const {
        const auto loaded = load(std::move(env));
        return loaded ? "no error" : without_path(loaded.error().text());
    }
    std::string without_path(std::string text) const {
        const std::string prefix = path().string() + "/";
        for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
            text.erase(at, prefix.size());
        }
        return text;
    }
};

} // namespace shaddock::config
