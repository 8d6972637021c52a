#include <shaddock/door.hpp>
#include <shaddock/fingerprint.hpp>

#include <string>

// A door by hand, without the SDK's registrar: each field can be set wrong from outside.
#if !defined(TEST_FINGERPRINT)
#define TEST_FINGERPRINT shaddock::fingerprint
#endif
#if !defined(TEST_ABI)
#define TEST_ABI shaddock::door::sdk_abi
#endif
#if !defined(TEST_SIZE)
#define TEST_SIZE sizeof(shaddock::door::plugin_door)
#endif

namespace {

using namespace shaddock;

/// Counts its generations: a second copy of the file must begin at 1 again.
int created = 0;

struct plugin final : door::plugin {
    explicit plugin(door::host& with) : host(with) {
        host.log(door::log_level::info, "created " + std::to_string(++created));
    }
    ~plugin() { host.log(door::log_level::info, "destroyed"); }
    door::host& host;
};

void describe(door::registration& into) {
    into.handler({.object = "goodHandler",
                  .method = "go",
                  .is_serial = true,
                  .contract = 0,
                  .request_shape = "{}",
                  .reply_shape = {}},
                 nullptr);
    into.remote({.object = "goodRemote",
                 .method = "add",
                 .is_serial = false,
                 .contract = 42,
                 .request_shape = {},
                 .reply_shape = {}},
                nullptr);
    into.call("chat.chatRemote.add", 7, "[bool, string, bool] -> {users: string[]}");
}
door::plugin* create(door::host& with, door::registration& into, std::string*) {
    describe(into);
    return new plugin(with);
}
void destroy(door::plugin* made) {
    delete static_cast<plugin*>(made);
}

} // namespace

extern "C" {
extern const door::plugin_door shaddock_plugin_door __attribute__((visibility("default")));
const door::plugin_door shaddock_plugin_door = {
    TEST_SIZE, TEST_ABI,  TEST_FINGERPRINT, "good",  SHADDOCK_PLUGIN_VERSION,
    "",        &describe, &create,          &destroy};
}
