#include "sample.hpp"

#include <shaddock/dispatch.hpp>

#include <shaddock/testing/plugin_under_test.hpp>

#include <gmock/gmock.h>

#include <chrono>

namespace {

using namespace std::chrono_literals;
using shaddock::errc;
using shaddock::testing::make_session;
using shaddock::testing::plugin_under_test;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class wrapper : public testing::Test {
protected:
    plugin_under_test plugin{shaddock_plugin_door};
    shaddock::door::session_data ann = make_session(7, "ann");

    std::string reply(std::string_view method, std::string_view body = "{}") {
        const auto answer = plugin.request(method, body, ann);
        if (!answer) {
            return "(waiting)";
        }
        return *answer
                   ? answer->value()
                   : std::string(to_string(answer->error().code())) + ": " + answer->error().text();
    }
    /// How often words were logged.
    std::ptrdiff_t times(std::string_view words) const {
        return std::ranges::count(plugin.host.log_lines, words);
    }
};

TEST_F(wrapper, decodes_calls_and_encodes) {
    EXPECT_EQ(reply("sampleHandler.say", R"({"text":"hi","more":1})"),
              R"({"text":"hi","count":1})");
    EXPECT_THAT(plugin.host.log_lines, Contains("say by ann"));
}

TEST_F(wrapper, answers_void_with_an_empty_object) {
    EXPECT_EQ(reply("sampleHandler.nothing", "not json"), "{}");
    EXPECT_EQ(reply("sampleHandler.onlySession"), "{}");
    EXPECT_THAT(plugin.host.log_lines, Contains("session 7"));
}

TEST_F(wrapper, refuses_a_body_before_the_handler_and_the_filters) {
    EXPECT_EQ(reply("sampleHandler.say", R"({"text":5})"),
              "bad_request: text: expected string, found number 5");
    EXPECT_THAT(reply("sampleHandler.say", "{"), HasSubstr("bad_request: body: not JSON"));
    EXPECT_EQ(reply("sampleHandler.sayLater", "{}"), "bad_request: text: missing");
    EXPECT_THAT(plugin.host.log_lines, IsEmpty());
}

TEST_F(wrapper, turns_results_and_exceptions_into_errors) {
    const auto refused = plugin.request("sampleHandler.refuse", "{}", ann);
    ASSERT_TRUE(refused && refused->has_error());
    EXPECT_EQ(refused->error().client_code(), 403);
    EXPECT_EQ(reply("sampleHandler.throwError", R"({"number":4})"), "refused: no 4");
    EXPECT_EQ(reply("sampleHandler.throwOther"), "internal: a bug");
    const auto late = plugin.start("sampleHandler.throwLater", "{}", ann);
    plugin.host.advance(1s);
    ASSERT_TRUE(late->has_value());
    EXPECT_EQ((*late)->error().text(), "a late bug");
}

TEST_F(wrapper, starts_a_coroutine_at_once_and_answers_when_it_ends) {
    const auto answer = plugin.start("sampleHandler.sayLater", R"({"text":"hi"})", ann);
    // Requests start in the order of arrival, so a synchronous one that comes next must not
    // overtake it.
    plugin.host.run();
    EXPECT_FALSE(answer->has_value());
    EXPECT_EQ(times("later began"), 1);
    plugin.host.advance(1s);
    ASSERT_TRUE(answer->has_value());
    EXPECT_EQ((*answer)->value(), R"({"text":"hi","count":0})");
    EXPECT_EQ(times("later of ann"), 1);
}

TEST_F(wrapper, answers_internal_when_a_waiting_coroutine_is_dropped) {
    std::shared_ptr<std::optional<shaddock::result<std::string>>> answer;
    {
        plugin_under_test other(shaddock_plugin_door);
        answer = other.start("sampleHandler.sayLater", R"({"text":"hi"})", ann);
        other.host.run();
    }
    ASSERT_TRUE(answer->has_value());
    EXPECT_EQ((*answer)->error().code(), errc::internal);
}

TEST_F(wrapper, runs_filters_in_order_and_afters_in_reverse) {
    reply("sampleHandler.nothing");
    EXPECT_THAT(plugin.host.log_lines, ElementsAre("first before sample.sampleHandler.nothing",
                                                   "second before sample.sampleHandler.nothing",
                                                   "second after ok", "first after ok"));
}

TEST_F(wrapper, skips_the_handler_but_no_after_when_a_filter_refuses) {
    ann.settings.push_back({"refuse", "\"first\""});
    EXPECT_EQ(reply("sampleHandler.say", R"({"text":"a"})"), "refused: by first");
    EXPECT_THAT(plugin.host.log_lines,
                ElementsAre("first before sample.sampleHandler.say", "second after by first",
                            "first after by first"));
}

TEST_F(wrapper, lets_a_typed_filter_change_the_message) {
    EXPECT_EQ(reply("sampleHandler.say", R"({"text":"a bad word"})"),
              R"({"text":"a *** word","count":1})");
    EXPECT_EQ(reply("sampleHandler.throwError", R"({"number":1})"), "refused: no 1");
}

TEST_F(wrapper, logs_a_request_that_takes_too_long_once) {
    const auto line = "request sample.sampleHandler.slow timeout";
    const auto quick = plugin.start("sampleHandler.sayLater", R"({"text":"hi"})", ann);
    const auto slow = plugin.start("sampleHandler.slow", "{}", ann);
    plugin.host.advance(2999ms);
    EXPECT_EQ(times(line), 0);
    plugin.host.advance(1ms);
    EXPECT_EQ(times(line), 1);
    plugin.host.advance(20s);
    EXPECT_EQ(times(line), 1);
    EXPECT_EQ(times("request sample.sampleHandler.sayLater timeout"), 0);
    EXPECT_EQ((*slow)->value(), "{}");
}

TEST_F(wrapper, tells_which_methods_are_serial) {
    EXPECT_TRUE(plugin.handler("sampleHandler.sayLater").is_serial);
    EXPECT_FALSE(plugin.handler("sampleHandler.say").is_serial);
    EXPECT_FALSE(plugin.handler("sampleHandler.nothing").is_serial);
}

TEST_F(wrapper, tells_the_shapes_of_requests_and_replies) {
    EXPECT_EQ(plugin.handler("sampleHandler.say").request_shape, "{text: string}");
    EXPECT_EQ(plugin.handler("sampleHandler.say").reply_shape, "{text: string, count: float64}");
    EXPECT_EQ(plugin.handler("sampleHandler.sayLater").reply_shape,
              "{text: string, count: float64}")
        << "what a coroutine gives in the end";
    EXPECT_EQ(plugin.handler("sampleHandler.nothing").request_shape, "{}");
    EXPECT_EQ(plugin.handler("sampleHandler.nothing").reply_shape, "{}") << "as it is answered";
    EXPECT_EQ(plugin.handler("sampleHandler.refuse").reply_shape, "{}");
    EXPECT_EQ(plugin.remote("sampleRemote.later").request_shape, "[int32]");
    EXPECT_EQ(plugin.remote("sampleRemote.later").reply_shape, "string");
}

TEST_F(wrapper, changes_the_session_at_its_frontend) {
    EXPECT_EQ(reply("sampleHandler.bind"), R"({"text":"new","count":3})");
    ASSERT_EQ(plugin.host.changes.size(), 2U);
    EXPECT_EQ(plugin.host.changes[0].change.uid, "new");
    EXPECT_EQ(plugin.host.changes[1].change.settings.at(0).key, "level");
    EXPECT_EQ(plugin.host.changes[1].change.settings.at(0).json, "3");
    plugin.host.on_change = [](const auto&) { return shaddock::error(errc::closed, "gone"); };
    EXPECT_EQ(reply("sampleHandler.bind"), "closed: gone");
}

TEST_F(wrapper, serves_remotes_by_their_contract) {
    const auto arguments = R"([{"frontend":"c","life":1,"id":2,"uid":"u"},5])";
    EXPECT_EQ(plugin.call("sampleRemote.echo", arguments, sample::echo.hash())->value(),
              R"({"text":"u","count":5})");
    EXPECT_EQ(plugin.call("sampleRemote.echo", arguments)->value(), R"({"text":"u","count":5})");
    EXPECT_EQ(plugin.call("sampleRemote.later", "[3]", sample::later.hash())->value(), R"("n3")");
    const auto mixed = plugin.call("sampleRemote.echo", arguments, sample::echo.hash() + 1);
    EXPECT_EQ(mixed->error().code(), errc::contract);
    EXPECT_THAT(mixed->error().text(), HasSubstr("sampleRemote.echo"));
    EXPECT_EQ(plugin.call("sampleRemote.echo", "[1]")->error().text(),
              "arguments: expected array of 2, found array of 1");
    EXPECT_EQ(
        plugin.call("sampleRemote.echo", R"([{"frontend":"c","life":1,"id":2,"uid":"u"},"5"])")
            ->error()
            .text(),
        "[1]: expected integer, found string \"5\"");
}

TEST_F(wrapper, runs_hooks_and_survives_their_exceptions) {
    plugin.hooks().on_member_lost("room", {ann.ref, 1});
    EXPECT_THAT(plugin.host.log_lines,
                ElementsAre("lost ann of room", "on_member_lost: internal: a bug in a hook"));
    plugin.hooks().on_started();
    plugin.host.advance(1s);
    EXPECT_EQ(times("started"), 1);
}

class recorded final : public shaddock::door::completion {
public:
    explicit recorded(std::optional<shaddock::result<shaddock::door::body>>& into) : into_(into) {}
    void done(shaddock::result<shaddock::door::body> outcome) noexcept override {
        into_ = std::move(outcome);
    }

private:
    std::optional<shaddock::result<shaddock::door::body>>& into_;
};

TEST_F(wrapper, starts_and_stops_components) {
    ASSERT_EQ(plugin.components().size(), 1U);
    auto& part = *plugin.components().front();
    EXPECT_EQ(part.name(), "part");
    std::optional<shaddock::result<shaddock::door::body>> outcome;
    part.start(std::make_unique<recorded>(outcome));
    plugin.host.run();
    EXPECT_FALSE(outcome);
    plugin.host.advance(1s);
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->has_value());
    outcome.reset();
    part.stop(shaddock::door::stop_reason::server_stops, std::make_unique<recorded>(outcome));
    EXPECT_FALSE(outcome) << "completions are posted";
    plugin.host.run();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->error().text(), "cannot stop");
}

TEST_F(wrapper, routes_by_a_key_over_the_expected_list) {
    std::vector<shaddock::server_info> expected(3);
    expected[0].id = "chat-server-1";
    expected[1].id = "chat-server-2";
    expected[2].id = "chat-server-3";
    for (const std::string room : {"a", "b", "room1"}) {
        const auto& wanted = expected[shaddock::dispatch_index(room, 3)].id;
        EXPECT_EQ(
            plugin.pick("chat", {.session = nullptr, .text = room, .number = {}}, expected).value(),
            wanted);
        const auto inside = make_session(1, "u", {{"rid", "\"" + room + "\""}});
        EXPECT_EQ(
            plugin.pick("chat", {.session = &inside, .text = {}, .number = {}}, expected).value(),
            wanted);
    }
}

} // namespace
