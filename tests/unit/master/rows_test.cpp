#include "rows.hpp"

#include <gtest/gtest.h>

namespace shaddock::master {
namespace {

child_report serving() {
    child_report child;
    child.id = "chat-1";
    child.is_server = true;
    child.state = "ready";
    return child;
}

TEST(rows, who_serves_and_is_not_in_the_shared_list_is_joining_and_missing) {
    const auto row = row_of(serving(), false, true, false);
    EXPECT_EQ(row.state, "joining");
    EXPECT_TRUE(row.missing);
    EXPECT_FALSE(row_of(serving(), false, false, false).missing);
}

TEST(rows, who_does_not_serve_yet_or_stops_is_not_joining) {
    auto child = serving();
    child.state = "starting";
    EXPECT_EQ(row_of(child, false, true, false).state, "starting");
    EXPECT_EQ(row_of(serving(), false, true, true).state, "ready")
        << "the machine hands its rooms over";
}

} // namespace
} // namespace shaddock::master
