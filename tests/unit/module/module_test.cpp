#include "module/module.hpp"

#include <shaddock/testing/fake_host.hpp>

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

namespace fs = std::filesystem;
namespace module = shaddock::module;
using shaddock::errc;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string sdk_abi = std::to_string(shaddock::door::sdk_abi);

class nothing_registered final : public shaddock::door::registration {
public:
    void handler(const shaddock::door::method_info&, shaddock::door::callable*) noexcept override {}
    void remote(const shaddock::door::method_info&, shaddock::door::callable*) noexcept override {}
    void route(std::string_view, shaddock::door::router*) noexcept override {}
    void filter(shaddock::door::global_filter*) noexcept override {}
    void hook(shaddock::door::hooks*) noexcept override {}
    void part(shaddock::door::component*) noexcept override {}
    void handshake(shaddock::door::handshake_hook*) noexcept override {}
};

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

    fs::path run;
};

TEST_F(module_loader, opens_creates_and_destroys) {
    shaddock::testing::fake_host host;
    nothing_registered into;
    module::loader loader(run, "s-1");
    auto first = loader.load(file("module_good"), "good");
    ASSERT_TRUE(first) << first.error().text();
    EXPECT_EQ((*first)->type(), "good");
    EXPECT_EQ((*first)->version(), "1.2.3");
    EXPECT_EQ((*first)->build_id().size(), 40U) << "the linker's SHA-1";
    EXPECT_EQ((*first)->number(), 1U);
    EXPECT_TRUE((*first)->create(host, into));
    (*first)->destroy();
    EXPECT_THAT(host.log_lines, ElementsAre("created 1", "destroyed"));
}

TEST_F(module_loader, gives_every_generation_its_own_data) {
    shaddock::testing::fake_host host;
    nothing_registered into;
    module::loader loader(run, "s-1");
    for (std::uint64_t number = 1; number <= 3; ++number) {
        auto next = loader.load(file("module_good"), "good");
        ASSERT_TRUE(next);
        EXPECT_EQ((*next)->number(), number);
        EXPECT_TRUE((*next)->create(host, into));
    }
    EXPECT_THAT(host.log_lines, ElementsAre("created 1", "destroyed", "created 1", "destroyed",
                                            "created 1", "destroyed"));
}

TEST_F(module_loader, survives_that_the_file_is_overwritten) {
    const auto mine = run / "mine.so";
    fs::copy_file(file("module_good"), mine);
    shaddock::testing::fake_host host;
    nothing_registered into;
    module::loader loader(run / "copies", "s-1");
    auto loaded = loader.load(mine, "good");
    ASSERT_TRUE(loaded);
    std::ofstream(mine, std::ios::trunc) << "garbage";
    EXPECT_TRUE((*loaded)->create(host, into));
    (*loaded)->destroy();
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
    EXPECT_TRUE(loader.list_routes(file("module_throws"), "throws"));
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
    shaddock::testing::fake_host host;
    nothing_registered into;
    module::loader loader(run, "s-1");
    auto loaded = loader.load(file("module_throws"), "throws");
    ASSERT_TRUE(loaded) << loaded.error().text();
    const auto created = (*loaded)->create(host, into);
    ASSERT_FALSE(created);
    EXPECT_THAT(created.error().text(), AllOf(HasSubstr("throws"), HasSubstr("no luck today")));
    EXPECT_FALSE((*loaded)->is_created());
}

TEST_F(module_loader, refuses_what_was_built_otherwise) {
    EXPECT_THAT(refusal("module_other_abi", "good"),
                AllOf(HasSubstr("found SDK 99, wanted SDK " + sdk_abi), HasSubstr("rebuild")));
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
    EXPECT_THAT(refusal("module_thread_local", "thread"), HasSubstr("thread_local"));
#if defined(__GNUC__) && !defined(__clang__)
    EXPECT_THAT(refusal("module_unique", "unique"), HasSubstr("found the shared object"));
#endif
}

TEST_F(module_loader, refuses_other_files) {
    module::loader loader(run, "s-1");
    const auto text = run / "text.so";
    std::ofstream(text) << "hello";
    EXPECT_THAT(loader.load(text, "good").error().text(), HasSubstr("text.so"));
    EXPECT_THAT(loader.load(run / "none.so", "good").error().text(), HasSubstr("none.so"));
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
    EXPECT_EQ(module::default_folder("/opt/shaddock/bin/host"), fs::path("/opt/shaddock/plugins"));
}

} // namespace
