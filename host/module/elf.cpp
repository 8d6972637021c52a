#include "elf.hpp"

#include "fault.hpp"

#include <shaddock/door.hpp>

#include <elf.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace shaddock::module {

namespace {

/// Of a mapped file, to refuse wild numbers.
constexpr std::uint64_t memory_limit_bytes = 1ULL << 30U;
constexpr std::size_t program_header_limit = 64;
constexpr std::size_t text_limit_bytes = 1024;

#if defined(__x86_64__)
constexpr auto this_machine = EM_X86_64;
constexpr auto relative_relocation = R_X86_64_RELATIVE;
#elif defined(__aarch64__)
constexpr auto this_machine = EM_AARCH64;
constexpr auto relative_relocation = R_AARCH64_RELATIVE;
#else
#error "shaddock: add this machine's ELF numbers"
#endif

std::string machine_name(unsigned machine) {
    switch (machine) {
    case EM_386:
        return "32-bit x86";
    case EM_ARM:
        return "32-bit ARM";
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "64-bit ARM";
    default:
        return "number " + std::to_string(machine);
    }
}

error other_kind(std::string_view found) {
    return fault(found, "a shared library for this machine", "build it with shaddock_add_plugin()");
}

error cut_off(std::uint64_t size, std::uint64_t wanted) {
    return fault("a file of " + std::to_string(size) + " bytes",
                 "at least " + std::to_string(wanted) + ", as its headers say",
                 "it is cut off; copy or link it again, to another name, and rename it");
}

error wild(std::string_view what) {
    return fault(what, "what a linker writes", "the file is damaged; build it again");
}

template <class T>
std::optional<T> value_at(std::string_view bytes, std::uint64_t offset) {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) {
        return std::nullopt;
    }
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

std::optional<std::string_view> part(std::string_view bytes, std::uint64_t offset,
                                     std::uint64_t size) {
    if (offset > bytes.size() || bytes.size() - offset < size) {
        return std::nullopt;
    }
    return bytes.substr(offset, size);
}

bool fits(std::uint64_t offset, std::uint64_t size, std::uint64_t within) {
    return offset <= within && within - offset >= size;
}

result<Elf64_Ehdr> header_of(std::string_view bytes, std::uint64_t file_size) {
    if (!bytes.starts_with(std::string_view(ELFMAG, SELFMAG))) {
        return other_kind(file_size == 0 ? "an empty file" : "no ELF file");
    }
    const auto header = value_at<Elf64_Ehdr>(bytes, 0);
    if (!header) {
        return cut_off(file_size, sizeof(Elf64_Ehdr));
    }
    if (header->e_ident[EI_CLASS] != ELFCLASS64) {
        return other_kind("another architecture (no 64-bit file)");
    }
    if (header->e_ident[EI_DATA] != ELFDATA2LSB) {
        return other_kind("another architecture (not little-endian)");
    }
    if (header->e_machine != this_machine) {
        return other_kind("another architecture (" + machine_name(header->e_machine) +
                          ", this machine is " + machine_name(this_machine) + ")");
    }
    if (header->e_type != ET_DYN) {
        return other_kind("an ELF file of type " + std::to_string(header->e_type));
    }
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0 ||
        header->e_phnum > program_header_limit) {
        return wild(std::to_string(header->e_phnum) + " program headers");
    }
    // The sections stand last: a file that was cut off has lost them first.
    const auto sections = std::uint64_t{header->e_shnum} * header->e_shentsize;
    if (!fits(header->e_shoff, sections, file_size)) {
        return header->e_shoff > UINT64_MAX - sections
                   ? wild("section headers at " + std::to_string(header->e_shoff))
                   : cut_off(file_size, header->e_shoff + sections);
    }
    if (header->e_phoff < sizeof(Elf64_Ehdr)) {
        return wild("program headers within the file's own header");
    }
    if (!fits(header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr), file_size)) {
        return wild("program headers outside of the file");
    }
    return *header;
}

result<void> check_load(const Elf64_Phdr& load, std::uint64_t lowest) {
    const bool is_aligned =
        load.p_align <= 1 || (std::has_single_bit(load.p_align) &&
                              load.p_vaddr % load.p_align == load.p_offset % load.p_align);
    if (load.p_filesz > load.p_memsz || load.p_vaddr < lowest || !is_aligned ||
        !fits(load.p_vaddr, load.p_memsz, memory_limit_bytes)) {
        return wild("a segment at " + std::to_string(load.p_vaddr) + " of " +
                    std::to_string(load.p_memsz) + " bytes");
    }
    return {};
}

/// All within the file; those that are mapped in order. Empty: they lie beyond `bytes`.
result<std::vector<Elf64_Phdr>> program_headers(std::string_view bytes, std::uint64_t file_size) {
    const auto header = header_of(bytes, file_size);
    if (!header) {
        return header.error();
    }
    std::vector<Elf64_Phdr> all;
    std::uint64_t lowest = 0;
    for (std::size_t i = 0; i < header->e_phnum; ++i) {
        const auto one = value_at<Elf64_Phdr>(bytes, header->e_phoff + i * sizeof(Elf64_Phdr));
        if (!one) {
            return std::vector<Elf64_Phdr>();
        }
        if (!fits(one->p_offset, one->p_filesz, file_size)) {
            return one->p_offset > UINT64_MAX - one->p_filesz
                       ? wild("a program header of " + std::to_string(one->p_filesz) + " bytes")
                       : cut_off(file_size, one->p_offset + one->p_filesz);
        }
        if (one->p_type == PT_LOAD) {
            if (const auto good = check_load(*one, lowest); !good) {
                return good.error();
            }
            lowest = one->p_vaddr + one->p_memsz;
        }
        all.push_back(*one);
    }
    return all;
}

/// The file as it will lie in memory: addresses instead of offsets.
class image {
public:
    image(std::string_view bytes, std::vector<Elf64_Phdr> headers)
        : bytes_(bytes), headers_(std::move(headers)) {}

    const std::vector<Elf64_Phdr>& headers() const { return headers_; }
    std::optional<std::string_view> of(const Elf64_Phdr& header) const {
        return behind_header(header.p_offset, header.p_filesz);
    }
    /// From the address to the end of its segment; empty when no byte of the file is mapped there.
    std::string_view from(std::uint64_t address) const {
        for (const auto& load : headers_) {
            if (load.p_type == PT_LOAD && address >= load.p_vaddr &&
                address - load.p_vaddr < load.p_filesz) {
                const auto skip = address - load.p_vaddr;
                return behind_header(load.p_offset + skip, load.p_filesz - skip)
                    .value_or(std::string_view());
            }
        }
        return {};
    }

private:
    /// No linker puts a table into the file's header, of which forget_sections takes fields away.
    std::optional<std::string_view> behind_header(std::uint64_t offset, std::uint64_t size) const {
        return offset < sizeof(Elf64_Ehdr) ? std::nullopt : part(bytes_, offset, size);
    }

    std::string_view bytes_;
    std::vector<Elf64_Phdr> headers_;
};

/// The entries of the dynamic segment that matter here.
struct dynamic_part {
    std::uint64_t symbols = 0;
    std::uint64_t strings = 0;
    std::uint64_t strings_size = 0;
    std::uint64_t gnu_hash = 0;
    std::uint64_t hash = 0;
    std::uint64_t relocations = 0;
    std::uint64_t relocations_size = 0;
    bool has_text_relocations = false;
};

std::optional<dynamic_part> dynamic_of(const image& file) {
    const auto& all = file.headers();
    const auto found = std::ranges::find(all, Elf64_Word{PT_DYNAMIC}, &Elf64_Phdr::p_type);
    const auto bytes = found == all.end() ? std::nullopt : file.of(*found);
    if (!bytes) {
        return std::nullopt;
    }
    dynamic_part out;
    for (std::uint64_t at = 0;; at += sizeof(Elf64_Dyn)) {
        const auto entry = value_at<Elf64_Dyn>(*bytes, at);
        if (!entry) {
            return std::nullopt; // no end
        }
        const auto value = entry->d_un.d_val;
        switch (entry->d_tag) {
        case DT_NULL:
            return out;
        case DT_SYMTAB:
            out.symbols = value;
            break;
        case DT_STRTAB:
            out.strings = value;
            break;
        case DT_STRSZ:
            out.strings_size = value;
            break;
        case DT_GNU_HASH:
            out.gnu_hash = value;
            break;
        case DT_HASH:
            out.hash = value;
            break;
        case DT_RELA:
            out.relocations = value;
            break;
        case DT_RELASZ:
            out.relocations_size = value;
            break;
        case DT_TEXTREL:
            out.has_text_relocations = true;
            break;
        case DT_FLAGS:
            out.has_text_relocations |= (value & DF_TEXTREL) != 0;
            break;
        default:
            break;
        }
    }
}

/// Symbols up to the last that can be found by its name. GNU's table: buckets of first symbols,
/// each the begin of a chain that ends with an odd hash; what is not found by name stands before.
std::optional<std::uint64_t> symbols_in_gnu_hash(std::string_view table) {
    struct head {
        std::uint32_t buckets, first, bloom_words, bloom_shift;
    };
    const auto begin = value_at<head>(table, 0);
    if (!begin) {
        return std::nullopt;
    }
    const std::uint64_t buckets = sizeof(head) + std::uint64_t{begin->bloom_words} * 8;
    const std::uint64_t chains = buckets + std::uint64_t{begin->buckets} * 4;
    if (chains > table.size()) {
        return std::nullopt;
    }
    std::uint64_t last = 0;
    for (auto at = buckets; at < chains; at += 4) {
        last = std::max<std::uint64_t>(last, *value_at<std::uint32_t>(table, at));
    }
    if (last < begin->first) {
        return begin->first;
    }
    for (;; ++last) {
        const auto hash = value_at<std::uint32_t>(table, chains + (last - begin->first) * 4);
        if (!hash) {
            return std::nullopt;
        }
        if ((*hash & 1U) != 0) {
            return last + 1;
        }
    }
}

std::optional<std::uint64_t> symbol_count(const image& file, const dynamic_part& dynamic) {
    if (dynamic.gnu_hash != 0) {
        return symbols_in_gnu_hash(file.from(dynamic.gnu_hash));
    }
    // The older table: number of buckets, number of symbols.
    const auto count = value_at<std::uint32_t>(file.from(dynamic.hash), 4);
    return dynamic.hash != 0 && count ? std::optional<std::uint64_t>(*count) : std::nullopt;
}

std::string text_at(std::string_view strings, std::uint64_t offset) {
    if (offset >= strings.size()) {
        return {};
    }
    const auto rest = strings.substr(offset, text_limit_bytes);
    return std::string(rest.substr(0, rest.find('\0')));
}

bool is_named(std::string_view strings, std::uint64_t offset, std::string_view name) {
    return offset < strings.size() && strings.substr(offset).starts_with(name) &&
           strings.size() - offset > name.size() && strings[offset + name.size()] == '\0';
}

struct symbol_facts {
    std::optional<std::uint64_t> door;
    std::string unique;
    bool imports_thread_atexit = false;
};

std::optional<symbol_facts> read_symbols(const image& file, const dynamic_part& dynamic) {
    const auto count = symbol_count(file, dynamic);
    const auto symbols = file.from(dynamic.symbols);
    const auto strings = part(file.from(dynamic.strings), 0, dynamic.strings_size);
    if (!count || !strings || *count > symbols.size() / sizeof(Elf64_Sym)) {
        return std::nullopt;
    }
    symbol_facts facts;
    for (std::uint64_t i = 0; i < *count; ++i) {
        const auto symbol = *value_at<Elf64_Sym>(symbols, i * sizeof(Elf64_Sym));
        if (symbol.st_shndx == SHN_UNDEF) {
            facts.imports_thread_atexit |=
                is_named(*strings, symbol.st_name, "__cxa_thread_atexit") ||
                is_named(*strings, symbol.st_name, "__cxa_thread_atexit_impl");
            continue;
        }
        if (is_named(*strings, symbol.st_name, door::door_symbol)) {
            facts.door = symbol.st_value;
        }
        if (ELF64_ST_BIND(symbol.st_info) == STB_GNU_UNIQUE && facts.unique.empty()) {
            facts.unique = text_at(*strings, symbol.st_name);
        }
    }
    return facts;
}

/// The pointer that will stand at `address`: what a relative relocation adds, else what stands
/// there.
std::optional<std::uint64_t> pointer_at(const image& file, const dynamic_part& dynamic,
                                        std::uint64_t address) {
    const auto table = part(file.from(dynamic.relocations), 0, dynamic.relocations_size);
    for (std::uint64_t at = 0; table && at < table->size(); at += sizeof(Elf64_Rela)) {
        const auto one = value_at<Elf64_Rela>(*table, at);
        if (one && one->r_offset == address) {
            return ELF64_R_TYPE(one->r_info) == relative_relocation
                       ? std::optional(static_cast<std::uint64_t>(one->r_addend))
                       : std::nullopt;
        }
    }
    return value_at<std::uint64_t>(file.from(address), 0);
}

std::optional<std::string> text_of(const image& file, const dynamic_part& dynamic,
                                   std::uint64_t pointer) {
    const auto address = pointer_at(file, dynamic, pointer);
    const auto text = address ? file.from(*address) : std::string_view();
    return text.empty() ? std::nullopt : std::optional(text_at(text, 0));
}

std::optional<door_facts> read_door(const image& file, const dynamic_part& dynamic,
                                    std::uint64_t address) {
    const auto struct_size =
        value_at<std::uint32_t>(file.from(address + offsetof(door::plugin_door, struct_size)), 0);
    const auto abi =
        value_at<std::uint32_t>(file.from(address + offsetof(door::plugin_door, abi)), 0);
    if (!struct_size || !abi) {
        return std::nullopt;
    }
    return door_facts{
        .struct_size = *struct_size,
        .abi = *abi,
        .fingerprint = text_of(file, dynamic, address + offsetof(door::plugin_door, fingerprint)),
        .type = text_of(file, dynamic, address + offsetof(door::plugin_door, type))};
}

std::string hexadecimal(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4U];
        out += digits[byte & 0xfU];
    }
    return out;
}

/// Notes: sizes of name and content, type, name, content; both filled up to the alignment.
std::string build_id_in(std::string_view notes, std::uint64_t alignment) {
    const auto filled = [step = alignment == 8 ? 8ULL : 4ULL](std::uint64_t size) {
        return (size + step - 1) / step * step;
    };
    for (std::uint64_t at = 0;;) {
        const auto note = value_at<Elf64_Nhdr>(notes, at);
        if (!note) {
            return {};
        }
        const auto name = part(notes, at + sizeof *note, note->n_namesz);
        const auto content = filled(at + sizeof *note + note->n_namesz);
        const auto id = part(notes, content, note->n_descsz);
        if (!name || !id) {
            return {};
        }
        if (note->n_type == NT_GNU_BUILD_ID && name->size() == sizeof ELF_NOTE_GNU &&
            name->starts_with(ELF_NOTE_GNU)) {
            return id->size() <= 64 ? hexadecimal(*id) : std::string();
        }
        at = filled(content + note->n_descsz);
    }
}

void read_segments(const image& file, elf_facts& facts) {
    for (const auto& header : file.headers()) {
        if (header.p_type == PT_LOAD) {
            facts.segments.push_back(
                {header.p_vaddr, header.p_memsz, (header.p_flags & PF_W) != 0});
        }
        if (header.p_type == PT_NOTE && facts.build_id.empty()) {
            facts.build_id =
                build_id_in(file.of(header).value_or(std::string_view()), header.p_align);
        }
    }
}

} // namespace

result<std::uint64_t> opened_bytes(std::string_view head, std::uint64_t file_size) {
    const auto headers = program_headers(head, file_size);
    if (!headers) {
        return headers.error();
    }
    if (headers->empty()) {
        return file_size;
    }
    const auto header = *value_at<Elf64_Ehdr>(head, 0);
    std::uint64_t end = header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr);
    for (const auto& one : *headers) {
        end = std::max(end, one.p_offset + one.p_filesz);
    }
    return end;
}

result<elf_facts> read_elf(std::string_view bytes, std::uint64_t file_size) {
    auto headers = program_headers(bytes, file_size);
    if (!headers) {
        return headers.error();
    }
    const image file(bytes, std::move(*headers));
    const auto dynamic = dynamic_of(file);
    auto symbols = dynamic ? read_symbols(file, *dynamic) : std::nullopt;
    if (!symbols) {
        return wild("no table of dynamic symbols");
    }
    elf_facts facts;
    facts.unique_symbol = std::move(symbols->unique);
    facts.imports_thread_atexit = symbols->imports_thread_atexit;
    facts.has_text_relocations = dynamic->has_text_relocations;
    read_segments(file, facts);
    if (symbols->door) {
        facts.door = read_door(file, *dynamic, *symbols->door);
        if (!facts.door) {
            return wild("a door outside of the file");
        }
    }
    return facts;
}

void forget_sections(std::string& bytes) {
    auto header = *value_at<Elf64_Ehdr>(bytes, 0);
    header.e_shoff = 0;
    header.e_shnum = 0;
    header.e_shstrndx = SHN_UNDEF;
    std::memcpy(bytes.data(), &header, sizeof header);
}

} // namespace shaddock::module
