#include "base/file_watch.hpp"

#include "../master/temp_folder.hpp"
#include "no_descriptors.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>

#include <memory>

namespace shaddock::base {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

/// The kernel has queued an event by the time the call that caused it returns: what a test did is
/// seen at the next poll, and time passes by hand.
class file_watch_test : public testing::Test {
protected:
    fs::path at(std::string_view name) const { return folder_.path() / name; }
    void write(std::string_view name, std::string_view text = "x") const {
        folder_.write(name, text);
    }
    /// Puts a file in place by renaming, as editors do.
    void put(std::string_view name) const {
        write("elsewhere/part");
        fs::rename(at("elsewhere/part"), at(name));
    }
    void watch(const std::vector<std::string>& names) {
        std::vector<fs::path> files;
        for (const auto& name : names) {
            files.push_back(at(name));
        }
        const auto started = watch_.start(files);
        ASSERT_TRUE(started) << started.error().text();
    }
    /// What has happened is seen, and then so much time passes. Returns how often it was told.
    int told(duration later = 1s) {
        see();
        clock_.advance(later);
        return std::exchange(calls_, 0);
    }
    void see() {
        loop_.restart();
        loop_.poll();
    }

    boost::asio::io_context loop_;
    manual_clock clock_;
    test::temp_folder folder_;
    int calls_ = 0;
    file_watch watch_{loop_.get_executor(), clock_, [this] { ++calls_; }, 200ms};
};

TEST_F(file_watch_test, tells_nothing_of_what_was_before) {
    write("a");
    watch({"a", "b"});
    EXPECT_EQ(told(1h), 0);
}

TEST_F(file_watch_test, tells_that_a_file_was_written) {
    write("a");
    watch({"a"});
    write("a", "y");
    EXPECT_EQ(told(199ms), 0);
    EXPECT_EQ(told(1ms), 1);
    EXPECT_EQ(told(1h), 0);
    write("a", "y"); // the same text again
    EXPECT_EQ(told(), 1);
}

TEST_F(file_watch_test, tells_that_a_file_came_and_went) {
    watch({"a"});
    write("a");
    EXPECT_EQ(told(), 1);
    fs::remove(at("a"));
    EXPECT_EQ(told(), 1);
    write("a");
    EXPECT_EQ(told(), 1);
    fs::rename(at("a"), at("b"));
    EXPECT_EQ(told(), 1);
}

TEST_F(file_watch_test, tells_that_a_file_was_replaced) {
    write("a");
    watch({"a"});
    for (int i = 0; i < 3; ++i) {
        put("a");
        EXPECT_EQ(told(), 1);
    }
    write("b");
    fs::remove(at("a"));
    fs::create_hard_link(at("b"), at("a"));
    EXPECT_EQ(told(), 1);
    fs::create_symlink(at("b"), at("c"));
    EXPECT_EQ(told(), 0);
    fs::rename(at("c"), at("a"));
    EXPECT_EQ(told(), 1);
}

TEST_F(file_watch_test, waits_for_the_writer_to_close) {
    watch({"a"});
    std::ofstream writer(at("a"));
    writer << "one" << std::flush;
    EXPECT_EQ(told(), 0);
    writer << "two" << std::flush;
    EXPECT_EQ(told(), 0);
    writer.close();
    EXPECT_EQ(told(), 1);
}

TEST_F(file_watch_test, tells_a_burst_once) {
    watch({"a", "b"});
    for (int i = 0; i < 10; ++i) {
        write("a");
        put("b");
        EXPECT_EQ(told(100ms), 0);
    }
    EXPECT_EQ(told(100ms), 1);
    EXPECT_EQ(told(1h), 0);
}

TEST_F(file_watch_test, is_not_put_off_for_ever) {
    watch({"a"});
    int calls = 0;
    for (int i = 0; i < 100; ++i) {
        write("a");
        calls += told(100ms);
    }
    // Ten seconds of writing without a pause, told every two.
    EXPECT_EQ(calls, 5);
}

TEST_F(file_watch_test, leaves_other_files_alone) {
    write("a");
    watch({"a"});
    write("b");
    put("c");
    fs::create_directory(at("d"));
    EXPECT_EQ(told(), 0);
    write("d/a");
    EXPECT_EQ(told(), 0);
}

TEST_F(file_watch_test, is_not_put_off_by_other_files) {
    watch({"a"});
    write("a");
    see();
    clock_.advance(150ms);
    write("b");
    EXPECT_EQ(told(50ms), 1);
}

TEST_F(file_watch_test, waits_for_folders_that_are_missing) {
    watch({"one/two/a"});
    fs::create_directory(at("one"));
    EXPECT_EQ(told(), 0);
    fs::create_directory(at("one/two"));
    EXPECT_EQ(told(), 0);
    write("one/two/a");
    EXPECT_EQ(told(), 1);
    write("one/two/a");
    EXPECT_EQ(told(), 1);
}

TEST_F(file_watch_test, finds_a_file_that_came_with_its_folder) {
    watch({"one/two/a"});
    write("new/two/a");
    fs::rename(at("new"), at("one"));
    EXPECT_EQ(told(), 1);
    write("one/two/a");
    EXPECT_EQ(told(), 1);
}

TEST_F(file_watch_test, follows_a_folder_that_is_replaced) {
    write("one/a");
    watch({"one/a"});
    write("two/a");
    fs::rename(at("one"), at("old"));
    fs::rename(at("two"), at("one"));
    EXPECT_EQ(told(), 1);
    write("old/a");
    EXPECT_EQ(told(), 0);
    write("one/a");
    EXPECT_EQ(told(), 1);
    fs::remove_all(at("one"));
    EXPECT_EQ(told(), 1);
    write("one/a");
    EXPECT_EQ(told(), 1);
}

TEST_F(file_watch_test, follows_a_link_to_a_folder_that_is_turned) {
    write("v1/etc/a");
    write("v2/etc/a");
    fs::create_directory_symlink(at("v1"), at("now"));
    watch({"now/etc/a"});
    fs::create_directory_symlink(at("v2"), at("next"));
    EXPECT_EQ(told(), 0);
    fs::rename(at("next"), at("now"));
    EXPECT_EQ(told(), 1);
    write("v2/etc/a");
    EXPECT_EQ(told(), 1);
    write("v1/etc/a");
    EXPECT_EQ(told(), 0);
}

TEST_F(file_watch_test, sees_a_link_beside_the_file_turned) {
    // As Kubernetes mounts a ConfigMap: the file's own link never changes.
    write("v1/a");
    write("v2/a");
    fs::create_directory_symlink(at("v1"), at("data"));
    fs::create_symlink("data/a", at("a"));
    watch({"a"});
    fs::create_directory_symlink(at("v2"), at("next"));
    fs::rename(at("next"), at("data"));
    EXPECT_EQ(told(), 1);
}

TEST_F(file_watch_test, tells_nothing_once_stopped) {
    watch({"a"});
    write("a");
    see(); // pending
    watch_.stop();
    EXPECT_EQ(told(1h), 0);
    write("a"); // not seen
    EXPECT_EQ(told(1h), 0);
    watch({"a"});
    EXPECT_EQ(told(1h), 0);
    write("a");
    EXPECT_EQ(told(), 1);
    write("a");
    watch_.stop();
    EXPECT_EQ(told(1h), 0);
}

TEST_F(file_watch_test, may_be_stopped_in_its_call) {
    std::unique_ptr<file_watch> own;
    int calls = 0;
    own = std::make_unique<file_watch>(loop_.get_executor(), clock_, [&] {
        ++calls;
        own->stop();
    });
    ASSERT_TRUE(own->start({at("a")}));
    write("a");
    see();
    clock_.advance(1s);
    write("a");
    see();
    clock_.advance(1s);
    EXPECT_EQ(calls, 1);
}

TEST_F(file_watch_test, may_be_destroyed_with_an_event_on_its_way) {
    auto own = std::make_unique<file_watch>(loop_.get_executor(), clock_, [this] { ++calls_; });
    ASSERT_TRUE(own->start({at("a")}));
    write("a");
    own.reset();
    EXPECT_EQ(told(1h), 0);
}

TEST_F(file_watch_test, says_that_the_system_has_no_watch_to_give) {
    const auto started = [&] {
        const test::no_descriptors none(loop_);
        return watch_.start({at("a")});
    }();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), errc::internal);
    EXPECT_THAT(started.error().text(),
                testing::AllOf(testing::HasSubstr(at("a").string()),
                               testing::HasSubstr("Too many open files"),
                               testing::HasSubstr("fs.inotify.max_user_watches")));
    watch({"a"});
    write("a");
    EXPECT_EQ(told(), 1) << "the next start is a start";
}

TEST_F(file_watch_test, keeps_time_by_the_clock_of_a_loop_too) {
    steady_clock real(loop_.get_executor());
    bool is_told = false;
    file_watch own(
        loop_.get_executor(), real, [&] { is_told = true; }, 5ms);
    ASSERT_TRUE(own.start({at("a")}));
    write("a");
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!is_told && std::chrono::steady_clock::now() < until) {
        loop_.run_one_until(until);
    }
    EXPECT_TRUE(is_told);
}

} // namespace
} // namespace shaddock::base
