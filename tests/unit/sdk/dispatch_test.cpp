#include <shaddock/dispatch.hpp>
#include <shaddock/json.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <vector>

namespace {

struct vector_entry {
    std::string name;
    std::optional<std::string> uid;
    std::map<std::string, std::size_t> mod;
};
BOOST_DESCRIBE_STRUCT(vector_entry, (), (name, uid, mod))

TEST(dispatch, puts_keys_where_the_original_does) {
    std::ifstream in(SHADDOCK_TEST_SOURCE_DIR "/tests/vectors/dispatch-crc32.json");
    if (!in) {
        GTEST_SKIP() << "tests/vectors/dispatch-crc32.json is not there";
    }
    std::stringstream all;
    all << in.rdbuf();
    const auto entries = shaddock::json::decode<std::vector<shaddock::raw_json>>(all.str());
    ASSERT_TRUE(entries) << entries.error().text();
    std::size_t checked = 0;
    for (const auto& entry : *entries) {
        const auto known = shaddock::json::decode<vector_entry>(entry.text);
        if (!known || !known->uid) {
            continue; // entries about something else, such as exceptions
        }
        for (const auto& [count, index] : known->mod) {
            EXPECT_EQ(shaddock::dispatch_index(*known->uid, std::stoul(count)), index)
                << known->name << " mod " << count;
            ++checked;
        }
    }
    EXPECT_GT(checked, 20U);
}

TEST(dispatch, knows_a_few_keys_by_heart) {
    EXPECT_EQ(shaddock::dispatch_index("", 5), 0U);
    EXPECT_EQ(shaddock::dispatch_index("a", 2), 1U);
    EXPECT_EQ(shaddock::dispatch_index("a", 5), 4U);
}

} // namespace
