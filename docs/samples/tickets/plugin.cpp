// A gate that knows who somebody is: it takes a name and a password, and gives a ticket with which
// the connector lets that name in. The connector and the chat are the shipped ones;
// config/connector.json has {"ticket_keys": "<file>"}, with the same keys.
#include <shaddock/plugin.hpp>
#include <shaddock/public_address.hpp>
#include <shaddock/ticket.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tickets {

struct login_request {
    std::string uid;
    std::string password;
};
BOOST_DESCRIBE_STRUCT(login_request, (), (uid, password))

struct login_reply {
    int code = 200;
    std::string host;
    std::uint16_t port = 0;
    std::string ticket;
};
BOOST_DESCRIBE_STRUCT(login_reply, (), (code, host, port, ticket))

/// config/gate.json.
struct gate_options {
    std::string ticket_keys;
    /// Seconds; enough to reach the connector.
    int ticket_lifetime = 60;
    /// Names and passwords. A gate of your own asks its database, which has hashes only
    /// (samples/inventory shows how).
    std::map<std::string, std::string> accounts;
};
BOOST_DESCRIBE_STRUCT(gate_options, (), (ticket_keys, ticket_lifetime, accounts))

class gate_handler {
public:
    explicit gate_handler(shaddock::app& app)
        : app_(app), options_(app.load_config<gate_options>("gate").value()),
          keys_(shaddock::ticket_keys::load(options_.ticket_keys).value()) {}

    /// Errors: 401 for a wrong name or password, 500 when no connector is up.
    login_reply query_entry(const login_request& request, shaddock::session& asker) {
        const auto account = options_.accounts.find(request.uid);
        if (account == options_.accounts.end() || account->second != request.password) {
            throw shaddock::application_error("wrong name or password", 401);
        }
        const auto connectors = app_.servers("connector");
        for (const auto& one : *connectors) {
            if (one.is_up) {
                const std::chrono::seconds lifetime(options_.ticket_lifetime);
                auto told = shaddock::public_address_of(one, asker);
                return {200, std::move(told.host), told.port, keys_.issue(request.uid, lifetime)};
            }
        }
        throw shaddock::error(shaddock::errc::no_server, "no connector is up");
    }

private:
    shaddock::app& app_;
    gate_options options_;
    shaddock::ticket_keys keys_;
};

} // namespace tickets

SHADDOCK_PLUGIN("gate", registrar) {
    registrar.handler<tickets::gate_handler>("gateHandler")
        .method("queryEntry", &tickets::gate_handler::query_entry);
}
