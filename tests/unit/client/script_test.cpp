#include "client/script.hpp"

#include "fake_frontend.hpp"

#include <gmock/gmock.h>

#include <boost/asio/post.hpp>

namespace shaddock::client {
namespace {

using testing::fake_frontend;
using ::testing::HasSubstr;
using testing::run_until;
using testing::settle;
using ::testing::SizeIs;

/// Lines of a text; at its end it waits for ever where a test wants that.
class given_lines final : public line_source {
public:
    given_lines(boost::asio::io_context& loop, std::vector<std::string> lines)
        : loop_(loop), lines_(std::move(lines)) {}
    void next(
        base::unique_function<void(const result<std::optional<std::string>>& line)> call) override {
        if (at_ == lines_.size() && ends == ending::never) {
            waiting_ = std::move(call);
            return;
        }
        boost::asio::post(loop_, [this, call = std::move(call)]() mutable {
            if (at_ < lines_.size()) {
                call(std::optional(lines_[at_++]));
            } else if (ends == ending::by_error) {
                call(error(errc::internal, "reading: broken"));
            } else {
                call(std::optional<std::string>());
            }
        });
    }
    enum class ending { well, by_error, never };
    ending ends = ending::well;

private:
    boost::asio::io_context& loop_;
    std::vector<std::string> lines_;
    std::size_t at_ = 0;
    base::unique_function<void(const result<std::optional<std::string>>& line)> waiting_;
};

class client_script : public ::testing::Test, public session_events {
protected:
    client_script() {
        session_options options;
        options.frontend = server.where();
        client.emplace(loop, clock, random, options, *this);
    }
    /// Begins when the connection is open.
    void start(std::vector<std::string> lines,
               given_lines::ending ends = given_lines::ending::well) {
        source.emplace(loop, std::move(lines));
        source->ends = ends;
        script.emplace(*client, *source, "check.txt");
        client->open([this] {
            script->start([this](const result<void>& outcome) {
                outcomes.push_back(outcome ? "ok" : outcome.error().text());
            });
        });
    }
    std::string run(std::vector<std::string> lines,
                    given_lines::ending ends = given_lines::ending::well) {
        start(std::move(lines), ends);
        EXPECT_TRUE(run_until(loop, [this] { return !outcomes.empty(); }));
        settle(loop);
        EXPECT_THAT(outcomes, SizeIs(1));
        return outcomes.empty() ? "" : outcomes.front();
    }

    boost::asio::io_context loop;
    base::manual_clock clock;
    base::random random{1};
    fake_frontend server{loop};
    std::optional<session> client;
    std::optional<given_lines> source;
    std::optional<script_run> script;
    std::vector<std::string> outcomes;

private:
    void on_text(std::string_view) override {}
    void on_closed(const error& why) override { script->closed(why); }
};

TEST_F(client_script, runs_line_by_line) {
    server.on_request = [](std::string_view route, std::string_view) {
        return std::string(route == "a.b.one" ? R"({"n":1})" : R"({"n":2})");
    };
    EXPECT_EQ(run({"# first", "", "a.b.one", R"(expect {"n":1})", "request a.b.two",
                   R"(expect {"n":2})"}),
              "ok");
    EXPECT_THAT(server.requests, SizeIs(2));
}

TEST_F(client_script, ends_at_quit) {
    EXPECT_EQ(run({"quit", "no such word"}), "ok");
}

TEST_F(client_script, stops_at_the_first_error_and_names_its_line) {
    EXPECT_EQ(run({"# one", "a.b.c", R"(expect {"code":200})", "a.b.d"}),
              "check.txt:3: expect: the answer of a.b.c is not as expected: code: found nothing, "
              "expected 200");
    EXPECT_THAT(server.requests, SizeIs(1));
}

TEST_F(client_script, names_the_line_that_it_does_not_understand) {
    EXPECT_THAT(run({"a.b.c", "a.b.c {"}), HasSubstr("check.txt:2: a.b.c: found \"{\""));
}

TEST_F(client_script, names_the_line_at_which_the_connection_ended) {
    server.on_request = [this](std::string_view, std::string_view) -> std::optional<std::string> {
        server.send(protocol::package_type::kick, R"({"reason":"shutdown"})");
        return std::nullopt;
    };
    EXPECT_EQ(run({"", "a.b.c"}), "check.txt:2: " + server.where().text() + ": kicked: shutdown");
}

TEST_F(client_script, ends_with_the_connection_while_it_waits_for_a_line) {
    start({"a.b.c"}, given_lines::ending::never);
    ASSERT_TRUE(run_until(loop, [this] { return server.requests.size() == 1; }));
    settle(loop);
    server.close();
    ASSERT_TRUE(run_until(loop, [this] { return !outcomes.empty(); }));
    EXPECT_THAT(outcomes[0], HasSubstr("check.txt:1: "));
    EXPECT_THAT(outcomes[0], HasSubstr("closed by the server"));
}

TEST_F(client_script, says_that_its_source_is_broken) {
    EXPECT_EQ(run({}, given_lines::ending::by_error), "check.txt:1: reading: broken");
}

} // namespace
} // namespace shaddock::client
