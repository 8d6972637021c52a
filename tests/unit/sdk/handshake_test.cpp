#include <shaddock/handshake.hpp>
#include <shaddock/testing/fake_host.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace {

struct token {
    std::string secret;
};
BOOST_DESCRIBE_STRUCT(token, (), (secret))
struct welcome {
    std::string name;
    int level = 0;
};
BOOST_DESCRIBE_STRUCT(welcome, (), (name, level))

using outcome = std::optional<shaddock::result<std::string>>;

struct sink final : shaddock::door::completion {
    explicit sink(outcome& into) : into_(into) {}
    void done(shaddock::result<shaddock::door::body> got) noexcept override {
        into_ = std::move(got);
    }
    outcome& into_;
};

struct handshake_hooks : testing::Test {
    shaddock::testing::fake_host host;
    shaddock::app with{host};

    template <class F>
    shaddock::result<std::string> shake(F hook, std::string_view user = R"({"secret":"s"})") {
        shaddock::detail::handshake_of<F> made(with, std::move(hook));
        outcome end;
        made.shake_hands({"js", "1.2", "10.0.0.1:7", user}, std::make_unique<sink>(end));
        EXPECT_FALSE(end) << "completed inline";
        host.run();
        host.advance(std::chrono::seconds(1));
        return end.value_or(shaddock::error(shaddock::errc::internal, "never ended"));
    }
};

TEST_F(handshake_hooks, answer_what_the_function_returns) {
    const auto user = shake([](shaddock::app&, const shaddock::client_hello& hello) {
        return welcome{hello.type + hello.version + hello.user_as<token>().value().secret, 3};
    });
    EXPECT_EQ(user.value(), R"({"name":"js1.2s","level":3})");
}

TEST_F(handshake_hooks, may_be_coroutines_and_may_refuse) {
    const auto late =
        shake([](shaddock::app& app,
                 shaddock::client_hello hello) -> shaddock::awaitable<shaddock::result<welcome>> {
            co_await app.sleep(std::chrono::milliseconds(1));
            co_return welcome{hello.address, 1};
        });
    EXPECT_EQ(late.value(), R"({"name":"10.0.0.1:7","level":1})");
    const auto refused =
        shake([](shaddock::app&, const shaddock::client_hello& hello) -> shaddock::result<welcome> {
            return hello.user_as<token>().value().secret == "s"
                       ? shaddock::application_error("banned", 403)
                       : shaddock::application_error("no");
        });
    EXPECT_EQ(refused.error().client_code(), 403);
    const auto thrown = shake([](shaddock::app&, const shaddock::client_hello& hello) -> welcome {
        return {hello.user_as<welcome>().value().name, 0};
    });
    EXPECT_EQ(thrown.error().code(), shaddock::errc::bad_request);
}

TEST_F(handshake_hooks, say_nothing_when_they_return_nothing) {
    bool was_called = false;
    const auto silent = shake(
        [&](shaddock::app&, const shaddock::client_hello& hello) {
            was_called = hello.user == shaddock::raw_json{};
        },
        "");
    EXPECT_TRUE(was_called);
    EXPECT_EQ(silent.value(), "");
    const auto none = shake(
        [](shaddock::app&, const shaddock::client_hello&) { return std::optional<welcome>(); });
    EXPECT_EQ(none.value(), "null");
}

TEST_F(handshake_hooks, check_kind_and_version) {
    shaddock::detail::client_check_of check(host,
                                            [](std::string_view type, std::string_view version) {
                                                if (version.empty()) {
                                                    throw std::runtime_error("no version");
                                                }
                                                return type == "js" && version >= "1.0";
                                            });
    EXPECT_TRUE(check.accepts({"js", "1.0", "", ""}).value());
    EXPECT_FALSE(check.accepts({"js", "0.9", "", ""}).value());
    EXPECT_EQ(check.accepts({"js", "", "", ""}).error().text(), "no version");
    outcome end;
    check.shake_hands({"js", "1.0", "", ""}, std::make_unique<sink>(end));
    host.run();
    EXPECT_EQ(end.value().value(), "");
}

} // namespace
