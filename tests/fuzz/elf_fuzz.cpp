#include "check.hpp"

#include <elf.hpp>

#include <algorithm>
#include <string>

using namespace shaddock::module;
using shaddock::fuzz::check;

/// A plugin's file. What is read of it by `opened_bytes` alone says the same as all of it; without
/// its sections it is still the same module.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string all(reinterpret_cast<const char*>(data), size);
    const auto head = std::string_view(all).substr(0, std::min(size, elf_head_bytes));
    const auto needed = opened_bytes(head, size);
    const auto facts = read_elf(all, size);
    if (!needed) {
        check(!facts, "a file whose headers are refused is refused");
        return 0;
    }
    check(*needed <= size, "no more is needed than there is");
    if (!facts) {
        return 0;
    }
    auto opened = all.substr(0, *needed);
    forget_sections(opened);
    const auto again = read_elf(opened, opened.size());
    check(again.has_value(), "without its sections it can be read");
    check(again->build_id == facts->build_id, "the same build id");
    check(again->unique_symbol == facts->unique_symbol, "the same unique object");
    check(again->door.has_value() == facts->door.has_value(), "the same door");
    for (const auto& one : facts->segments) {
        check(one.address + one.size >= one.address, "a segment does not wrap around");
    }
    return 0;
}
