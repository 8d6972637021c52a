#include "time/time_api.hpp"

#include <shaddock/plugin.hpp>
#include <shaddock/public_address.hpp>

namespace gate {

struct query_request {
    /// The user's name; other clients send numbers.
    std::variant<std::string, double> uid;
};
BOOST_DESCRIBE_STRUCT(query_request, (), (uid))

struct query_reply {
    int code = 200;
    std::string host;
    std::uint16_t port = 0;
};
BOOST_DESCRIBE_STRUCT(query_reply, (), (code, host, port))

/// config/gate.json; the file may be absent.
struct gate_options {
    /// Ask a time server at each query and log the answer, as the RPC tutorial does. Default: no.
    std::optional<bool> ask_time;
};
BOOST_DESCRIBE_STRUCT(gate_options, (), (ask_time))

class gate_handler {
public:
    explicit gate_handler(shaddock::app& app) : app_(app) {
        const auto options = app.load_config<gate_options>("gate");
        if (options) {
            asks_time_ = options->ask_time.value_or(false);
        } else if (options.error().code() != shaddock::errc::not_found) {
            throw options.error();
        }
    }

    /// Where the user shall connect: the same connector for the same uid, as long as the same ones
    /// are up. Errors (500): uid empty, zero or neither text nor number; no connector is up.
    shaddock::result<query_reply> query_entry(const query_request& request,
                                              shaddock::session& asker) {
        const auto key = key_of(request.uid);
        if (!key) {
            return key.error();
        }
        std::vector<const shaddock::server_info*> up;
        const auto connectors = app_.servers("connector");
        for (const auto& one : *connectors) {
            if (one.is_up) {
                up.push_back(&one);
            }
        }
        if (up.empty()) {
            return shaddock::error(shaddock::errc::no_server, "no connector is up");
        }
        if (asks_time_) {
            app_.spawn("asking the time", ask_time(app_, ++queries_ % 10));
        }
        const auto& chosen = *up[key->empty() ? 0 : shaddock::dispatch_index(*key, up.size())];
        auto told = shaddock::public_address_of(chosen, asker);
        return query_reply{200, std::move(told.host), told.port};
    }

private:
    /// The text to hash; empty for a number, which always goes to the first. Source: the chat demo,
    /// observed.
    static shaddock::result<std::string> key_of(const std::variant<std::string, double>& uid) {
        const auto* text = std::get_if<std::string>(&uid);
        if (text != nullptr ? text->empty() : std::get<double>(uid) == 0) {
            return shaddock::error(shaddock::errc::bad_request, "uid: empty");
        }
        return text != nullptr ? *text : std::string();
    }

    static shaddock::awaitable<void> ask_time(shaddock::app& app, std::int64_t number) {
        const auto now = co_await app.call(time_server::get_current_time, number, number, number);
        if (now) {
            const auto [hour, minute, second] = *now;
            app.log().info("Remote Time: ", hour, ":", minute, ":", second);
        } else {
            app.log().warn("Remote Time: ", now.error());
        }
    }

    shaddock::app& app_;
    bool asks_time_ = false;
    std::int64_t queries_ = 0;
};

} // namespace gate

SHADDOCK_PLUGIN("gate", registrar) {
    registrar.handler<gate::gate_handler>("gateHandler")
        .method("queryEntry", &gate::gate_handler::query_entry);
    registrar.filter<shaddock::timeout_filter>();
    registrar.route(
        "time",
        [](const shaddock::route_param& by,
           std::span<const shaddock::server_info> expected) -> shaddock::result<std::string> {
            const auto number = static_cast<std::size_t>(by.number().value_or(0));
            return expected[number % expected.size()].id;
        });
}
