#include "module/module.hpp"

#include "nothing_registered.hpp"

#include <shaddock/testing/fake_host.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace {

namespace fs = std::filesystem;
namespace module = shaddock::module;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

struct usage {
    double kib = 0;
    double mappings = 0;
};

/// What of this process is in memory, as smaps says, and in how many mappings.
usage now() {
    usage out;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        ++out.mappings;
    }
    std::ifstream rollup("/proc/self/smaps_rollup");
    for (std::string line; std::getline(rollup, line);) {
        if (line.starts_with("Rss:")) {
            out.kib = std::stod(line.substr(4));
        }
    }
    return out;
}

/// The whole chat, opened, created and destroyed again and again: what a generation leaves behind.
TEST(module_cost, of_a_generation_of_chat_is_45_kib_and_5_mappings_at_most) {
    if (is_sanitized) {
        GTEST_SKIP() << "a sanitizer's shadow and red zones are not the module's";
    }
    std::string pattern = (fs::temp_directory_path() / "shaddock-cost-XXXXXX").string();
    const fs::path run = mkdtemp(pattern.data());
    usage before;
    usage after;
    constexpr int generations = 100;
    {
        module::loader loader(run, "s-1");
        const auto reload = [&loader] {
            shaddock::module_test::nothing_registered into;
            shaddock::testing::fake_host host;
            const auto opened =
                loader.load(fs::path(SHADDOCK_TEST_PLUGINS) / "chat.so", "chat").value();
            std::string failed;
            auto* made = opened.door().create(host, into, &failed);
            ASSERT_NE(made, nullptr) << failed;
            opened.door().destroy(made);
        };
        for (int i = 0; i < 20; ++i) {
            reload(); // until the allocator and the symbol tables have what they need
        }
        before = now();
        for (int i = 0; i < generations; ++i) {
            reload();
        }
        after = now();
    }
    fs::remove_all(run);
    const double kib = (after.kib - before.kib) / generations;
    const double mappings = (after.mappings - before.mappings) / generations;
    RecordProperty("kib", std::to_string(kib));
    std::printf("a generation of chat: %.1f KiB resident, %.2f mappings\n", kib, mappings);
    EXPECT_LE(kib, 45);
    EXPECT_LE(mappings, 5);
    EXPECT_GE(mappings, 3) << "it stays mapped";
}

} // namespace
