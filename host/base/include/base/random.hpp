#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace shaddock::base {

/// Chance as a dependency, beside the clock: the same seed gives the same numbers, on any machine.
/// Not for secrets. Thread: that of its owner.
class random {
public:
    explicit random(std::uint64_t seed) : engine_(seed) {}
    random(const random&) = delete;
    random& operator=(const random&) = delete;
    std::uint64_t next() { return engine_(); }

private:
    std::mt19937_64 engine_;
};

/// Bytes from the kernel that nobody can guess: for secrets. Limits: `count` at most 256. Throws
/// error (internal) when the kernel has none. Thread: any.
std::string random_bytes(std::size_t count);

/// Another seed in each process, from the kernel. For those who make the real `random`, as they
/// make the real clock. Thread: any.
std::uint64_t random_seed();

} // namespace shaddock::base
