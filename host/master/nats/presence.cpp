#include "presence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>

namespace shaddock::master {
namespace {

constexpr std::size_t id_digits = 32;
constexpr std::size_t least_digits = 4;
constexpr std::size_t most_name_bytes = 255;

} // namespace

bool is_sound(const control::master_presence& said) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto is_plain = [](char each) { return each > ' ' && each < 0x7f; };
    return said.machine.size() == id_digits &&
           said.machine.find_first_not_of(digits) == std::string::npos && !said.name.empty() &&
           said.name.size() <= most_name_bytes && std::ranges::all_of(said.name, is_plain);
}

std::map<std::string, std::string> unique_names(const std::map<std::string, std::string>& named) {
    std::map<std::string_view, int> uses;
    for (const auto& [machine, name] : named) {
        ++uses[name];
    }
    std::map<std::string, std::string> made;
    for (auto digits = least_digits; digits <= id_digits; ++digits) {
        std::set<std::string_view> shown;
        for (const auto& [machine, name] : named) {
            made[machine] =
                uses[name] == 1 ? name : fmt::format("{}-{}", name, machine.substr(0, digits));
            shown.insert(made[machine]);
        }
        if (shown.size() == named.size()) {
            break;
        }
    }
    return made;
}

} // namespace shaddock::master
