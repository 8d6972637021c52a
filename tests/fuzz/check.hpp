#pragma once

#include <cstdio>
#include <cstdlib>

namespace shaddock::fuzz {

/// Stops the fuzzer, which then keeps the input. (An assert would vanish in optimised builds.)
inline void check(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "does not hold: %s\n", what);
        std::abort();
    }
}

} // namespace shaddock::fuzz
