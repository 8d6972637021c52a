#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace @name@_type {

/// What handler and remote share. A server has one loop and all code runs there: no locks.
class counter {
public:
    std::int64_t add(std::int64_t by) { return total_ += by; }
    std::int64_t total() const { return total_; }

    // The next generation of the plugin goes on counting: see `host reload`.
    static constexpr std::string_view state_name = "counter";
    std::string save_state() const { return std::to_string(total_); }
    void restore_state(std::string_view bytes, std::string_view /*version*/) {
        std::from_chars(bytes.data(), bytes.data() + bytes.size(), total_);
    }

private:
    std::int64_t total_ = 0;
};

} // namespace @name@_type
