#pragma once

#include <shaddock/error.hpp>

#include <filesystem>
#include <string>

namespace shaddock::module {

/// What the file itself tells before anything of it runs.
struct elf_facts {
    bool has_door = false;
    /// Name of an object that dlopen would share between versions (STB_GNU_UNIQUE); empty = none.
    std::string unique_symbol;
    /// Registers destructors of thread-local objects, which pin the file for good.
    bool imports_thread_atexit = false;
    /// The linker's build id, hexadecimal; empty = none.
    std::string build_id;
};

/// Reads the dynamic symbols of a shared library for this machine.
/// Limits: 256 MiB. Errors: config (unreadable, not a shared library for this machine, cut off).
result<elf_facts> read_elf(const std::filesystem::path& file);

} // namespace shaddock::module
