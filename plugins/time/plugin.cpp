#include "time/time_api.hpp"

#include <shaddock/plugin.hpp>

#include <ctime>

namespace time_server {

namespace {

time_of_day time_now() {
    const auto now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    return {local.tm_hour, local.tm_min, local.tm_sec};
}

} // namespace

class time_remote {
public:
    explicit time_remote(shaddock::app& app) : app_(app) {}

    time_of_day get_current_time(std::int64_t first, std::int64_t second) {
        app_.log().debug("timeRemote ", first, " ", second);
        return time_now();
    }

private:
    shaddock::app& app_;
};

struct now_reply {
    int hour = 0;
    int minute = 0;
    int second = 0;
};
BOOST_DESCRIBE_STRUCT(now_reply, (), (hour, minute, second))

/// For clients: `time.timeHandler.now`.
class time_handler {
public:
    now_reply now() {
        const auto [hour, minute, second] = time_now();
        return {hour, minute, second};
    }
};

} // namespace time_server

SHADDOCK_PLUGIN("time", registrar) {
    registrar.handler<time_server::time_handler>("timeHandler")
        .method("now", &time_server::time_handler::now);
    registrar.remote<time_server::time_remote>("timeRemote")
        .method(time_server::get_current_time, &time_server::time_remote::get_current_time);
}
