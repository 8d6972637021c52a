#include "elf.hpp"

#include <shaddock/door.hpp>

#include <elf.h>

#include <cstring>
#include <fstream>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace shaddock::module {

namespace {

constexpr std::uintmax_t file_limit_bytes = 256ULL * 1024 * 1024;
constexpr std::size_t section_limit = 4096;

#if defined(__x86_64__)
constexpr auto this_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr auto this_machine = EM_AARCH64;
#else
#error "shaddock: add this machine's ELF number"
#endif

/// The file's bytes; every read is checked against its end.
class bytes {
public:
    explicit bytes(std::vector<char> all) : all_(std::move(all)) {}

    template <class T>
    std::optional<T> at(std::uint64_t offset) const {
        if (offset > all_.size() || all_.size() - offset < sizeof(T)) {
            return std::nullopt;
        }
        T value;
        std::memcpy(&value, all_.data() + offset, sizeof value);
        return value;
    }
    std::optional<std::span<const char>> part(std::uint64_t offset, std::uint64_t size) const {
        if (offset > all_.size() || all_.size() - offset < size) {
            return std::nullopt;
        }
        return std::span(all_).subspan(offset, size);
    }

private:
    std::vector<char> all_;
};

error not_readable(const std::filesystem::path& file, std::string_view found) {
    return error(
        errc::config,
        file.string() + ": found " + std::string(found) +
            ", wanted a shared library for this machine: build it with shaddock_add_plugin()");
}

result<bytes> read_all(const std::filesystem::path& file) {
    std::error_code failed;
    const auto size = std::filesystem::file_size(file, failed);
    if (failed) {
        return error(errc::config, file.string() + ": cannot be read: " + failed.message());
    }
    if (size > file_limit_bytes) {
        return not_readable(file, std::to_string(size) + " bytes (limit " +
                                      std::to_string(file_limit_bytes) + ")");
    }
    std::vector<char> all(size);
    std::ifstream in(file, std::ios::binary);
    if (!in.read(all.data(), static_cast<std::streamsize>(size))) {
        return error(errc::config, file.string() + ": cannot be read");
    }
    return bytes(std::move(all));
}

std::optional<Elf64_Ehdr> header_of(const bytes& file) {
    const auto header = file.at<Elf64_Ehdr>(0);
    const bool fits = header && std::memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
                      header->e_ident[EI_CLASS] == ELFCLASS64 &&
                      header->e_ident[EI_DATA] == ELFDATA2LSB && header->e_type == ET_DYN &&
                      header->e_machine == this_machine &&
                      header->e_shentsize == sizeof(Elf64_Shdr);
    return fits ? header : std::nullopt;
}

std::optional<std::vector<Elf64_Shdr>> sections_of(const bytes& file, const Elf64_Ehdr& header) {
    std::vector<Elf64_Shdr> sections;
    for (std::size_t i = 0; i < header.e_shnum && i < section_limit; ++i) {
        const auto section = file.at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
        if (!section) {
            return std::nullopt;
        }
        sections.push_back(*section);
    }
    return sections;
}

std::string_view text_at(std::span<const char> strings, std::size_t offset) {
    if (offset >= strings.size()) {
        return {};
    }
    const auto* begin = strings.data() + offset;
    return {begin, strnlen(begin, strings.size() - offset)};
}

bool read_symbols(const bytes& file, const Elf64_Shdr& symbols, const Elf64_Shdr& names,
                  elf_facts& facts) {
    const auto strings = file.part(names.sh_offset, names.sh_size);
    if (!strings || !file.part(symbols.sh_offset, symbols.sh_size)) {
        return false;
    }
    for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= symbols.sh_size; at += sizeof(Elf64_Sym)) {
        const auto symbol = file.at<Elf64_Sym>(symbols.sh_offset + at);
        const auto name = text_at(*strings, symbol->st_name);
        if (symbol->st_shndx == SHN_UNDEF) {
            facts.imports_thread_atexit |= name == "__cxa_thread_atexit";
            continue;
        }
        facts.has_door |= name == door::door_symbol;
        if (ELF64_ST_BIND(symbol->st_info) == STB_GNU_UNIQUE && facts.unique_symbol.empty()) {
            facts.unique_symbol = name;
        }
    }
    return true;
}

void read_build_id(const bytes& file, const Elf64_Shdr& section, elf_facts& facts) {
    const auto note = file.at<Elf64_Nhdr>(section.sh_offset);
    if (!note || note->n_type != NT_GNU_BUILD_ID || note->n_namesz != 4 || note->n_descsz > 64) {
        return;
    }
    const auto id = file.part(section.sh_offset + sizeof *note + note->n_namesz, note->n_descsz);
    if (!id) {
        return;
    }
    constexpr auto digits = "0123456789abcdef";
    for (const char c : *id) {
        const auto byte = static_cast<unsigned char>(c);
        facts.build_id += digits[byte >> 4U];
        facts.build_id += digits[byte & 0xfU];
    }
}

} // namespace

result<elf_facts> read_elf(const std::filesystem::path& path) {
    const auto file = read_all(path);
    if (!file) {
        return file.error();
    }
    const auto header = header_of(*file);
    const auto sections = header ? sections_of(*file, *header) : std::nullopt;
    if (!sections) {
        return not_readable(path, "another kind of file");
    }
    elf_facts facts;
    bool has_symbols = false;
    for (const auto& section : *sections) {
        if (section.sh_type == SHT_NOTE && facts.build_id.empty()) {
            read_build_id(*file, section, facts);
        }
        if (section.sh_type == SHT_DYNSYM && section.sh_link < sections->size()) {
            has_symbols = read_symbols(*file, section, (*sections)[section.sh_link], facts);
        }
    }
    if (!has_symbols) {
        return not_readable(path, "a file without dynamic symbols, or cut off");
    }
    return facts;
}

} // namespace shaddock::module
