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

/// Lines of the log that others can cause as often as they like: one a minute for each subject.
/// It keeps every subject, so there must not be one for each client. Thread: the clock's loop.
class rare_lines {
public:
    explicit rare_lines(const clock& time) : clock_(time) {}

    /// When a line about `subject` is due: how it ends, empty or `; 7 more since the last such
    /// line`. Nothing when it is not due; it is counted then.
    std::optional<std::string> due(std::string_view subject) {
        auto found = told_.find(subject);
        if (found == told_.end()) {
            found = told_.emplace(subject, told{}).first;
        }
        auto& last = found->second;
        if (clock_.now() < last.next) {
            ++last.untold;
            return std::nullopt;
        }
        last.next = clock_.now() + std::chrono::minutes(1);
        const auto untold = std::exchange(last.untold, 0);
        return untold == 0 ? "" : "; " + std::to_string(untold) + " more since the last such line";
    }

private:
    struct told {
        time_point next{};
        std::uint64_t untold = 0;
    };
    const clock& clock_;
    std::map<std::string, told, std::less<>> told_;
};

} // namespace shaddock::base
