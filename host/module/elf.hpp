#pragma once

#include <shaddock/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a plugin's file tells before anything of it runs. Read as the loader of the system will
/// read it, by program headers, from bytes in memory; no number of the file is believed.
namespace shaddock::module {

/// The fields of the door that say whether the rest may be read.
struct door_facts {
    std::uint32_t struct_size = 0;
    std::uint32_t abi = 0;
    /// Nothing when they cannot be known before the file is opened.
    std::optional<std::string> fingerprint;
    std::optional<std::string> type;
};

/// A part of the file as it is mapped.
struct segment {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
    bool is_writable = false;
};

struct elf_facts {
    std::optional<door_facts> door;
    /// Name of an object that dlopen would share between versions (STB_GNU_UNIQUE); empty = none.
    std::string unique_symbol;
    /// Registers destructors of thread-local objects, which pin the file for good.
    bool imports_thread_atexit = false;
    /// Code that is written to when it is opened (built without -fPIC).
    bool has_text_relocations = false;
    /// The linker's build id, hexadecimal; empty = none.
    std::string build_id;
    std::vector<segment> segments;
};

/// How many bytes of a file, from its begin, opening it needs; behind them stand sections and
/// debug information. `head`: its first bytes, at least `elf_head_bytes` or all. Errors: as
/// read_elf.
result<std::uint64_t> opened_bytes(std::string_view head, std::uint64_t file_size);
inline constexpr std::size_t elf_head_bytes = 4096;

/// `bytes`: at least what `opened_bytes` says. Errors: config, "found .., wanted ..: what to do":
/// no shared library for this machine, cut off, wild numbers, no symbols.
result<elf_facts> read_elf(std::string_view bytes, std::uint64_t file_size);

/// Takes the reference to the sections out of the header. `bytes`: what read_elf has accepted.
void forget_sections(std::string& bytes);

} // namespace shaddock::module
