#include <shaddock/door.hpp>

#include <string>

/// A destructor on a living thread pins the file.
static thread_local std::string per_thread;

extern "C" std::size_t touch() {
    per_thread += 'x';
    return per_thread.size();
}
extern "C" {
extern const shaddock::door::plugin_door shaddock_plugin_door;
const shaddock::door::plugin_door shaddock_plugin_door = {sizeof(shaddock::door::plugin_door),
                                                          shaddock::door::sdk_abi,
                                                          "",
                                                          "thread",
                                                          "1",
                                                          "",
                                                          nullptr,
                                                          nullptr,
                                                          nullptr};
}
