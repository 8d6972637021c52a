#include "folder.hpp"

namespace shaddock::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class dictionary_file : public testing::Test {
protected:
    result<std::vector<std::string>> read(std::string_view text) const {
        folder_.write("dictionary.json", text);
        return read_dictionary(folder_.path(), "development");
    }
    std::string error_of(std::string_view text) const {
        const auto found = read(text);
        return found ? "no error" : folder_.without_path(found.error().text());
    }

    system_folder folder_{"{}"};
};

TEST_F(dictionary_file, is_a_list_of_routes_in_its_order) {
    EXPECT_THAT(read(R"(["onChat", "onAdd", "a", "onChat"])").value(),
                ElementsAre("onChat", "onAdd", "a", "onChat"));
}

TEST_F(dictionary_file, may_be_absent_or_empty) {
    EXPECT_THAT(read_dictionary(folder_.path(), "development").value(), IsEmpty());
    EXPECT_THAT(read("[]").value(), IsEmpty());
    EXPECT_THAT(read("{}").value(), IsEmpty());
}

TEST_F(dictionary_file, follows_the_rule_of_envs) {
    EXPECT_THAT(read(R"({"development": ["x"], "production": ["y"]})").value(), ElementsAre("x"));
    folder_.write("testing/dictionary.json", R"(["z"])");
    std::filesystem::remove(folder_.file("dictionary.json"));
    EXPECT_THAT(read_dictionary(folder_.path(), "testing").value(), ElementsAre("z"));
    EXPECT_THAT(read_dictionary(folder_.path(), "development").value(), IsEmpty());
}

TEST_F(dictionary_file, takes_routes_as_long_as_a_message_can_carry) {
    const std::string longest(255, 'x');
    EXPECT_THAT(read("[\"" + longest + "\"]").value(), ElementsAre(longest));
    EXPECT_EQ(error_of("[\n\"ok\",\n\"" + longest + "y\"]"),
              "dictionary.json:3: [1]: found a text of 256 bytes, expected a route, a text of 1 to "
              "255 bytes");
    EXPECT_EQ(error_of("[\"\"]"), "dictionary.json:1: [0]: found a text of 0 bytes, expected a "
                                  "route, a text of 1 to 255 bytes");
}

TEST_F(dictionary_file, has_as_many_routes_as_there_are_codes) {
    std::string text = "[";
    for (int i = 0; i < 65535; ++i) {
        text += "\"a\",";
    }
    text.back() = ']';
    EXPECT_EQ(read(text).value().size(), 65535u);
    text.back() = ',';
    EXPECT_EQ(error_of(text + "\"b\"]"),
              "dictionary.json:1: found 65536 routes, expected at most 65535");
}

TEST_F(dictionary_file, says_what_is_wrong_and_where) {
    EXPECT_EQ(error_of(R"(["a", 5])"), "dictionary.json:1: [1]: found the number 5, expected a "
                                       "route, a text of 1 to 255 bytes");
    EXPECT_EQ(error_of("{\"a\": 1}"), "dictionary.json:1: found an object, expected a list of "
                                      "routes such as [\"onChat\"]");
    EXPECT_EQ(error_of("\n{\"development\": [null]}"),
              "dictionary.json:2: development[0]: found null, expected a route, a text of 1 to 255 "
              "bytes");
    EXPECT_EQ(error_of(""), "dictionary.json:1: found the end of the file, expected a JSON value");
}

} // namespace
} // namespace shaddock::config
