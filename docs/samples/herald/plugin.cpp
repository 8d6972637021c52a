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
    // The same table, the same lobby, as long as the list of lobbies is the same.
    registrar.route_by("lobby",
                       [](const shaddock::route_param& by) -> shaddock::result<std::string> {
                           return std::string(by.text());
                       });
}
