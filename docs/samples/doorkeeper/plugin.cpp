// The door of a connector: nobody shakes hands without a ticket, which the client gives along in
// the handshake's `user`. It stands beside the connector's own module, `modules: [connector.so,
// doorkeeper.so]`; config/doorkeeper.json has {"ticket_keys": "<file>"}, the keys of the gate.
#include <shaddock/plugin.hpp>
#include <shaddock/ticket.hpp>

#include <optional>
#include <string>
#include <utility>

namespace doorkeeper {

struct pass {
    std::string ticket;
};
BOOST_DESCRIBE_STRUCT(pass, (), (ticket))

struct welcome {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(welcome, (), (name))

/// config/doorkeeper.json.
struct door_options {
    std::string ticket_keys;
};
BOOST_DESCRIBE_STRUCT(door_options, (), (ticket_keys))

class door {
public:
    /// For whom the ticket is. Errors: refused, 401 for the client. Without keys nobody gets in.
    shaddock::result<welcome> let_in(shaddock::app& app, const shaddock::client_hello& client) {
        if (!keys_) {
            const auto options = app.load_config<door_options>("doorkeeper").value();
            keys_ = shaddock::ticket_keys::load(options.ticket_keys).value();
        }
        const auto given = client.user_as<pass>();
        auto who = given ? keys_->check(given->ticket) : given.error();
        if (!who) {
            return shaddock::error(shaddock::errc::refused, who.error().text(), 401);
        }
        return welcome{std::move(*who)};
    }

private:
    std::optional<shaddock::ticket_keys> keys_;
};

} // namespace doorkeeper

SHADDOCK_PLUGIN("connector", registrar) {
    registrar.on_handshake([door = doorkeeper::door()](
                               shaddock::app& app, const shaddock::client_hello& client) mutable {
        return door.let_in(app, client);
    });
}
