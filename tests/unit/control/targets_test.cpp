#include "control/targets.hpp"

#include <gmock/gmock.h>

namespace shaddock::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<target_name> there{
    {"chat-1", "chat"}, {"chat-2", "chat"}, {"gate-1", "gate"}, {"web", "web", false}};

TEST(targets, are_types_and_ids_each_server_once) {
    EXPECT_THAT(resolve({"gate", "chat-2", "chat"}, there, target_words::servers).value(),
                ElementsAre("gate-1", "chat-2", "chat-1"));
    EXPECT_THAT(resolve({"gate-1", "all"}, there, target_words::servers).value(),
                ElementsAre("gate-1", "chat-1", "chat-2"));
    EXPECT_THAT(resolve({"all"}, {}, target_words::anything).value(), IsEmpty());
    EXPECT_THAT(resolve({"web", "gate"}, there, target_words::anything).value(),
                ElementsAre("web", "gate-1"));
}

TEST(targets, are_what_the_command_takes) {
    EXPECT_FALSE(resolve({"web"}, there, target_words::servers)) << "is no server";
    EXPECT_THAT(resolve({"all"}, there, target_words::anything).value(),
                ElementsAre("chat-1", "chat-2", "gate-1"))
        << "what is no server is meant by its id only";
}

TEST(targets, that_are_unknown_are_named_with_the_nearest) {
    const auto found = resolve({"caht", "chat", "gate-2"}, there, target_words::servers);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), errc::not_found);
    EXPECT_THAT(found.error().text(), HasSubstr("no server and no type 'caht'; nearest: chat"));
    EXPECT_THAT(found.error().text(), HasSubstr("\nno server and no type 'gate-2'; nearest: gate"));
    EXPECT_THAT(resolve({"wbe"}, there, target_words::anything).error().text(),
                HasSubstr("no server and no type 'wbe'; nearest: web"));
}

} // namespace
} // namespace shaddock::control
