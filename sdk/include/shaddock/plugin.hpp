#pragma once

#include <shaddock/fingerprint.hpp>
#include <shaddock/registrar.hpp>

#include <string>
#include <string_view>

/// The door of a plugin: include this in one file of it, and say what it is made of.
///
///     SHADDOCK_PLUGIN("chat", registrar) {
///         registrar.handler<chat_handler>("chatHandler").method("send", &chat_handler::send);
///     }
///
/// The body runs twice with different registrars: to list routes, when nothing is constructed, and
/// to create the plugin.
namespace shaddock::detail {

static_assert(std::string_view(fingerprint).starts_with("sdk 8;") && door::sdk_abi == 8,
              "fingerprint.hpp and door.hpp name different SDKs");

using setup_function = void (*)(registrar&);

template <setup_function Setup>
struct door_functions {
    static void describe(door::registration& into) {
        registrar list(into, nullptr);
        Setup(list);
    }
    static door::plugin* create(door::host& host, door::registration& into, std::string* failed) {
        std::unique_ptr<instance> made;
        try {
            made = std::make_unique<instance>(host);
            registrar build(into, made.get());
            Setup(build);
            into.hook(&made->hooks());
        } catch (...) {
            *failed = current_error().text();
            if (failed->empty()) {
                *failed = "it gave no reason";
            }
        }
        // Also after a failure: what constructors have begun may still use it.
        return made.release();
    }
    static void destroy(door::plugin* made) { delete static_cast<instance*>(made); }
    static result<std::vector<door::saved_state>> save(const door::plugin* made) {
        return static_cast<const instance*>(made)->save();
    }
    static result<void> restore(door::plugin* made, std::span<const door::saved_state> states,
                                std::string_view version) {
        return static_cast<instance*>(made)->restore(states, version);
    }
};

/// The door of a plugin that `Setup` registers. Lifetime: the texts outlive it.
template <setup_function Setup>
constexpr door::plugin_door door_of(const char* type, const char* version,
                                    const char* build_id = "") {
    using functions = door_functions<Setup>;
    return {sizeof(door::plugin_door),
            door::sdk_abi,
            fingerprint,
            type,
            version,
            build_id,
            &functions::describe,
            &functions::create,
            &functions::destroy,
            &functions::save,
            &functions::restore};
}

} // namespace shaddock::detail

#if !defined(SHADDOCK_PLUGIN_VERSION)
#define SHADDOCK_PLUGIN_VERSION "0"
#endif
/// Empty: the host reads the linker's build id out of the file.
#if !defined(SHADDOCK_PLUGIN_BUILD_ID)
#define SHADDOCK_PLUGIN_BUILD_ID ""
#endif

// NOLINTBEGIN(bugprone-macro-parentheses): it makes declarations
#define SHADDOCK_PLUGIN(type, registrar_name)                                                      \
    static void shaddock_plugin_setup(::shaddock::registrar& registrar_name);                      \
    extern "C" {                                                                                   \
    extern const ::shaddock::door::plugin_door shaddock_plugin_door                                \
        __attribute__((visibility("default")));                                                    \
    constinit const ::shaddock::door::plugin_door shaddock_plugin_door =                           \
        ::shaddock::detail::door_of<&shaddock_plugin_setup>(type, SHADDOCK_PLUGIN_VERSION,         \
                                                            SHADDOCK_PLUGIN_BUILD_ID);             \
    }                                                                                              \
    static void shaddock_plugin_setup([[maybe_unused]] ::shaddock::registrar& registrar_name)
// NOLINTEND(bugprone-macro-parentheses)
