#include "master/master.hpp"

#include <gtest/gtest.h>

namespace shaddock::master {
namespace {

TEST(child_plans, say_by_the_record_what_is_started_again_and_what_is_killed_when_it_stands_still) {
    struct row {
        bool auto_restart;
        bool restart_force;
        config::stalled_process stalled;
        bool is_restarted;
        bool is_killed_stalled;
    };
    using config::stalled_process;
    for (const auto& each : {row{true, false, stalled_process::report, true, false},
                             row{false, false, stalled_process::report, false, false},
                             row{true, true, stalled_process::report, true, true},
                             row{false, true, stalled_process::report, true, true},
                             row{true, false, stalled_process::kill, true, true},
                             row{false, false, stalled_process::kill, false, true}}) {
        master_options options;
        options.system.host.supervision.stalled = each.stalled;
        config::server_record record;
        record.id = "chat-server-1";
        record.type = "chat";
        record.auto_restart = each.auto_restart;
        record.restart_force = each.restart_force;
        const auto plan = plan_server(options, record);
        EXPECT_EQ(plan.is_restarted, each.is_restarted);
        EXPECT_EQ(plan.is_killed_stalled, each.is_killed_stalled);
    }
}

} // namespace
} // namespace shaddock::master
