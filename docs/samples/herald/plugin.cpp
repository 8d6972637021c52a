#include "lobby/lobby_api.hpp"

#include <shaddock/plugin.hpp>

namespace herald {

struct ask_request {
    std::string table;
};
BOOST_DESCRIBE_STRUCT(ask_request, (), (table))

struct ask_reply {
    lobby::names guests;
};
BOOST_DESCRIBE_STRUCT(ask_reply, (), (guests))

struct guest_pass {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(guest_pass, (), (name))

struct welcome {
    std::string greeting;
};
BOOST_DESCRIBE_STRUCT(welcome, (), (greeting))

class herald_handler {
public:
    explicit herald_handler(shaddock::app& app) : app_(app) {}

    shaddock::awaitable<ask_reply> ask(ask_request request) {
        using namespace std::chrono_literals;
        auto guests = co_await app_.call(lobby::guests, shaddock::routing(request.table).within(2s),
                                         request.table);
        if (!guests) {
            app_.log().warn("table ", request.table, ": ", guests.error());
            throw guests.error(); // the client gets {"code":500}
        }
        co_return ask_reply{std::move(*guests)};
    }

private:
    shaddock::app& app_;
};

} // namespace herald

SHADDOCK_PLUGIN("herald", registrar) {
    registrar.handler<herald::herald_handler>("heraldHandler")
        .method("ask", &herald::herald_handler::ask);
    registrar.check_client([](std::string_view type, std::string_view version) {
        return type != "herald-app" || version >= "2"; // false: {"code":501}, "too old"
    });
    registrar.on_handshake([](shaddock::app&, const shaddock::client_hello& client)
                               -> shaddock::result<std::optional<herald::welcome>> {
        const auto pass = client.user_as<std::optional<herald::guest_pass>>();
        if (!pass) {
            return pass.error(); // {"code":500}
        }
        if (!*pass) {
            return std::nullopt; // no `user` in the answer
        }
        return herald::welcome{"hail, " + (*pass)->name};
    });
    // The same table, the same lobby, as long as the list of lobbies is the same.
    registrar.route_by("lobby",
                       [](const shaddock::route_param& by) -> shaddock::result<std::string> {
                           return std::string(by.text());
                       });
}
