#include "time/time_api.hpp"

#include <shaddock/plugin.hpp>

#include <ctime>

namespace time_server {

class time_remote {
public:
    explicit time_remote(shaddock::app& app) : app_(app) {}

    time_of_day get_current_time(std::int64_t first, std::int64_t second) {
        app_.log().debug("timeRemote ", first, " ", second);
        const auto now = std::time(nullptr);
        std::tm local{};
        localtime_r(&now, &local);
        return {local.tm_hour, local.tm_min, local.tm_sec};
    }

private:
    shaddock::app& app_;
};

} // namespace time_server

SHADDOCK_PLUGIN("time", registrar) {
    registrar.remote<time_server::time_remote>("timeRemote")
        .method(time_server::get_current_time, &time_server::time_remote::get_current_time);
}
