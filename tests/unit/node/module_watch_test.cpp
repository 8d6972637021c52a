#include "module_watch.hpp"

#include "../master/temp_folder.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <fstream>

namespace shaddock::node {
namespace {

using namespace std::chrono_literals;

/// A watched file; time is moved by hand, so that only what is told at once comes by itself.
class watched_module : public testing::Test {
protected:
    watched_module() {
        put("one");
        watch.start(stamps_of(files));
    }
    ~watched_module() override { watch.stop(); }

    void put(const std::string& text) const {
        std::ofstream(folder.path() / "new") << text;
        std::filesystem::rename(folder.path() / "new", file);
    }
    /// Until `count` reloads were asked for; false after a second without.
    bool asked(int count) {
        const auto limit = std::chrono::steady_clock::now() + 1s;
        while (reloads < count && std::chrono::steady_clock::now() < limit) {
            loop.restart();
            loop.run_one_for(10ms);
            clock.advance(0ms);
        }
        return reloads == count;
    }
    bool stays_quiet() {
        const auto before = reloads;
        for (int turn = 0; turn < 10; ++turn) {
            loop.restart();
            loop.run_one_for(5ms);
            clock.advance(100ms);
        }
        return reloads == before;
    }

    test::temp_folder folder;
    std::filesystem::path file = folder.path() / "chat.so";
    std::vector<module_file> files{{"chat.so", file}};
    boost::asio::io_context loop;
    base::manual_clock clock;
    int reloads = 0;
    base::unique_function<void()> over;
    module_watch watch{loop.get_executor(), clock, files, [this](auto when_over) {
                           ++reloads;
                           over = std::move(when_over);
                       }};
};

TEST_F(watched_module, is_reloaded_at_once_when_it_is_renamed_into_place) {
    EXPECT_TRUE(stays_quiet());
    put("two");
    EXPECT_TRUE(asked(1));
}

TEST_F(watched_module, is_reloaded_when_its_writing_has_ended) {
    std::ofstream(file, std::ios::app) << "more";
    EXPECT_FALSE(asked(1)) << "more may come";
    clock.advance(200ms);
    EXPECT_TRUE(asked(1));
}

TEST_F(watched_module, is_tried_once_for_each_change) {
    put("two");
    ASSERT_TRUE(asked(1));
    over();
    EXPECT_TRUE(stays_quiet());
    put("three");
    EXPECT_TRUE(asked(2));
}

TEST_F(watched_module, that_changes_during_a_reload_is_reloaded_after_it) {
    put("two");
    ASSERT_TRUE(asked(1));
    put("three");
    EXPECT_TRUE(stays_quiet());
    over();
    EXPECT_EQ(reloads, 2);
}

TEST_F(watched_module, that_is_gone_is_waited_for) {
    std::filesystem::remove(file);
    EXPECT_TRUE(stays_quiet());
    put("two");
    EXPECT_TRUE(asked(1));
}

TEST(module_watch, takes_what_has_changed_before_it_began) {
    const test::temp_folder folder;
    const std::vector<module_file> files{{"chat.so", folder.path() / "chat.so"}};
    std::ofstream(files[0].path) << "one";
    boost::asio::io_context loop;
    base::manual_clock clock;
    int reloads = 0;
    module_watch watch(loop.get_executor(), clock, files, [&](auto) { ++reloads; });
    auto loaded = stamps_of(files);
    loaded[0].size += 1;
    watch.start(loaded);
    EXPECT_EQ(reloads, 1);
    watch.stop();
}

} // namespace
} // namespace shaddock::node
