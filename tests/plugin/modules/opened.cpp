#include <shaddock/plugin.hpp>

#include <csignal>

// Goes wrong while it is opened, before anything of it is asked for: crashes, or with
// TEST_SPINS never ends.
namespace {

struct harm {
    harm() {
#if defined(TEST_SPINS)
        for (volatile bool goes_on = true; goes_on;) {
        }
#else
        std::raise(SIGSEGV);
#endif
    }
};
const harm at_once;

class silent_handler {
public:
    void nothing() {}
};

} // namespace

SHADDOCK_PLUGIN("chat", registrar) {
    registrar.handler<silent_handler>("silentHandler").method("nothing", &silent_handler::nothing);
}
