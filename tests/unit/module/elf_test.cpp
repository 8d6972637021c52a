#include "elf.hpp"

#include <elf.h>
#include <gmock/gmock.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <utility>

namespace {

namespace fs = std::filesystem;
namespace module = shaddock::module;
using testing::HasSubstr;

std::string read(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
}

shaddock::result<module::elf_facts> facts_of(std::string_view bytes) {
    return module::read_elf(bytes, bytes.size());
}

std::string seed(const std::string& name) {
    return read(fs::path(SHADDOCK_TEST_SOURCE_DIR) / "tests" / "fuzz" / "corpus" / "elf" / name);
}

/// 0: there is none.
std::size_t offset_of_dynamic_entry(const std::string& bytes, Elf64_Sxword tag) {
    const auto at = [&bytes]<class T>(T value, std::size_t offset) {
        std::memcpy(&value, bytes.data() + offset, sizeof value);
        return value;
    };
    const auto header = at(Elf64_Ehdr{}, 0);
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
        const auto part = at(Elf64_Phdr{}, header.e_phoff + i * sizeof(Elf64_Phdr));
        for (std::size_t k = 0; part.p_type == PT_DYNAMIC && k < part.p_filesz; k += 16) {
            if (at(Elf64_Dyn{}, part.p_offset + k).d_tag == tag) {
                return part.p_offset + k;
            }
        }
    }
    return 0;
}

class elf : public testing::Test {
protected:
    const std::string whole = read(fs::path(SHADDOCK_TEST_MODULES) / "module_good.so");
};

TEST_F(elf, needs_of_a_file_what_stands_before_its_sections) {
    const auto size = module::opened_bytes(
        std::string_view(whole).substr(0, module::elf_head_bytes), whole.size());
    ASSERT_TRUE(size);
    EXPECT_LT(*size, whole.size());
    const auto facts = module::read_elf(std::string_view(whole).substr(0, *size), whole.size());
    ASSERT_TRUE(facts) << facts.error().text();
    EXPECT_TRUE(facts->door);
    EXPECT_EQ(facts->build_id.size(), 40U);
    EXPECT_FALSE(module::read_elf(std::string_view(whole).substr(0, *size), *size))
        << "a file of that size has lost its sections";
}

TEST_F(elf, is_the_same_module_without_its_sections) {
    auto bytes = whole.substr(0, module::opened_bytes(whole, whole.size()).value());
    module::forget_sections(bytes);
    const auto facts = facts_of(bytes);
    ASSERT_TRUE(facts) << facts.error().text();
    EXPECT_TRUE(facts->door);
}

/// Found by the fuzzer: what forget_sections takes away may not be what a table says.
TEST_F(elf, takes_no_table_from_the_files_own_header) {
    for (const auto tag : {DT_SYMTAB, DT_STRTAB, DT_GNU_HASH}) {
        auto bytes = whole;
        const auto at = offset_of_dynamic_entry(bytes, tag);
        ASSERT_NE(at, 0U);
        const std::uint64_t within = offsetof(Elf64_Ehdr, e_shoff);
        bytes.replace(at + 8, 8, reinterpret_cast<const char*>(&within), 8);
        EXPECT_FALSE(facts_of(bytes)) << tag;
    }
}

TEST_F(elf, sees_code_that_is_written_to) {
    EXPECT_FALSE(facts_of(whole)->has_text_relocations);
    auto bytes = whole;
    const auto at = offset_of_dynamic_entry(bytes, DT_INIT);
    ASSERT_NE(at, 0U);
    bytes.replace(at, 8, std::string({DT_TEXTREL, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_TRUE(facts_of(bytes)->has_text_relocations);
}

#if defined(__x86_64__)
/// Small files of another linker, made for the fuzzer.
TEST(elf_seeds, have_doors_in_tables_of_either_kind) {
    for (const auto& [name, build_id] :
         {std::pair("door_gnu_hash", 40U), std::pair("door_sysv_hash", 0U)}) {
        const auto facts = facts_of(seed(name));
        ASSERT_TRUE(facts) << name << ": " << facts.error().text();
        ASSERT_TRUE(facts->door) << name;
        EXPECT_EQ(facts->door->struct_size, 88U);
        EXPECT_EQ(facts->door->abi, 3U);
        EXPECT_EQ(facts->door->fingerprint, "sdk 3; boost 1");
        EXPECT_EQ(facts->door->type, "chat");
        EXPECT_EQ(facts->unique_symbol, "");
        EXPECT_FALSE(facts->imports_thread_atexit);
        EXPECT_EQ(facts->build_id.size(), build_id) << name;
    }
}

TEST(elf_seeds, tell_what_pins_them) {
    EXPECT_TRUE(facts_of(seed("thread_local")).value().imports_thread_atexit);
    EXPECT_EQ(facts_of(seed("unique")).value().unique_symbol, "once");
}
#endif

TEST_F(elf, refuses_a_file_cut_off_anywhere) {
    for (std::size_t size = 0; size < whole.size(); size += whole.size() / 500 + 1) {
        const auto facts = facts_of(std::string_view(whole).substr(0, size));
        ASSERT_FALSE(facts) << size;
        EXPECT_THAT(facts.error().text(), HasSubstr("wanted")) << size;
    }
}

TEST_F(elf, names_what_else_it_is) {
    const auto with = [this](std::size_t at, char byte) {
        auto other = whole;
        other[at] = byte;
        return std::string(facts_of(other).error().text());
    };
    EXPECT_THAT(facts_of("").error().text(), HasSubstr("an empty file"));
    EXPECT_THAT(facts_of("#!/bin/sh\n").error().text(), HasSubstr("no ELF file"));
    EXPECT_THAT(with(EI_CLASS, ELFCLASS32), HasSubstr("no 64-bit file"));
    EXPECT_THAT(with(EI_DATA, ELFDATA2MSB), HasSubstr("not little-endian"));
    EXPECT_THAT(with(offsetof(Elf64_Ehdr, e_machine), EM_386),
                HasSubstr("another architecture (32-bit x86, this machine is"));
    EXPECT_THAT(with(offsetof(Elf64_Ehdr, e_type), ET_EXEC), HasSubstr("an ELF file of type 2"));
    EXPECT_THAT(with(offsetof(Elf64_Ehdr, e_phnum), 0), HasSubstr("0 program headers"));
    EXPECT_THAT(with(offsetof(Elf64_Ehdr, e_phoff) + 6, 1), HasSubstr("program headers outside"));
    EXPECT_THAT(with(offsetof(Elf64_Ehdr, e_phoff), 8), HasSubstr("within the file's own header"));
    EXPECT_THAT(with(offsetof(Elf64_Ehdr, e_shoff) + 6, 1), HasSubstr("cut off"));
}

/// Each byte of the headers, and after them any, to other values: an answer, whatever it is.
TEST_F(elf, lives_through_every_flipped_byte) {
    const auto size = module::opened_bytes(whole, whole.size()).value();
    auto bytes = whole.substr(0, size);
    const auto try_with = [&](std::size_t at, char other) {
        const auto before = std::exchange(bytes[at], other);
        (void)module::read_elf(bytes, whole.size());
        (void)module::opened_bytes(bytes, whole.size());
        bytes[at] = before;
    };
    for (std::size_t at = 0; at < module::elf_head_bytes; ++at) {
        for (const int other : {0, 1, 0x7f, 0x80, 0xff, ~int{bytes[at]}}) {
            try_with(at, static_cast<char>(other));
        }
    }
    std::minstd_rand random(4); // the same in every run
    for (int i = 0; i < 20'000; ++i) {
        try_with(random() % size, static_cast<char>(random()));
    }
    EXPECT_TRUE(module::read_elf(bytes, whole.size())) << "put back as it was";
}

/// Eight bytes at once: wild offsets and sizes.
TEST_F(elf, lives_through_wild_numbers) {
    const auto size = module::opened_bytes(whole, whole.size()).value();
    for (std::size_t at = 0; at + 8 <= std::size_t{4096}; at += 8) {
        for (const char other : {'\xff', '\x7f', '\0'}) {
            auto bytes = whole.substr(0, size);
            bytes.replace(at, 8, 8, other);
            (void)module::read_elf(bytes, whole.size());
        }
    }
    SUCCEED();
}

} // namespace
