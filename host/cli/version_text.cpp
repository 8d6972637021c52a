#include "version_text.hpp"

#include <shaddock/door.hpp>
#include <shaddock/fingerprint.hpp>

#include <boost/version.hpp>
#include <fmt/format.h>

#include <elf.h>
#include <link.h>

#include <cstring>

namespace shaddock::cli {
namespace {

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += fmt::format("{:02x}", bytes[i]);
    }
    return text;
}

std::size_t padded(std::size_t size) {
    return (size + 3) / 4 * 4;
}

/// The build id among the notes; empty when it is not there.
std::string build_id_in(const unsigned char* notes, std::size_t size) {
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) head{};
        std::memcpy(&head, notes, sizeof(head));
        const auto name_at = sizeof(head);
        const auto body_at = name_at + padded(head.n_namesz);
        const auto end = body_at + padded(head.n_descsz);
        if (end > size) {
            break;
        }
        if (head.n_type == NT_GNU_BUILD_ID && head.n_namesz == 4 &&
            std::memcmp(notes + name_at, "GNU", 4) == 0) {
            return hexadecimal(notes + body_at, head.n_descsz);
        }
        notes += end;
        size -= end;
    }
    return {};
}

/// Of the program itself, which the system lists first.
int take_build_id(dl_phdr_info* program, std::size_t, void* to) {
    auto& text = *static_cast<std::string*>(to);
    for (int i = 0; i < program->dlpi_phnum && text.empty(); ++i) {
        const auto& part = program->dlpi_phdr[i];
        if (part.p_type == PT_NOTE) {
            const auto at = program->dlpi_addr + part.p_vaddr;
            // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives addresses as numbers.
            text = build_id_in(reinterpret_cast<const unsigned char*>(at), part.p_memsz);
        }
    }
    return 1;
}

std::string compiler() {
#if defined(__clang__)
    return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
    return fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

} // namespace

std::string version_text() {
    std::string build_id;
    dl_iterate_phdr(take_build_id, &build_id);
    return fmt::format("host {}\nbuild id {}\n{}, Boost {}.{}.{}\nSDK ABI {}, fingerprint {}",
                       SHADDOCK_VERSION, build_id.empty() ? "none" : build_id, compiler(),
                       BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100,
                       door::sdk_abi, fingerprint);
}

} // namespace shaddock::cli
