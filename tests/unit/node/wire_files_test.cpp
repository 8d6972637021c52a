#include "node/wire_files.hpp"

#include "../base/no_descriptors.hpp"
#include "base/log.hpp"
#include "setting_folder.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>

#include <fstream>
#include <sstream>

namespace shaddock::node {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
namespace fs = std::filesystem;

constexpr std::string_view chat_protos = R"({
  "onChat": {
    "required string msg": 1,
    "required string from": 2,
    "required string target": 3
  }
})";
constexpr std::string_view chat_version = "2zWPnSlRsRxjqgcU215Uxg==";

class proto_files_test : public testing::Test {
protected:
    result<std::shared_ptr<const protocol::protos>>
    read(std::string_view env = "development") const {
        return read_protos(folder_.config(), env);
    }
    std::string error_of(std::string_view file, std::string_view text) const {
        folder_.write("config/" + std::string(file), text);
        const auto found = read();
        return found ? "no error" : folder_.without_path(found.error().text());
    }
    const setting_folder folder_;
};

TEST_F(proto_files_test, of_the_demonstration_have_the_version_of_pomelo) {
    folder_.write("config/serverProtos.json", chat_protos);
    folder_.write("config/clientProtos.json", "{}");
    const auto found = read();
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ((*found)->version, chat_version);
    EXPECT_NE((*found)->server.find("onChat"), nullptr);
    EXPECT_TRUE((*found)->client.is_empty());
    fs::remove(folder_.config() / "clientProtos.json");
    EXPECT_EQ((*read())->version, chat_version) << "an absent file counts as {}";
}

TEST_F(proto_files_test, shipped_are_those_of_the_demonstration) {
    for (const char* env : {"development", "production"}) {
        const auto found = read_protos(fs::path(SHADDOCK_TEST_SOURCE_DIR) / "config", env);
        ASSERT_TRUE(found) << found.error().text();
        EXPECT_EQ((*found)->version, chat_version);
        EXPECT_NE((*found)->server.find("onChat"), nullptr);
        EXPECT_TRUE((*found)->client.is_empty());
    }
}

TEST_F(proto_files_test, may_both_be_absent) {
    const auto found = read();
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ((*found)->version, "");
    EXPECT_TRUE((*found)->server.is_empty());
    EXPECT_TRUE((*found)->client.is_empty());
}

TEST_F(proto_files_test, know_their_directions) {
    folder_.write("config/clientProtos.json", chat_protos);
    const auto found = read();
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ((*found)->server.find("onChat"), nullptr);
    EXPECT_NE((*found)->client.find("onChat"), nullptr);
    EXPECT_NE((*found)->version, chat_version);
}

TEST_F(proto_files_test, follow_the_rule_of_envs) {
    folder_.write("config/production/serverProtos.json", chat_protos);
    EXPECT_EQ((*read("production"))->version, chat_version);
    EXPECT_EQ((*read())->version, "");
    folder_.write("config/serverProtos.json",
                  R"({"production": {}, "testing": )" + std::string(chat_protos) + "}");
    EXPECT_EQ((*read("testing"))->version, chat_version);
    EXPECT_TRUE((*read("production"))->server.is_empty());
}

TEST_F(proto_files_test, say_file_line_and_key_of_what_is_wrong) {
    EXPECT_THAT(error_of("serverProtos.json", "{\n\"onChat\": {\n  \"required string msg\": 1,\n"
                                              "  \"required uInt64 at\": 2\n}}"),
                AllOf(StartsWith("serverProtos.json:4: onChat.required uInt64 at: found "),
                      HasSubstr("expected")));
    EXPECT_THAT(error_of("serverProtos.json", "\n[1]"), StartsWith("serverProtos.json:2: found "));
    EXPECT_THAT(error_of("serverProtos.json", "{"),
                "serverProtos.json:1: found the end of the file, expected a key in double quotes");
    fs::remove(folder_.config() / "serverProtos.json");
    EXPECT_THAT(error_of("clientProtos.json", "\n{\"a/b~c\": {\n\"sometimes string x\": 1}}"),
                StartsWith("clientProtos.json:3: a/b~c.sometimes string x: found "));
    EXPECT_THAT(error_of("clientProtos.json",
                         "{\"production\": {},\n \"development\": {\n\"x\": {\n\n"
                         "\"required string x\": 0}}}"),
                StartsWith("clientProtos.json:5: x.required string x: found "));
}

class dictionary_of_a_system : public testing::Test {
protected:
    setting_folder folder_;
};

TEST_F(dictionary_of_a_system, has_the_handlers_of_every_type) {
    const auto made = make_dictionary(folder_.found(), "connector-1");
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_EQ((*made)->code_of("chat.chatHandler.send"), 1);
    EXPECT_EQ((*made)->code_of("connector.entryHandler.enter"), 2);
    EXPECT_EQ((*made)->code_of("gate.gateHandler.queryEntry"), 3);
    EXPECT_EQ((*made)->size(), 3u);
    EXPECT_EQ((*made)->version(), "s2r1qfKDrbhWCkA6uf+PTA==");
}

TEST_F(dictionary_of_a_system, goes_on_with_the_routes_of_the_application) {
    folder_.write("config/dictionary.json", R"(["onLeave", "onAdd"])");
    const auto made = make_dictionary(folder_.found(), "connector-1");
    ASSERT_TRUE(made) << made.error().text();
    EXPECT_EQ((*made)->code_of("onLeave"), 4);
    EXPECT_EQ((*made)->code_of("onAdd"), 5);
}

TEST_F(dictionary_of_a_system, leaves_no_copies_and_none_of_others_alone) {
    folder_.write("run/connector-1@1@connector.so", "in use");
    folder_.write("run/connector-1@routes@1@chat.so", "of a killed one");
    ASSERT_TRUE(make_dictionary(folder_.found(), "connector-1"));
    std::vector<std::string> left;
    for (const auto& entry : fs::directory_iterator(folder_.path() / "run")) {
        left.push_back(entry.path().filename());
    }
    EXPECT_THAT(left, ElementsAre("connector-1@1@connector.so"));
}

TEST_F(dictionary_of_a_system, needs_the_modules_of_all) {
    folder_.write("config/host.yaml",
                  "types: {gate: , connector: , chat: {modules: [chat.so, more_chat.so]}}");
    const auto missing = make_dictionary(folder_.found(), "connector-1");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().text(),
                AllOf(HasSubstr("dict"), HasSubstr("; chat: "),
                      HasSubstr("more_chat.so: no such module; there are: ")));
    folder_.write("config/host.yaml", "types: {gate: , connector: , chat: {modules: [gate.so]}}");
    const auto other = make_dictionary(folder_.found(), "connector-1");
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().text(),
                AllOf(HasSubstr("; chat: "), HasSubstr("server type 'gate'")));
}

TEST_F(dictionary_of_a_system, needs_a_sound_list) {
    folder_.write("config/dictionary.json", R"(["onAdd", ""])");
    const auto made = make_dictionary(folder_.found(), "connector-1");
    ASSERT_FALSE(made);
    EXPECT_THAT(folder_.without_path(made.error().text()), StartsWith("dictionary.json:1: [1]: "));
}

/// The log goes to a file of the test.
class proto_reload_test : public testing::Test {
protected:
    void SetUp() override {
        base::log::options wanted;
        wanted.file = folder_.path() / "log";
        wanted.console = false;
        base::log::start("test", wanted);
        folder_.write("config/serverProtos.json", chat_protos);
    }
    void TearDown() override { base::log::start("test", {}); }

    void start() { reload_.start(read_protos(folder_.config(), "development").value()->version); }
    /// What was written is seen, and taken after the pause.
    std::vector<std::string> versions() {
        loop_.restart();
        loop_.poll();
        clock_.advance(1s);
        return std::exchange(versions_, {});
    }
    /// The lines of the log since the last call.
    std::string logged() {
        std::ifstream file(folder_.path() / "log");
        file.seekg(static_cast<std::streamoff>(read_));
        std::ostringstream text;
        text << file.rdbuf();
        read_ += text.str().size();
        return text.str();
    }

    const setting_folder folder_;
    boost::asio::io_context loop_;
    base::manual_clock clock_;
    std::vector<std::string> versions_;
    std::size_t read_ = 0;
    proto_reload reload_{loop_.get_executor(), clock_, folder_.config(), "development",
                         [this](auto now) { versions_.push_back(now->version); }};
};

TEST_F(proto_reload_test, takes_a_file_that_was_written) {
    start();
    EXPECT_THAT(versions(), IsEmpty());
    folder_.write("config/serverProtos.json", "{}");
    const auto taken = versions();
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_NE(taken[0], chat_version);
    EXPECT_THAT(logged(), AllOf(HasSubstr("info"), HasSubstr("'" + taken[0] + "'")));
    folder_.write("config/serverProtos.json", chat_protos);
    EXPECT_THAT(versions(), ElementsAre(chat_version));
    folder_.write("config/clientProtos.json", R"({"x": {"optional uInt32 y": 1}})");
    EXPECT_THAT(versions(), ElementsAre(Not(chat_version)));
}

TEST_F(proto_reload_test, keeps_the_old_while_the_new_are_wrong) {
    start();
    folder_.write("config/serverProtos.json", "{\n\"onChat\": {\"required sting msg\": 1}}");
    EXPECT_THAT(versions(), IsEmpty());
    EXPECT_THAT(logged(), AllOf(HasSubstr("error"), HasSubstr("serverProtos.json:2: onChat."),
                                HasSubstr("stay in use"), Not(HasSubstr("new protos"))));
    folder_.write("config/serverProtos.json", chat_protos);
    EXPECT_THAT(versions(), ElementsAre(chat_version));
}

TEST_F(proto_reload_test, never_takes_half_a_file) {
    start();
    for (std::size_t size = 0; size < chat_protos.size(); ++size) {
        // Closed between two parts, and for longer than the pause.
        folder_.write("config/serverProtos.json", chat_protos.substr(0, size));
        EXPECT_THAT(versions(), IsEmpty()) << size;
        EXPECT_THAT(logged(), HasSubstr("stay in use")) << size;
    }
    folder_.write("config/serverProtos.json", chat_protos);
    EXPECT_THAT(versions(), ElementsAre(chat_version));
}

TEST_F(proto_reload_test, sees_files_replaced_removed_and_made_again) {
    start();
    folder_.write("part", "{}");
    fs::rename(folder_.path() / "part", folder_.config() / "serverProtos.json");
    EXPECT_THAT(versions(), ElementsAre(Not(chat_version)));
    fs::remove(folder_.config() / "serverProtos.json");
    EXPECT_THAT(versions(), ElementsAre("")) << "neither file is there";
    folder_.write("config/serverProtos.json", chat_protos);
    EXPECT_THAT(versions(), ElementsAre(chat_version));
}

TEST_F(proto_reload_test, takes_a_burst_once) {
    start();
    for (int i = 0; i < 10; ++i) {
        folder_.write("config/serverProtos.json", "{}");
        folder_.write("config/clientProtos.json", chat_protos);
        loop_.restart();
        loop_.poll();
        clock_.advance(50ms);
    }
    EXPECT_THAT(versions(), SizeIs(1));
}

TEST_F(proto_reload_test, sees_the_files_of_the_env) {
    fs::remove(folder_.config() / "serverProtos.json");
    start();
    folder_.write("config/development/serverProtos.json", chat_protos);
    EXPECT_THAT(versions(), ElementsAre(chat_version));
    folder_.write("config/development/serverProtos.json", "{}");
    EXPECT_THAT(versions(), ElementsAre(Not(chat_version)));
    folder_.write("config/serverProtos.json", chat_protos);
    EXPECT_THAT(versions(), ElementsAre(chat_version)) << "it comes first";
}

TEST_F(proto_reload_test, takes_at_once_what_changed_before_its_start) {
    const auto before = read_protos(folder_.config(), "development").value()->version;
    folder_.write("config/serverProtos.json", "{}");
    reload_.start(before);
    EXPECT_THAT(versions_, ElementsAre(Not(chat_version)));
}

TEST_F(proto_reload_test, does_without_a_watch_and_says_so) {
    const auto version = read_protos(folder_.config(), "development").value()->version;
    {
        const test::no_descriptors none(loop_);
        reload_.start(version);
    }
    EXPECT_THAT(logged(), AllOf(HasSubstr("warn"), HasSubstr("Too many open files"),
                                HasSubstr("count after a restart")));
    EXPECT_THAT(versions(), IsEmpty());
    reload_.stop();
}

TEST_F(proto_reload_test, ends_with_stop) {
    start();
    folder_.write("config/serverProtos.json", "{}");
    loop_.restart();
    loop_.poll(); // pending
    reload_.stop();
    EXPECT_THAT(versions(), IsEmpty());
    folder_.write("config/serverProtos.json", "{}");
    EXPECT_THAT(versions(), IsEmpty());
}

} // namespace
} // namespace shaddock::node
