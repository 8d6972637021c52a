#include "module/module.hpp"

#include "nothing_registered.hpp"

#include "base/log.hpp"

#include <shaddock/testing/fake_host.hpp>

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

namespace fs = std::filesystem;
namespace module = shaddock::module;
using shaddock::errc;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing::UnorderedElementsAre;

const std::string sdk_abi = std::to_string(shaddock::door::sdk_abi);

class module_loader : public testing::Test {
protected:
    module_loader() {
        std::string pattern = (fs::temp_directory_path() / "shaddock-module-XXXXXX").string();
        run = mkdtemp(pattern.data());
    }
    ~module_loader() override { fs::remove_all(run); }

    static fs::path file(const std::string& name) {
        return fs::path(SHADDOCK_TEST_MODULES) / (name + ".so");
    }
    std::string refusal(const std::string& name, std::string_view type) {
        module::loader loader(run, "s-1");
        const auto loaded = loader.load(file(name), type);
        if (loaded) {
            return "(loaded)";
        }
        EXPECT_EQ(loaded.error().code(), errc::config);
        EXPECT_THAT(loaded.error().text(), HasSubstr(name + ".so: found "));
        return loaded.error().text();
    }
    std::size_t copies() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(run), fs::directory_iterator()));
    }

    /// Creates the plugin and destroys it; what it threw, else nothing.
    std::string live(const module::library& opened) {
        std::string failed;
        auto* made = opened.door().create(host, into, &failed);
        if (made != nullptr) {
            opened.door().destroy(made);
        }
        return failed;
    }

    fs::path run;
    shaddock::testing::fake_host host;
    shaddock::module_test::nothing_registered into;
};

TEST_F(module_loader, opens_creates_and_destroys) {
    module::loader loader(run, "s-1");
    auto first = loader.load(file("module_good"), "good");
    ASSERT_TRUE(first) << first.error().text();
    EXPECT_EQ(first->type(), "good");
    EXPECT_EQ(first->version(), "1.2.3");
    EXPECT_EQ(first->build_id().size(), 40U) << "the linker's SHA-1";
    EXPECT_EQ(first->number(), 1U);
    EXPECT_EQ(live(*first), "");
    EXPECT_THAT(host.log_lines, ElementsAre("created 1", "destroyed"));
}

TEST_F(module_loader, gives_every_generation_its_own_data) {
    module::loader loader(run, "s-1");
    for (std::uint64_t number = 1; number <= 3; ++number) {
        auto next = loader.load(file("module_good"), "good");
        ASSERT_TRUE(next);
        EXPECT_EQ(next->number(), number);
        EXPECT_EQ(live(*next), "");
    }
    EXPECT_THAT(host.log_lines, ElementsAre("created 1", "destroyed", "created 1", "destroyed",
                                            "created 1", "destroyed"));
}

TEST_F(module_loader, survives_that_the_file_is_overwritten) {
    const auto mine = run / "mine.so";
    fs::copy_file(file("module_good"), mine);
    module::loader loader(run / "copies", "s-1");
    auto loaded = loader.load(mine, "good");
    ASSERT_TRUE(loaded);
    std::ofstream(mine, std::ios::trunc) << "garbage";
    EXPECT_EQ(live(*loaded), "");
    EXPECT_EQ(host.log_lines.size(), 2U);
}

TEST_F(module_loader, lists_routes_without_creating_anything) {
    module::loader loader(run, "s-1");
    const auto found = loader.list_routes(file("module_good"), "good");
    ASSERT_TRUE(found) << found.error().text();
    ASSERT_EQ(found->handlers.size(), 1U);
    EXPECT_EQ(found->handlers[0].object, "goodHandler");
    EXPECT_EQ(found->handlers[0].method, "go");
    EXPECT_TRUE(found->handlers[0].is_serial);
    ASSERT_EQ(found->remotes.size(), 1U);
    EXPECT_EQ(found->remotes[0].contract, 42U);
    ASSERT_EQ(found->calls.size(), 1U);
    EXPECT_EQ(found->calls[0].route, "chat.chatRemote.add");
    EXPECT_EQ(found->calls[0].contract, 7U);
    EXPECT_TRUE(loader.list_routes(file("module_throws"), "throws"));
}

TEST_F(module_loader, keeps_the_last_two_copies_of_each_file) {
    module::loader loader(run, "s-1");
    const auto names = [this] {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator(run)) {
            all.push_back(entry.path().filename().string());
        }
        return all;
    };
    const auto first = loader.load(file("module_good"), "good");
    ASSERT_TRUE(loader.load(file("module_good"), "good"));
    ASSERT_TRUE(loader.load(file("module_probe"), "chat"));
    ASSERT_TRUE(loader.load(file("module_good"), "good"));
    EXPECT_THAT(names(), UnorderedElementsAre("s-1@2@module_good.so", "s-1@3@module_probe.so",
                                              "s-1@4@module_good.so"));
    EXPECT_EQ(live(*first), "") << "its copy is gone, its code is not";
    EXPECT_EQ(loader.opened(), 4U);
}

TEST_F(module_loader, copies_what_is_opened_and_no_more) {
    module::loader loader(run, "s-1");
    ASSERT_TRUE(loader.load(file("module_probe"), "chat"));
    const auto copy = run / "s-1@1@module_probe.so";
    EXPECT_LT(fs::file_size(copy), fs::file_size(file("module_probe")));
    EXPECT_EQ(fs::status(copy).permissions(), fs::perms::owner_read | fs::perms::owner_exec);
}

TEST_F(module_loader, leaves_no_copy_of_a_refused_file) {
    module::loader loader(run, "s-1");
    EXPECT_FALSE(loader.load(file("module_undefined"), "chat"));
    EXPECT_FALSE(loader.load(file("module_good"), "chat"));
    EXPECT_FALSE(loader.load(file("module_other_fingerprint"), "good"));
    EXPECT_EQ(copies(), 0U);
    EXPECT_EQ(loader.opened(), 0U) << "and nothing of them is mapped";
}

TEST_F(module_loader, opens_so_many_files_and_no_more) {
    module::loader loader(run, "s-1", {.most = 2});
    const auto first = loader.load(file("module_good"), "good");
    ASSERT_TRUE(first);
    EXPECT_TRUE(loader.list_routes(file("module_good"), "good"));
    const auto third = loader.load(file("module_good"), "good");
    ASSERT_FALSE(third);
    EXPECT_THAT(third.error().text(),
                AllOf(HasSubstr("module_good.so: found 2 modules opened since the start, wanted "
                                "fewer than 2"),
                      HasSubstr("restart the server")));
    EXPECT_EQ(live(*first), "");
    EXPECT_EQ(module::limits{}.most, 10'000U);
}

TEST_F(module_loader, warns_from_a_thousand_on) {
    EXPECT_EQ(module::limits{}.warn_from, 1'000U);
    EXPECT_EQ(module::limits{}.warn_every, 100U);
    const auto log = run / "log";
    shaddock::base::log::start("s-1", {.file = log, .console = false});
    module::loader loader(run / "copies", "s-1", {.warn_from = 3, .warn_every = 2});
    for (int i = 1; i <= 6; ++i) {
        EXPECT_TRUE(loader.load(file("module_good"), "good"));
    }
    shaddock::base::log::stop();
    std::ifstream in(log);
    std::vector<std::string> warnings;
    for (std::string line; std::getline(in, line);) {
        if (line.find("modules opened") != std::string::npos) {
            warnings.push_back(line);
        }
    }
    EXPECT_THAT(warnings,
                ElementsAre(HasSubstr("3 modules opened"), HasSubstr("5 modules opened")));
}

/// A rollback needs no file: what was opened before can take over again.
TEST_F(module_loader, keeps_older_libraries_usable) {
    const auto mine = run / "chat.so";
    fs::copy_file(file("module_probe"), mine);
    module::loader loader(run / "copies", "s-1");
    std::vector<module::library> all;
    for (int i = 0; i < 5; ++i) {
        all.push_back(loader.load(mine, "chat").value());
    }
    fs::remove(mine);
    for (const auto& one : all) {
        EXPECT_EQ(live(one), "") << one.number();
        EXPECT_EQ(one.version(), "1.2.3");
    }
}

TEST_F(module_loader, opens_what_only_goes_wrong_later) {
    for (const auto* name : {"module_spins", "module_crashes", "module_throws_setup",
                             "module_refuses_state", "module_doubles_route", "module_probe_next"}) {
        module::loader loader(run, "s-1");
        const auto opened = loader.load(file(name), "chat");
        ASSERT_TRUE(opened) << opened.error().text();
        EXPECT_EQ(live(*opened), "") << name;
    }
    module::loader loader(run, "s-1");
    const auto opened = loader.load(file("module_throws_create"), "chat");
    ASSERT_TRUE(opened) << opened.error().text();
    EXPECT_THAT(live(*opened), HasSubstr("no luck today"));
}

TEST_F(module_loader, removes_its_copies_and_those_of_an_earlier_life) {
    std::ofstream(run / "s-1@9@chat.so") << "left over";
    std::ofstream(run / "s-1-9@9@chat.so") << "not mine";
    {
        module::loader loader(run, "s-1");
        EXPECT_EQ(copies(), 1U);
        EXPECT_TRUE(loader.load(file("module_good"), "good"));
        EXPECT_EQ(copies(), 2U);
    }
    EXPECT_EQ(copies(), 1U);
}

TEST_F(module_loader, says_what_a_plugin_threw) {
    module::loader loader(run, "s-1");
    auto loaded = loader.load(file("module_throws"), "throws");
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_THAT(live(*loaded), HasSubstr("no luck today"));
}

TEST_F(module_loader, refuses_what_was_built_otherwise) {
    EXPECT_THAT(refusal("module_other_abi", "good"),
                AllOf(HasSubstr("found SDK 99, wanted SDK " + sdk_abi), HasSubstr("rebuild")));
    EXPECT_THAT(refusal("module_older_door", "good"),
                AllOf(HasSubstr("found SDK 2, wanted SDK " + sdk_abi), HasSubstr("rebuild")));
    EXPECT_THAT(refusal("module_other_size", "good"),
                AllOf(HasSubstr("a door of 8 bytes"), HasSubstr("rebuild")));
    EXPECT_THAT(refusal("module_other_fingerprint", "good"),
                AllOf(HasSubstr("found build 'sdk 3; boost 1', wanted 'sdk " + sdk_abi + "; lib"),
                      HasSubstr("rebuild")));
    EXPECT_THAT(
        refusal("module_good", "chat"),
        AllOf(HasSubstr("found server type 'good', wanted 'chat'"), HasSubstr("host.yaml")));
}

TEST_F(module_loader, refuses_what_is_not_a_sealed_plugin) {
    EXPECT_THAT(refusal("module_no_door", "good"), HasSubstr("no symbol shaddock_plugin_door"));
    EXPECT_THAT(refusal("module_thread_local", "thread"), HasSubstr("found a thread_local object"));
    EXPECT_THAT(refusal("module_undefined", "chat"),
                AllOf(HasSubstr("found the undefined symbol elsewhere::not_in_any_library(int)"),
                      HasSubstr("LINK")));
#if defined(__GNUC__) && !defined(__clang__)
    EXPECT_THAT(refusal("module_unique", "unique"), HasSubstr("found the shared object"));
#endif
}

TEST_F(module_loader, refuses_other_files) {
    module::loader loader(run, "s-1");
    const auto text_of = [&loader](const fs::path& of) {
        const auto loaded = loader.load(of, "good");
        return loaded ? "(loaded)" : std::string(loaded.error().text());
    };
    const auto mine = run / "mine.so";
    std::ofstream(mine) << "hello";
    EXPECT_THAT(text_of(mine), StartsWith(mine.string() + ": found no ELF file"));
    EXPECT_THAT(text_of(run / "none.so"),
                StartsWith((run / "none.so").string() + ": found No such file"));
    fs::copy_file(file("module_good"), mine, fs::copy_options::overwrite_existing);
    fs::permissions(mine, fs::perms::all);
    EXPECT_THAT(text_of(mine), StartsWith(mine.string() + ": found mode 0777"));
    fs::permissions(mine, fs::perms::owner_all);
    fs::resize_file(mine, fs::file_size(mine) - 1);
    EXPECT_THAT(text_of(mine), HasSubstr("it is cut off"));
    EXPECT_EQ(loader.opened(), 0U);
}

TEST(module_find, takes_names_with_and_without_suffix_and_absolute_paths) {
    const fs::path folder = SHADDOCK_TEST_MODULES;
    EXPECT_EQ(module::find(folder, "module_good").value(), folder / "module_good.so");
    EXPECT_EQ(module::find(folder, "module_good.so").value(), folder / "module_good.so");
    EXPECT_EQ(module::find("/nowhere", (folder / "module_good.so").string()).value(),
              folder / "module_good.so");
}

TEST(module_find, names_the_place_and_what_is_there) {
    const auto missing = module::find(SHADDOCK_TEST_MODULES, "chatt");
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().text(), AllOf(HasSubstr("chatt.so"), HasSubstr("module_good.so")));
}

TEST(module_find, looks_beside_the_host_of_a_build_and_in_lib_of_an_installation) {
    const auto root =
        fs::path(testing::TempDir()) / ("shaddock_module_folder." + std::to_string(::getpid()));
    fs::create_directories(root / "lib/shaddock/plugins");
    EXPECT_EQ(module::default_folder(root / "bin/host"), root / "lib/shaddock/plugins");
    fs::create_directories(root / "plugins");
    EXPECT_EQ(module::default_folder(root / "bin/host"), root / "plugins");
    fs::remove_all(root);
    EXPECT_EQ(module::default_folder(root / "bin/host"), root / "plugins");
}

} // namespace
