#include "@name@_handler.hpp"
#include "@name@_remote.hpp"

#include <shaddock/plugin.hpp>

// The door: what the host learns of this type. It is run once to list the routes, too, when
// nothing is constructed: so it only registers.
SHADDOCK_PLUGIN("@type@", registrar) {
    const auto counter = registrar.state<@name@_type::counter>();
    registrar.handler<@name@_type::@name@_handler>("@camel@Handler", counter)
        .method("add", &@name@_type::@name@_handler::add)
@system@
        .method("nextTotal", &@name@_type::@name@_handler::next_total)
@end@
        .method("watch", &@name@_type::@name@_handler::watch);
    registrar.remote<@name@_type::@name@_remote>("@camel@Remote", counter)
        .method(@name@_type::total, &@name@_type::@name@_remote::total);
@system@
    registrar.calls(@next_name@_type::total);
@end@
}
