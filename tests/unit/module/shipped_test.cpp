#include "elf.hpp"

#include <shaddock/door.hpp>
#include <shaddock/fingerprint.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace {

namespace fs = std::filesystem;

std::string output_of(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), &pclose);
    std::string all;
    std::array<char, 4096> part{};
    while (pipe != nullptr && std::fgets(part.data(), part.size(), pipe.get()) != nullptr) {
        all += part.data();
    }
    return all;
}

class shipped_plugin : public testing::TestWithParam<const char*> {
protected:
    fs::path file() const {
        return fs::path(SHADDOCK_TEST_PLUGINS) / (std::string(GetParam()) + ".so");
    }
};

TEST_P(shipped_plugin, exports_its_door_and_nothing_else) {
    EXPECT_EQ(output_of("nm -D --defined-only --format=just-symbols '" + file().string() + "'"),
              "shaddock_plugin_door\n");
}

TEST_P(shipped_plugin, is_sealed) {
    std::ifstream in(file(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const auto facts = shaddock::module::read_elf(bytes, bytes.size());
    ASSERT_TRUE(facts) << facts.error().text();
    ASSERT_TRUE(facts->door);
    EXPECT_EQ(facts->door->abi, shaddock::door::sdk_abi);
    EXPECT_EQ(facts->door->struct_size, sizeof(shaddock::door::plugin_door));
    EXPECT_EQ(facts->door->fingerprint, shaddock::fingerprint);
    EXPECT_EQ(facts->door->type, GetParam());
    EXPECT_FALSE(facts->has_text_relocations);
    EXPECT_EQ(facts->unique_symbol, "");
    EXPECT_FALSE(facts->imports_thread_atexit);
    EXPECT_EQ(facts->build_id.size(), 40U);
}

INSTANTIATE_TEST_SUITE_P(of_the_default_system, shipped_plugin,
                         testing::Values("gate", "connector", "chat", "time"));

} // namespace
