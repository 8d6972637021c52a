#include <shaddock/plugin.hpp>

#include <csignal>
#include <stdexcept>
#include <string>
#include <string_view>

// A healthy plugin in the place of chat, or with TEST_FAULT one that goes wrong when it is set up
// or takes over: spins, crashes, throws, refuses_state, doubles_route.
#define TEST_FAULT_none 0
#define TEST_FAULT_spins 1
#define TEST_FAULT_crashes 2
#define TEST_FAULT_throws 3
#define TEST_FAULT_refuses_state 4
#define TEST_FAULT_doubles_route 5
#if !defined(TEST_FAULT)
#define TEST_FAULT TEST_FAULT_none
#endif

namespace {

struct ask_reply {
    /// How many were asked before, in this generation and those it took over from.
    int asked = 0;
    std::string version;
};
BOOST_DESCRIBE_STRUCT(ask_reply, (), (asked, version))

class probe_handler {
public:
    ask_reply ask() { return {asked_++, SHADDOCK_PLUGIN_VERSION}; }

    std::string save_state() const { return std::to_string(asked_); }
    shaddock::result<void> restore_state(std::string_view bytes, std::string_view version) {
        if constexpr (TEST_FAULT == TEST_FAULT_refuses_state) {
            return shaddock::error(shaddock::errc::internal,
                                   "cannot read the state of version " + std::string(version));
        }
        asked_ = std::stoi(std::string(bytes));
        return {};
    }

private:
    int asked_ = 0;
};

struct part {
    void start() {
        if constexpr (TEST_FAULT == TEST_FAULT_spins) {
            for (volatile bool goes_on = true; goes_on;) {
            }
        }
        if constexpr (TEST_FAULT == TEST_FAULT_crashes) {
            std::raise(SIGSEGV);
        }
        if constexpr (TEST_FAULT == TEST_FAULT_throws) {
            throw std::runtime_error("no luck in setup");
        }
    }
    /// The old form, of which `host check` warns.
    void stop() {}
};

} // namespace

SHADDOCK_PLUGIN("chat", registrar) {
    registrar.component<part>("probe");
    auto handler = registrar.handler<probe_handler>("probeHandler");
    handler.method("ask", &probe_handler::ask);
    if constexpr (TEST_FAULT == TEST_FAULT_doubles_route) {
        handler.method("ask", &probe_handler::ask);
    }
}
