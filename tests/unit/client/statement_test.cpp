#include "client/statement.hpp"

#include <gmock/gmock.h>

namespace shaddock::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

template <class Said>
Said parsed(std::string_view line) {
    const auto read = parse_line(line);
    if (!read) {
        ADD_FAILURE() << line << ": " << read.error().text();
        return {};
    }
    const auto* said = std::get_if<Said>(&*read);
    if (said == nullptr) {
        ADD_FAILURE() << line << ": another statement, number " << read->index();
        return {};
    }
    return *said;
}

TEST(client_line, is_nothing_when_empty_or_a_comment) {
    for (const auto* line : {"", "  \t\r\n", "# request a.b.c {}", "   #"}) {
        parsed<nothing>(line);
    }
}

TEST(client_line, asks_in_two_forms) {
    const auto whole = parsed<ask>("  request chat.chatHandler.send  {\"a\": \"b  c # d\"} \r");
    EXPECT_EQ(whole.route, "chat.chatHandler.send");
    EXPECT_EQ(whole.body, R"({"a": "b  c # d"})");
    const auto brief = parsed<ask>("chat.chatHandler.send [1, 2]");
    EXPECT_EQ(brief.route, "chat.chatHandler.send");
    EXPECT_EQ(brief.body, "[1, 2]");
    EXPECT_EQ(parsed<ask>("a.b.c").body, "{}");
    EXPECT_EQ(parsed<ask>("request request").route, "request");
}

TEST(client_line, tells) {
    const auto said = parsed<tell>("notify a.b.c 5");
    EXPECT_EQ(said.route, "a.b.c");
    EXPECT_EQ(said.body, "5");
}

TEST(client_line, listens_to_all_to_some_to_none) {
    EXPECT_TRUE(parsed<listen>("listen").is_on);
    EXPECT_THAT(parsed<listen>("listen").routes, IsEmpty());
    EXPECT_THAT(parsed<listen>("listen onChat onAdd").routes, ElementsAre("onChat", "onAdd"));
    EXPECT_FALSE(parsed<listen>("listen off").is_on);
}

TEST(client_line, waits_expects_and_sleeps) {
    EXPECT_EQ(parsed<await_push>("wait onChat").limit, std::nullopt);
    EXPECT_EQ(parsed<await_push>("wait onChat 2.5").limit, 2500ms);
    EXPECT_EQ(parsed<expect>(R"(expect {"a":1})").part, R"({"a":1})");
    EXPECT_EQ(parsed<pause>("sleep 10ms").time, 10ms);
}

TEST(client_line, has_words_that_stand_alone) {
    parsed<info>("info");
    parsed<routes>("routes");
    parsed<help>(" help ");
    parsed<quit>("quit");
    parsed<quit>("exit");
}

struct wrong_line {
    std::string line;
    std::string complaint;
};

class wrong_client_line : public ::testing::TestWithParam<wrong_line> {};

TEST_P(wrong_client_line, says_what_was_found_and_expected) {
    const auto read = parse_line(GetParam().line);
    ASSERT_FALSE(read) << GetParam().line;
    EXPECT_EQ(read.error().code(), errc::bad_request);
    EXPECT_THAT(read.error().text(), HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    each, wrong_client_line,
    ::testing::Values(
        wrong_line{"reqest x", R"(found "reqest", expected request, notify, )"},
        wrong_line{"{\"a.b\":1}", R"(found "{\"a.b\":1}", expected request)"},
        wrong_line{"request", "request: found nothing, expected a route"},
        wrong_line{"notify {}", R"(notify: found "{}", expected a route)"},
        wrong_line{"request " + std::string(256, 'a'), "a route of at most 255 bytes"},
        wrong_line{"a.b.c {", R"(a.b.c: found "{", expected JSON)"},
        wrong_line{"a.b.c {} {}", "expected JSON"},
        wrong_line{"wait", "wait: found nothing, expected a route"},
        wrong_line{"wait onChat soon", R"(wait: found "soon", expected a time)"},
        wrong_line{"sleep", "sleep: found nothing, expected a time"},
        wrong_line{"sleep 2h", "expected a time of at most an hour"},
        wrong_line{"expect", "expect: found nothing, expected JSON"},
        wrong_line{"quit now", R"(quit: found "now", expected nothing after it)"},
        wrong_line{"request a.b.c \"" + std::string(65536, 'a') + "\"", "expected at most 65536"},
        wrong_line{"expect " + std::string(100, '['), "levels"}));

TEST(client_time, has_units_and_bounds) {
    EXPECT_EQ(parse_time("1.5"), 1500ms);
    EXPECT_EQ(parse_time("10s"), 10s);
    EXPECT_EQ(parse_time("500 ms"), 500ms);
    EXPECT_EQ(parse_time("60min"), 1h);
    EXPECT_EQ(parse_time("0"), 0ms);
    for (const auto* text : {"", "s", "-1", "61min", "3601", "1x", "1 s s", "inf", "nan", "1e9"}) {
        EXPECT_EQ(parse_time(text), std::nullopt) << text;
    }
}

TEST(client_help, tells_each_word_and_is_true) {
    for (const auto& word : words()) {
        EXPECT_THAT(std::string(help_text()), HasSubstr(word));
    }
    // Its example is lines of the language.
    const auto text = help_text();
    auto rest = text.substr(text.find("  connector.entryHandler"));
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        EXPECT_TRUE(parse_line(line)) << line;
        rest.remove_prefix(line.size() + 1);
    }
}

TEST(client_completions, are_words_and_routes_where_they_fit) {
    const std::vector<std::string> known = {"chat.chatHandler.send", "onAdd", "onChat"};
    EXPECT_THAT(completions("re", known), ElementsAre("request"));
    EXPECT_THAT(completions("ch", known), ElementsAre("chat.chatHandler.send"));
    EXPECT_THAT(completions("wait on", known), ElementsAre("onAdd", "onChat"));
    EXPECT_THAT(completions("listen onAdd onC", known), ElementsAre("onChat"));
    EXPECT_THAT(completions("request chat.chatHandler.send ch", known), IsEmpty());
    EXPECT_THAT(completions("sleep o", known), IsEmpty());
    EXPECT_EQ(completions("", known).size(), words().size() + known.size());
}

} // namespace
} // namespace shaddock::client
