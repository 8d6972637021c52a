#include "control/requests.hpp"

#include "control/codec.hpp"

#include <gmock/gmock.h>

namespace shaddock::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(end_request, is_of_ids_or_of_all_and_never_of_nobody) {
    EXPECT_EQ(to_json(end_of({"a", "b"})), R"({"ids":["a","b"]})");
    EXPECT_EQ(to_json(end_of({})), R"({"all":true})");
    EXPECT_THAT(ids_from(R"({"ids":["a"]})").value(), ElementsAre("a"));
    EXPECT_THAT(ids_from(R"({"all":true})").value(), IsEmpty());
    for (const auto* wrong : {"", "[]", "{}", R"({"ids":1})", R"({"ids":[1]})", R"({"ids":[]})",
                              R"({"all":false})", R"({"all":true,"ids":["a"]})"}) {
        const auto read = ids_from(wrong);
        ASSERT_FALSE(read) << wrong;
        EXPECT_THAT(read.error().text(), HasSubstr(R"(expected {"ids":["<type or id>",..]})"));
    }
}

TEST(addition_request, takes_texts_and_other_json) {
    EXPECT_EQ(to_json(addition_of({{"id", "a"}, {"port", "7000"}})), R"({"id":"a","port":"7000"})");
    const auto keys = keys_from(R"({"port":7000,"id":"a","tags":["x"]})");
    ASSERT_TRUE(keys);
    EXPECT_THAT(*keys,
                ElementsAre(Pair("id", "a"), Pair("port", "7000"), Pair("tags", R"(["x"])")));
    EXPECT_FALSE(keys_from("[1]"));
    EXPECT_TRUE(check_keys(*keys));
    EXPECT_EQ(check_keys({{"id", "a"}, {"id", "b"}}).error().text(),
              "add: id: found twice, expected each key once");
}

} // namespace
} // namespace shaddock::control
