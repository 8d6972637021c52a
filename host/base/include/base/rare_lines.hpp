#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace shaddock::base {

/// A line of the log that others can cause as often as they like: one a minute. Thread: the loop.
class rare_line {
public:
    /// When the line is due: how many were not told since the one before. Nothing when it is not
    /// due; it is counted then.
    std::optional<std::uint64_t> due(time_point now) {
        if (now < next_) {
            ++untold_;
            return std::nullopt;
        }
        next_ = now + std::chrono::minutes(1);
        return std::exchange(untold_, 0);
    }

private:
    time_point next_ = time_point::min();
    std::uint64_t untold_ = 0;
};

/// One for each subject. It keeps every subject, so there must not be one for each client.
/// Thread: the clock's loop.
class rare_lines {
public:
    explicit rare_lines(const clock& time) : clock_(time) {}

    /// When a line about `subject` is due: how it ends, empty or `; 7 more since the last such
    /// line`. Nothing when it is not due.
    std::optional<std::string> due(std::string_view subject) {
        auto found = told_.find(subject);
        if (found == told_.end()) {
            found = told_.emplace(subject, rare_line()).first;
        }
        const auto untold = found->second.due(clock_.now());
        if (!untold) {
            return std::nullopt;
        }
        return *untold == 0 ? ""
                            : "; " + std::to_string(*untold) + " more since the last such line";
    }

private:
    const clock& clock_;
    std::map<std::string, rare_line, std::less<>> told_;
};

} // namespace shaddock::base
