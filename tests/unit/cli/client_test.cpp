#include "cli/arguments.hpp"
#include "client/statement.hpp"
#include "client_help.hpp"
#include "client_history.hpp"
#include "client_input.hpp"

#include "../master/temp_folder.hpp"

#include <boost/asio/post.hpp>
#include <gmock/gmock.h>

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace shaddock::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace std::chrono_literals;

client_command parsed(std::vector<std::string> words) {
    words.insert(words.begin(), "client");
    const auto found = parse(words);
    const auto* wanted = std::get_if<client_command>(&found);
    if (wanted == nullptr) {
        const auto* said = std::get_if<answer>(&found);
        ADD_FAILURE() << (said == nullptr ? "another command" : said->text);
        return {};
    }
    return *wanted;
}

answer refused(std::vector<std::string> words) {
    words.insert(words.begin(), "client");
    const auto found = parse(words);
    const auto* said = std::get_if<answer>(&found);
    EXPECT_NE(said, nullptr);
    return said == nullptr ? answer{} : *said;
}

TEST(client_arguments, leave_the_gate_to_the_config) {
    const auto plain = parsed({});
    EXPECT_FALSE(plain.gate);
    EXPECT_FALSE(plain.connect);
    EXPECT_FALSE(plain.over_tcp);
    EXPECT_FALSE(plain.script);
    EXPECT_FALSE(plain.as_json);
    EXPECT_EQ(plain.timeout, 10s);
    EXPECT_EQ(plain.where.env, "development");
}

TEST(client_arguments, say_whom_to_ask_and_how) {
    const auto gate = parsed({"--gate", "h:3014", "--tcp", "--uid", "ada", "--script", "-",
                              "--json", "--timeout", "500ms", "--config", "/c"});
    EXPECT_EQ(gate.gate, (client::address{"h", 3014}));
    EXPECT_TRUE(gate.over_tcp);
    EXPECT_EQ(gate.uid, "ada");
    EXPECT_EQ(gate.script, "-");
    EXPECT_TRUE(gate.as_json);
    EXPECT_EQ(gate.timeout, 500ms);
    EXPECT_EQ(gate.where.config, "/c");
    const auto frontend = parsed({"--connect", "[::1]:3050", "--ws"});
    EXPECT_EQ(frontend.connect, (client::address{"::1", 3050}));
    EXPECT_FALSE(frontend.over_tcp);
}

TEST(client_arguments, refuse_what_cannot_be) {
    EXPECT_THAT(refused({"--gate", "h"}).text, HasSubstr("--gate: found 'h', expected HOST:PORT"));
    EXPECT_THAT(refused({"--timeout", "0"}).text, HasSubstr("--timeout: found '0'"));
    EXPECT_EQ(refused({"--gate", "h:1", "--connect", "h:2"}).status, exit_usage);
    EXPECT_EQ(refused({"--ws", "--tcp"}).status, exit_usage);
}

TEST(client_help, has_an_example_of_lines_that_are_right) {
    const std::string_view text = client_examples;
    auto rest = text.substr(text.find("  connector.entryHandler"));
    rest = rest.substr(0, rest.find("\n\n"));
    int lines = 0;
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        EXPECT_TRUE(client::parse_line(line)) << line;
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        ++lines;
    }
    EXPECT_EQ(lines, 5);
    EXPECT_THAT(refused({"--help"}).text, HasSubstr("Examples:"));
}

TEST(client_history, keeps_lines_from_one_client_to_the_next) {
    const test::temp_folder folder;
    const auto file = folder.path() / "state/shaddock/history";
    client_history first(file);
    EXPECT_THAT(first.lines(), IsEmpty());
    first.add("info");
    first.add("info");
    client_history beside(file);
    beside.add("routes");
    first.add("a.b.c {\"x\": \"\xc3\xa9\"}");
    first.close();
    EXPECT_THAT(client_history(file).lines(),
                ElementsAre("info", "routes", "a.b.c {\"x\": \"\xc3\xa9\"}"));
    struct stat status {};
    ASSERT_EQ(stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    ASSERT_EQ(stat(file.parent_path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST(client_history, keeps_the_latest_thousand) {
    const test::temp_folder folder;
    const auto file = folder.path() / "shaddock/history";
    {
        client_history history(file);
        for (int i = 0; i < 1200; ++i) {
            history.add(std::to_string(i));
        }
        history.close();
    }
    const client_history next(file);
    ASSERT_THAT(next.lines(), SizeIs(1000));
    EXPECT_EQ(next.lines().front(), "200");
    EXPECT_EQ(next.lines().back(), "1199");
}

TEST(client_history, is_none_without_a_file) {
    client_history none({});
    none.add("info");
    none.close();
    EXPECT_THAT(none.lines(), IsEmpty());
}

TEST(client_history, stands_in_the_state_folder) {
    setenv("HOME", "/home/of", 1);
    unsetenv("XDG_STATE_HOME");
    EXPECT_EQ(client_history_file(), "/home/of/.local/state/shaddock/history");
    setenv("XDG_STATE_HOME", "/state", 1);
    EXPECT_EQ(client_history_file(), "/state/shaddock/history");
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    EXPECT_EQ(client_history_file(), "");
}

/// The lines of a descriptor, `;` after each.
std::string all_lines(boost::asio::io_context& loop, line_input& lines) {
    std::string text;
    bool is_over = false;
    const auto until = std::chrono::steady_clock::now() + 10s;
    std::function<void()> next = [&] {
        lines.next([&](const result<std::optional<std::string>>& line) {
            is_over = !line || !*line;
            text += line ? line->value_or("") + (is_over ? "" : ";") : line.error().text();
            if (!is_over) {
                next();
            }
        });
    };
    next();
    while (!is_over && std::chrono::steady_clock::now() < until) {
        loop.restart();
        loop.run_one_for(50ms);
    }
    return text;
}

TEST(client_input, reads_lines_of_a_file) {
    const test::temp_folder folder;
    const auto file = folder.write("lines", "one\n\nthree\nwithout an end");
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    boost::asio::io_context loop;
    line_input lines(loop, fd);
    EXPECT_EQ(all_lines(loop, lines), "one;;three;without an end;");
    close(fd);
}

TEST(client_input, reads_lines_of_a_pipe_and_leaves_its_flags) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    boost::asio::io_context loop;
    line_input lines(loop, ends[0]);
    boost::asio::post(loop, [&] {
        EXPECT_EQ(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
        EXPECT_EQ(write(ends[1], "one\ntw", 6), 6);
        boost::asio::post(loop, [&] {
            EXPECT_EQ(write(ends[1], "o\n", 2), 2);
            close(ends[1]);
        });
    });
    EXPECT_EQ(all_lines(loop, lines), "one;two;");
    close(ends[0]);
}

TEST(client_input, bounds_a_line) {
    const test::temp_folder folder;
    const auto file = folder.write("lines", std::string((1U << 20U) + 8192, 'x'));
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    boost::asio::io_context loop;
    line_input lines(loop, fd);
    EXPECT_THAT(all_lines(loop, lines), HasSubstr("a line of over 1048576 bytes"));
    close(fd);
}

} // namespace
} // namespace shaddock::cli
