#include "elf.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
}

class scratch_file {
public:
    scratch_file() {
        std::string pattern = (fs::temp_directory_path() / "shaddock-elf-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
    }
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;
    ~scratch_file() { fs::remove_all(folder_); }
    fs::path write(const std::string& bytes) const {
        std::ofstream(folder_ / "x.so", std::ios::binary | std::ios::trunc) << bytes;
        return folder_ / "x.so";
    }

private:
    fs::path folder_;
};

TEST(elf, reads_a_file_cut_off_anywhere_without_harm) {
    const auto whole = read(fs::path(SHADDOCK_TEST_MODULES) / "module_no_door.so");
    ASSERT_GT(whole.size(), 1000U);
    const scratch_file file;
    for (std::size_t size = 0; size < whole.size(); size += whole.size() / 100 + 1) {
        EXPECT_FALSE(shaddock::module::read_elf(file.write(whole.substr(0, size)))) << size;
    }
}

TEST(elf, reads_a_file_with_wild_numbers_without_harm) {
    const auto whole = read(fs::path(SHADDOCK_TEST_MODULES) / "module_no_door.so");
    const scratch_file file;
    for (std::size_t at = 16; at < 64; ++at) {
        auto broken = whole;
        broken[at] = '\xff';
        (void)shaddock::module::read_elf(file.write(broken)); // must come back
    }
    for (std::size_t at = whole.size() - 256; at < whole.size(); at += 8) {
        auto broken = whole;
        broken.replace(at, 8, 8, '\xff');
        (void)shaddock::module::read_elf(file.write(broken));
    }
    SUCCEED();
}

} // namespace
