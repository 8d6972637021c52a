#pragma once

#include <shaddock/door.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::door {

/// A service of the host that a plugin asks for by name and version (`app::extension`), so that new
/// ones come without a new sdk_abi. Base of interfaces that say their `name` and `version`, as
/// shaddock/config_files.hpp does. An interface never changes under its version: what it lacks is
/// another version of it, and a host may offer both. Source: CLAP, clap_host.get_extension.
class extension {
protected:
    ~extension() = default;
};

/// The extensions that a host offers.
class extension_table {
public:
    /// Replaces one of the same name and version. `service` outlives the table.
    template <class T>
    void offer(T& service) {
        for (auto& each : offered_) {
            if (each.name == T::name && each.version == T::version) {
                each.service = &service;
                return;
            }
        }
        offered_.push_back({T::name, T::version, &service});
    }
    /// Errors: not_found; the text names what was asked, what there is, and what to do.
    result<extension*> find(std::string_view name, std::uint32_t version) const {
        std::string there;
        for (const auto& each : offered_) {
            if (each.name == name && each.version == version) {
                return each.service;
            }
            there += (there.empty() ? "" : ", ") + text_of(each.name, each.version);
        }
        return error(errc::not_found, "this host has no extension " + text_of(name, version) +
                                          ", it has " + (there.empty() ? "none" : there) +
                                          ": build the plugin for what is there, update the host, "
                                          "or do without");
    }

private:
    static std::string text_of(std::string_view name, std::uint32_t version) {
        return std::string(name) + " version " + std::to_string(version);
    }
    struct entry {
        std::string_view name;
        std::uint32_t version;
        extension* service;
    };
    std::vector<entry> offered_;
};

} // namespace shaddock::door
