#include "@name@_handler.hpp"
#include "@name@_remote.hpp"

#include <shaddock/testing/fake_app.hpp>
#include <shaddock/testing/plugin_under_test.hpp>

#include <gtest/gtest.h>

extern "C" const shaddock::door::plugin_door shaddock_plugin_door;

namespace {

using namespace @name@_type;

/// The handler alone: an object with methods.
struct a_@name@_handler : testing::Test {
    shaddock::testing::fake_app fake;
    counter sum;
    @name@_handler object{fake.app, sum};
};

TEST_F(a_@name@_handler, adds_up) {
    EXPECT_EQ(object.add({2})->total, 2);
    EXPECT_EQ(object.add({3})->total, 5);
    EXPECT_EQ(object.add({2'000'000}).error().code(), shaddock::errc::bad_request);
}

TEST_F(a_@name@_handler, tells_those_who_watch) {
    auto ann = fake.session(1);
    EXPECT_EQ(fake.run(object.watch({"ann"}, ann)).total, 0);
    object.add({7}).value();
    const auto told = fake.pushed<total_message>("onTotal");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].total, 7);
    EXPECT_EQ(fake.host.pushes[0].uids(), std::vector<std::string>{"ann"});
}

@system@
TEST_F(a_@name@_handler, asks_the_next_type) {
    fake.answer(@next_name@_type::total, 41);
    EXPECT_EQ(fake.run(object.next_total()).total, 41);
    fake.fail(@next_name@_type::total, {shaddock::errc::no_server, "down"});
    EXPECT_THROW(fake.run(object.next_total()), shaddock::error);
}

@end@
/// The whole plugin, by its routes and with JSON: as the host sees it.
struct the_@name@_plugin : testing::Test {
    shaddock::testing::plugin_under_test tested{shaddock_plugin_door};
};

TEST_F(the_@name@_plugin, answers_a_client) {
    const auto ann = tested.connect(1, "ann");
    EXPECT_EQ(tested.request("@camel@Handler.add", R"({"by":2})", ann)->value(), R"({"total":2})");
    EXPECT_EQ(tested.request("@camel@Handler.add", R"({"by":"2"})", ann)->error().text(),
              R"(by: expected integer, found string "2")");
}

TEST_F(the_@name@_plugin, answers_another_server) {
    tested.request("@camel@Handler.add", R"({"by":2})", tested.connect(1));
    EXPECT_EQ(tested.call("@camel@Remote.total", "[]", total.hash())->value(), "2");
}

TEST_F(the_@name@_plugin, goes_on_counting_after_a_reload) {
    tested.request("@camel@Handler.add", R"({"by":2})", tested.connect(1));
    shaddock::testing::plugin_under_test next(shaddock_plugin_door);
    next.restore(tested.save().value()).value();
    EXPECT_EQ(next.call("@camel@Remote.total", "[]")->value(), "2");
}

} // namespace
