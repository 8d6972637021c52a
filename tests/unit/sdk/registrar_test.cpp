#include <shaddock/plugin.hpp>
#include <shaddock/testing/plugin_under_test.hpp>

#include <gmock/gmock.h>

namespace {

using shaddock::testing::plugin_under_test;
using testing::HasSubstr;

class desk_handler {
public:
    void open() {}
    void close() {}
};

inline constexpr shaddock::remote_method<int()> count{"desk.deskRemote.count"};
inline constexpr shaddock::remote_method<int()> count_of_others{"shop.deskRemote.count"};
class desk_remote {
public:
    int count() const { return 7; }
};

/// What a plugin that registers so is told; empty when nothing is wrong with it.
template <shaddock::detail::setup_function Setup>
std::string refusal() {
    const auto door = shaddock::detail::door_of<Setup>("desk", "1.0");
    plugin_under_test tested(door);
    try {
        tested.create();
    } catch (const std::runtime_error& failed) {
        return failed.what();
    }
    return {};
}

void rightly(shaddock::registrar& registrar) {
    registrar.handler<desk_handler>("deskHandler").method("open", &desk_handler::open).serial();
    registrar.remote<desk_remote>("deskRemote").method(count, &desk_remote::count);
}
TEST(registrar, takes_what_is_right) {
    EXPECT_EQ(refusal<&rightly>(), "");
}

void with_a_dot(shaddock::registrar& registrar) {
    registrar.handler<desk_handler>("desk.Handler").method("open", &desk_handler::open);
}
void without_a_name(shaddock::registrar& registrar) {
    registrar.handler<desk_handler>("deskHandler").method("", &desk_handler::open);
}
TEST(registrar, refuses_names_that_no_route_can_have) {
    EXPECT_THAT(refusal<&with_a_dot>(),
                HasSubstr("handler 'desk.Handler': a word of a route has no dot and is not empty"));
    EXPECT_THAT(refusal<&without_a_name>(),
                HasSubstr("method '' of handler 'deskHandler': a word of a route"));
}

void serial_first(shaddock::registrar& registrar) {
    registrar.handler<desk_handler>("deskHandler").serial().method("open", &desk_handler::open);
}
TEST(registrar, refuses_serial_before_any_method) {
    EXPECT_THAT(refusal<&serial_first>(),
                HasSubstr("handler 'deskHandler': serial() stands before its first method"));
}

void of_another_type(shaddock::registrar& registrar) {
    registrar.remote<desk_remote>("deskRemote").method(count_of_others, &desk_remote::count);
}
TEST(registrar, refuses_a_contract_of_another_type) {
    EXPECT_THAT(refusal<&of_another_type>(),
                HasSubstr("contract shop.deskRemote.count is registered by the type 'desk'"));
}

void under_another_name(shaddock::registrar& registrar) {
    registrar.remote<desk_remote>("otherRemote").method(count, &desk_remote::count);
}
TEST(registrar, refuses_a_contract_of_another_remote) {
    EXPECT_THAT(refusal<&under_another_name>(),
                HasSubstr("contract desk.deskRemote.count is registered under remote "
                          "'otherRemote'"));
}

void with_a_state_in_the_body(shaddock::registrar& registrar) {
    const auto word = registrar.state<std::string>();
    word->append("open");
}
TEST(registrar, refuses_to_use_a_state_while_routes_are_listed) {
    EXPECT_THAT(refusal<&with_a_state_in_the_body>(),
                HasSubstr("a state is used while the routes are listed"));
}

void twice(shaddock::registrar& registrar) {
    registrar.handler<desk_handler>("deskHandler").method("open", &desk_handler::open);
    registrar.handler<desk_handler>("deskHandler")
        .method("close", &desk_handler::close)
        .method("open", &desk_handler::open);
}
TEST(plugin_under_test, refuses_a_route_twice_as_the_host_does) {
    EXPECT_THAT(refusal<&twice>(), HasSubstr("'deskHandler.open' is registered twice"));
}

} // namespace
