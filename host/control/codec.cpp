#include "control/codec.hpp"

#include "control/log.hpp"
#include "control/masters.hpp"
#include "control/metrics.hpp"
#include "control/reload.hpp"
#include "control/requests.hpp"
#include "control/start.hpp"
#include "control/status.hpp"
#include "control/words.hpp"

#include <shaddock/json.hpp>

namespace shaddock::control {

template <class Message>
std::string to_json(const Message& said) {
    return json::encode(said);
}

template <class Message>
result<Message> from_json(std::string_view text, std::string_view name) {
    return json::decode_tolerant<Message>(text, name);
}

#define SHADDOCK_CONTROL_MESSAGE(...)                                                              \
    template std::string to_json(const __VA_ARGS__&);                                              \
    template result<__VA_ARGS__> from_json<__VA_ARGS__>(std::string_view, std::string_view);

// Between a server and its master.
SHADDOCK_CONTROL_MESSAGE(registration)
SHADDOCK_CONTROL_MESSAGE(server_status)
SHADDOCK_CONTROL_MESSAGE(server_life)
SHADDOCK_CONTROL_MESSAGE(server_list)
SHADDOCK_CONTROL_MESSAGE(listed_server)
SHADDOCK_CONTROL_MESSAGE(question)
SHADDOCK_CONTROL_MESSAGE(answer)
SHADDOCK_CONTROL_MESSAGE(reload_order)
SHADDOCK_CONTROL_MESSAGE(reload_record)
SHADDOCK_CONTROL_MESSAGE(told_families)
SHADDOCK_CONTROL_MESSAGE(log_change)
SHADDOCK_CONTROL_MESSAGE(log_levels)

// Between masters.
SHADDOCK_CONTROL_MESSAGE(master_presence)

// Between the master and who asks it.
SHADDOCK_CONTROL_MESSAGE(refusal)
SHADDOCK_CONTROL_MESSAGE(server_rows)
SHADDOCK_CONTROL_MESSAGE(health)
SHADDOCK_CONTROL_MESSAGE(target_request)
SHADDOCK_CONTROL_MESSAGE(end_request)
SHADDOCK_CONTROL_MESSAGE(drain_request)
SHADDOCK_CONTROL_MESSAGE(addition_request)
SHADDOCK_CONTROL_MESSAGE(reload_request)
SHADDOCK_CONTROL_MESSAGE(reload_results)
SHADDOCK_CONTROL_MESSAGE(start_results)
SHADDOCK_CONTROL_MESSAGE(log_request)
SHADDOCK_CONTROL_MESSAGE(log_results)
SHADDOCK_CONTROL_MESSAGE(log_tail)
SHADDOCK_CONTROL_MESSAGE(log_tails)
SHADDOCK_CONTROL_MESSAGE(told_servers)
SHADDOCK_CONTROL_MESSAGE(admin_place)
SHADDOCK_CONTROL_MESSAGE(list_request)
SHADDOCK_CONTROL_MESSAGE(logs_request)

// Between masters.
SHADDOCK_CONTROL_MESSAGE(master_question)
SHADDOCK_CONTROL_MESSAGE(master_answer)
SHADDOCK_CONTROL_MESSAGE(part_request)
SHADDOCK_CONTROL_MESSAGE(machine_rows)

// A value in a message.
SHADDOCK_CONTROL_MESSAGE(std::string)
SHADDOCK_CONTROL_MESSAGE(raw_json)

#undef SHADDOCK_CONTROL_MESSAGE

} // namespace shaddock::control
