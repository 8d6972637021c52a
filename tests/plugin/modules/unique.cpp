#include <shaddock/door.hpp>

#include <string>

/// An inline variable: g++ makes it one for all versions of the file that are open.
inline int shared_between_versions = 0;

extern "C" int* touch() {
    return &shared_between_versions;
}
extern "C" {
extern const shaddock::door::plugin_door shaddock_plugin_door;
const shaddock::door::plugin_door shaddock_plugin_door = {sizeof(shaddock::door::plugin_door),
                                                          shaddock::door::sdk_abi,
                                                          "",
                                                          "unique",
                                                          "1",
                                                          "",
                                                          nullptr,
                                                          nullptr,
                                                          nullptr};
}
