#include "bus/run_folder.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace shaddock::bus {

namespace {

class run_folder : public testing::Test {
protected:
    run_folder() {
        auto pattern = (std::filesystem::temp_directory_path() / "run-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error("cannot make a folder like " + pattern);
        }
        base = pattern;
    }
    ~run_folder() override {
        std::error_code ignored;
        std::filesystem::remove_all(base, ignored);
    }
    static unsigned mode_of(const std::filesystem::path& path) {
        struct stat found {};
        return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
    }
    std::filesystem::path base;
};

} // namespace

TEST_F(run_folder, is_made_for_its_user_alone) {
    const auto run = base / "some" / "where" / "run";
    ASSERT_TRUE(prepare_run_folder(run));
    EXPECT_EQ(mode_of(run), 0700U);
    EXPECT_TRUE(prepare_run_folder(run)) << "a second time";
    ASSERT_TRUE(prepare_run_folder(base / "with-a-slash/"));
    EXPECT_EQ(mode_of(base / "with-a-slash"), 0700U);
}

TEST_F(run_folder, is_refused_with_any_other_mode) {
    for (const mode_t mode : {0770, 0707, 0750, 0755, 0701, 0500}) {
        ASSERT_EQ(::chmod(base.c_str(), mode), 0);
        const auto prepared = prepare_run_folder(base);
        ASSERT_TRUE(prepared.has_error()) << mode;
        EXPECT_EQ(prepared.error().code(), errc::config);
        EXPECT_NE(prepared.error().text().find("chmod 700"), std::string::npos);
    }
    ASSERT_EQ(::chmod(base.c_str(), 0700), 0);
    EXPECT_TRUE(prepare_run_folder(base));
}

TEST_F(run_folder, is_refused_when_it_is_a_symbolic_link) {
    std::filesystem::create_directory(base / "real");
    ASSERT_EQ(::chmod((base / "real").c_str(), 0700), 0);
    std::filesystem::create_directory_symlink(base / "real", base / "link");
    std::filesystem::create_directory_symlink(base / "nowhere", base / "dangling");
    for (const auto* name : {"link", "link/", "dangling"}) {
        const auto prepared = prepare_run_folder(base / name);
        ASSERT_TRUE(prepared.has_error()) << name;
        EXPECT_NE(prepared.error().text().find("symbolic link"), std::string::npos);
    }
    EXPECT_TRUE(prepare_run_folder(base / "link" / "below")) << "parents may be links";
}

TEST_F(run_folder, is_refused_when_it_belongs_to_another_user) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give a folder away";
    }
    ASSERT_EQ(::chown(base.c_str(), 4242, -1), 0);
    const auto prepared = prepare_run_folder(base);
    ASSERT_TRUE(prepared.has_error());
    EXPECT_NE(prepared.error().text().find("belongs to user 4242"), std::string::npos);
}

TEST_F(run_folder, is_refused_when_it_is_a_file) {
    std::ofstream(base / "file") << "x";
    ASSERT_TRUE(prepare_run_folder(base / "file").has_error());
    ASSERT_TRUE(prepare_run_folder(base / "file" / "below").has_error());
}

TEST_F(run_folder, lock_is_held_until_dropped_and_names_the_pid) {
    EXPECT_FALSE(is_running(base, "a"));
    {
        const auto lock = run_lock::take(base, "a");
        ASSERT_TRUE(lock);
        EXPECT_TRUE(is_running(base, "a"));
        EXPECT_EQ(running_pid(base, "a"), ::getpid());
        EXPECT_EQ(mode_of(lock_path(base, "a")), 0600U);
        const auto second = run_lock::take(base, "a");
        ASSERT_TRUE(second.has_error());
        EXPECT_EQ(second.error().code(), errc::duplicate);
        EXPECT_NE(second.error().text().find(std::to_string(::getpid())), std::string::npos);
        EXPECT_TRUE(run_lock::take(base, "b"));
    }
    EXPECT_FALSE(is_running(base, "a"));
    EXPECT_EQ(running_pid(base, "a"), std::nullopt) << "the pid of a dead process";
    EXPECT_TRUE(run_lock::take(base, "a"));
}

TEST_F(run_folder, lock_ends_with_a_killed_process) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const auto child = ::fork();
    if (child == 0) {
        const auto lock = run_lock::take(base, "a");
        [[maybe_unused]] const auto told = ::write(ready[1], lock ? "y" : "n", 1);
        ::pause();
        ::_exit(0);
    }
    char answer = 0;
    EXPECT_EQ(::read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    EXPECT_EQ(running_pid(base, "a"), child);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_FALSE(is_running(base, "a"));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(run_folder, has_one_machine_for_all_of_its_processes) {
    const auto first = machine_id(base);
    ASSERT_TRUE(first) << first.error().text();
    EXPECT_EQ(first->size(), 32U);
    EXPECT_EQ(machine_id(base).value(), *first);
    EXPECT_EQ(mode_of(base / "machine"), 0600U);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(base), {}), 1) << "nothing else";
    const auto elsewhere = base / "other";
    ASSERT_TRUE(prepare_run_folder(elsewhere));
    EXPECT_NE(machine_id(elsewhere).value(), *first);
    std::ofstream(base / "machine") << "x\n";
    EXPECT_NE(machine_id(base).error().text().find("holds no id"), std::string::npos);
    EXPECT_NE(machine_id(base / "absent").error().text().find("cannot make"), std::string::npos);
}

} // namespace shaddock::bus
