#include "raw_client.hpp"
#include "test_system.hpp"
#include "texts.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

namespace shaddock::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

const fs::path module_folder = SHADDOCK_TEST_MODULES;
const fs::path built_plugins = fs::path(SHADDOCK_HOST).parent_path() / "../plugins";

/// One chat server that clients reach directly, without a master, as a developer has it: its module
/// is watched. The module counts what it was asked; the count is state, it crosses.
class reload_by_hand : public testing::Test {
protected:
    void SetUp() override {
        fs::create_directory(system.path("plugins"));
        system.write("config/servers.json",
                     fmt::format(R"({{"chat": [{{"id": "chat-server-1", "host": "127.0.0.1",
                                                "clientPort": {}, "frontend": true}}]}})",
                                 system.gate_port));
        system.write("config/host.yaml", fmt::format("types: {{chat: {{modules: [{}]}}}}\n"
                                                     "web: {{port: {}}}\n",
                                                     module.string(), system.web_port));
        install(module_folder / "module_probe.so");
        server = std::make_unique<host_process>(
            system.path(), std::vector<std::string>{"--type", "chat", "--id", "chat-server-1"});
        ASSERT_TRUE(server->says("chat-server-1 serves")) << server->text();
        client = std::make_unique<raw_client>(system.gate_port);
    }
    void TearDown() override {
        client.reset();
        server->signal(SIGTERM);
        EXPECT_EQ(server->end().status, 0) << server->text();
        EXPECT_FALSE(fs::exists(system.path("run/chat-server-1@check")));
    }

    /// As the build does: under another name first.
    void install(const fs::path& from) const {
        auto temporary = module;
        temporary += ".new";
        fs::copy_file(from, temporary, fs::copy_options::overwrite_existing);
        fs::rename(temporary, module);
    }
    void install_bytes(const std::string& bytes) const {
        std::ofstream(system.path("bytes"), std::ios::binary) << bytes;
        install(system.path("bytes"));
    }
    std::string ask() {
        const auto said = client->ask("chat.probeHandler.ask", "{}");
        EXPECT_THAT(said, HasSubstr(fmt::format("\"asked\":{},", asked_++)));
        return said;
    }
    /// How long it took until the answers are of that version.
    std::chrono::milliseconds until_answered_by(std::string_view version) {
        const auto begun = std::chrono::steady_clock::now();
        const auto limit = begun + 20s;
        const auto wanted = fmt::format("\"version\":\"{}\"", version);
        while (ask().find(wanted) == std::string::npos) {
            if (std::chrono::steady_clock::now() > limit) {
                ADD_FAILURE() << "no answer by " << version << "\n" << server->text();
                break;
            }
        }
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begun);
    }
    /// A change that is refused for this reason, said once; the old code answers on.
    void is_refused(const std::string& what, const std::string& reason) {
        const auto before = count_of(server->text(), "reload refused");
        ASSERT_TRUE(server->says(reason, 20s)) << what << ": " << server->text();
        EXPECT_THAT(ask(), HasSubstr("\"version\":\"1.2.3\"")) << what;
        EXPECT_EQ(count_of(server->text(), "reload refused"), before + 1) << server->text();
        EXPECT_EQ(count_of(server->text(), reason), 1U) << what << ": " << server->text();
    }

    test_system system;
    fs::path module = system.path("plugins/chat.so");
    std::unique_ptr<host_process> server;
    std::unique_ptr<raw_client> client;

private:
    int asked_ = 0;
};

TEST_F(reload_by_hand, answers_by_new_code_within_a_second_of_the_finished_file) {
    EXPECT_THAT(ask(), HasSubstr("\"version\":\"1.2.3\""));
    auto fastest = 20000ms;
    for (const auto& [name, version] : {std::pair("module_probe_next.so", "2.0.0"),
                                        {"module_probe.so", "1.2.3"},
                                        {"module_probe_next.so", "2.0.0"}}) {
        install(module_folder / name);
        fastest = std::min(fastest, until_answered_by(version));
    }
    // The other two may have met a busy machine.
    EXPECT_LT(fastest, 1s);
    RecordProperty("fastest_ms", static_cast<int>(fastest.count()));
    ASSERT_TRUE(server->says("generation 4)")) << server->text();
    EXPECT_THAT(server->text(), HasSubstr("chat-server-1: reload in "));
}

TEST_F(reload_by_hand, takes_a_file_that_is_written_in_place) {
    fs::copy_file(module_folder / "module_probe_next.so", module,
                  fs::copy_options::overwrite_existing);
    until_answered_by("2.0.0");
}

TEST_F(reload_by_hand, is_not_harmed_by_a_bad_module) {
    const auto good = text_of(module_folder / "module_probe_next.so");
    install_bytes("no library at all");
    is_refused("not ELF", "found no ELF file");
    install_bytes(good.substr(0, good.size() / 2));
    is_refused("truncated", "it is cut off");
    install(built_plugins / "gate.so");
    is_refused("other type", "found server type 'gate', wanted 'chat'");
    install(module_folder / "module_throws_create.so");
    is_refused("throwing create", "no luck today");
    install(module_folder / "module_throws_setup.so");
    is_refused("throwing setup", "no luck in setup");
    install(module_folder / "module_crashes.so");
    is_refused("crashing setup", "in create or setup");
    install(module_folder / "module_spins.so");
    is_refused("spinning setup", "found no end of create and setup within 2000 ms");
    install(module_folder / "module_doubles_route.so");
    is_refused("duplicate route", "route 'chat.probeHandler.ask' is registered twice");
    install(module_folder / "module_refuses_state.so");
    is_refused("failed restore", "cannot read the state of version 1.2.3");
    install(module_folder / "module_probe_next.so");
    until_answered_by("2.0.0");
}

TEST_F(reload_by_hand, opens_nothing_that_is_not_a_sealed_module_of_this_host) {
    auto foreign = text_of(module_folder / "module_probe_next.so");
    foreign[18] = '\xb7'; // e_machine
    install_bytes(foreign);
    is_refused("other architecture", "another architecture (64-bit ARM");
    install(module_folder / "module_no_door.so");
    is_refused("no door", "no symbol shaddock_plugin_door");
    install(module_folder / "module_older_door.so");
    is_refused("older door", "found SDK 2, wanted SDK ");
    install(module_folder / "module_other_fingerprint.so");
    is_refused("other fingerprint", "found build 'sdk 3; boost 1'");
    install(module_folder / "module_thread_local.so");
    is_refused("thread_local destructor", "a thread_local object with a destructor");
    install(module_folder / "module_undefined.so");
    is_refused("undefined symbol", "the undefined symbol ");
    if (fs::exists(module_folder / "module_unique.so")) { // GCC makes them
        install(module_folder / "module_unique.so");
        is_refused("unsealed", "wanted a sealed plugin: a later version would read");
    }
    auto temporary = module;
    temporary += ".new";
    fs::copy_file(module_folder / "module_probe_next.so", temporary);
    fs::permissions(temporary, fs::perms(0666));
    fs::rename(temporary, module);
    is_refused("world-writable file", "found mode 0666");
    fs::create_symlink(module_folder / "module_probe_next.so", temporary);
    fs::rename(temporary, module);
    is_refused("link leaving the folder", "a link that leads to ");
}

class check_verb : public testing::Test {
protected:
    outcome check(const fs::path& module, const std::string& type) const {
        return system.run({"check", "--module", module.string(), "--type", type});
    }
    test_system system;
};

TEST_F(check_verb, is_silent_about_a_good_module) {
    for (const auto* const type : {"gate", "connector", "chat"}) {
        const auto said = check(built_plugins / fmt::format("{}.so", type), type);
        EXPECT_EQ(said.status, 0) << said.text;
        EXPECT_EQ(said.text, "");
    }
}

TEST_F(check_verb, warns_of_a_stop_that_writes_too_late) {
    const auto module = module_folder / "module_probe.so";
    const auto said = check(module, "chat");
    EXPECT_EQ(said.status, 0);
    EXPECT_EQ(said.text, "warning: " + module.string() +
                             ": component 'probe': its stop() runs after a reload too, when newer "
                             "code serves already: write what must not be lost in on_replacing(), "
                             "and take stop(shaddock::stop_reason)\n");
}

TEST_F(check_verb, names_what_is_wrong_with_a_bad_one) {
    const auto wrong = check(built_plugins / "gate.so", "chat");
    EXPECT_EQ(wrong.status, 1);
    EXPECT_THAT(wrong.text, StartsWith("host: "));
    EXPECT_THAT(wrong.text, HasSubstr("found server type 'gate', wanted 'chat'"));
    EXPECT_EQ(count_of(wrong.text, "\n"), 1U) << wrong.text;
    const auto throws = check(module_folder / "module_throws_setup.so", "chat");
    EXPECT_EQ(throws.status, 1);
    EXPECT_THAT(throws.text, HasSubstr("component 'probe' did not start"));
    EXPECT_EQ(count_of(throws.text, "\n"), 1U) << throws.text;
    const auto spins = check(module_folder / "module_spins.so", "chat");
    EXPECT_EQ(spins.status, 1);
    EXPECT_THAT(spins.text, HasSubstr("found no end of create and setup"));
    EXPECT_EQ(check("/nowhere/chat.so", "chat").status, 1);
}

} // namespace
} // namespace shaddock::test
