#include "history.hpp"

#include <array>
#include <bit>

namespace shaddock::reload {

std::string_view to_string(kind what) {
    constexpr std::array<std::string_view, kinds> names{"echo", "say", "relay", "wait"};
    return names[static_cast<std::size_t>(what)];
}

stamp_id history::intern(const stamp& one) {
    key_.assign(one.server).append(1, ' ').append(one.life).append(1, ' ').append(one.version);
    key_.append(1, ' ').append(std::to_string(one.generation));
    const auto [at, is_new] = known_.try_emplace(key_, static_cast<stamp_id>(stamps.size()));
    if (is_new) {
        stamps.push_back(one);
    }
    return at->second;
}

request& history::ask(std::uint32_t who, kind what, nanoseconds now) {
    auto& asking = sessions[who];
    auto& made = requests.emplace_back();
    made.sent = now;
    made.session = who;
    made.n = static_cast<std::uint32_t>(asking.requests.size());
    made.what = what;
    asking.requests.push_back(static_cast<std::uint32_t>(requests.size() - 1));
    return made;
}

std::uint32_t proof_of(std::string_view version, std::uint32_t n) {
    if (version == "1.0.0") {
        constexpr std::array<std::uint32_t, 8> table{3, 1, 4, 1, 5, 9, 2, 6};
        return (n * 2654435761U + 1) ^ table[n % 8];
    }
    if (version == "2.0.0") {
        constexpr std::array<std::uint32_t, 8> table{2, 7, 1, 8, 2, 8, 1, 8};
        return std::rotl(n ^ 0x9e3779b9U, 7) + table[n % 8];
    }
    if (version == "3.0.0") {
        constexpr std::array<std::uint32_t, 8> table{1, 6, 1, 8, 0, 3, 3, 9};
        std::uint32_t hash = 2166136261U ^ table[n % 8];
        for (int shift = 0; shift < 32; shift += 8) {
            hash = (hash ^ ((n >> shift) & 0xff)) * 16777619U;
        }
        return hash;
    }
    return none;
}

} // namespace shaddock::reload
