#pragma once

#include <shaddock/door.hpp>

#include <dlfcn.h>

#include <map>
#include <stdexcept>
#include <string>

namespace shaddock::test {

/// The door of a plugin of this build; opened once, never closed.
inline const door::plugin_door& door_of(const std::string& type) {
    static std::map<std::string, const door::plugin_door*> opened;
    auto& found = opened[type];
    if (found == nullptr) {
        const auto file = std::string(SHADDOCK_PLUGIN_DIR) + "/" + type + ".so";
        void* mapped = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (mapped == nullptr) {
            throw std::runtime_error(::dlerror());
        }
        found = static_cast<const door::plugin_door*>(::dlsym(mapped, door::door_symbol));
    }
    return *found;
}

} // namespace shaddock::test
