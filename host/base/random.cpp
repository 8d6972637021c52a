#include "base/random.hpp"

#include <shaddock/error.hpp>

#include <cassert>
#include <cstring>
#include <sys/random.h>

namespace shaddock::base {

std::string random_bytes(std::size_t count) {
    assert(count <= 256 && "more may come short");
    std::string bytes(count, '\0');
    if (getrandom(bytes.data(), count, 0) != static_cast<ssize_t>(count)) {
        throw error(errc::internal, "getrandom gave no bytes");
    }
    return bytes;
}

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    const auto bytes = random_bytes(sizeof(seed));
    std::memcpy(&seed, bytes.data(), sizeof(seed));
    return seed;
}

} // namespace shaddock::base
