#pragma once

#include "base/clock.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace shaddock::net {

/// How fast one client may send. A rate of 0: no limit.
struct input_rates {
    /// Packages and control frames, per second and at once.
    std::size_t messages = 0;
    std::size_t message_burst = 1;
    /// Bytes of frames, per second and at once.
    std::size_t bytes = 0;
    std::size_t byte_burst = 1;
};

/// What one client may still send: two token buckets, full at first. What was taken beyond them is
/// a debt, which time pays. Thread: the loop.
class allowance {
public:
    allowance(const input_rates& rates, base::time_point now)
        : messages_(static_cast<double>(rates.message_burst)),
          bytes_(static_cast<double>(rates.byte_burst)), at_(now) {}

    void refill(const input_rates& rates, base::time_point now) {
        const double seconds = std::chrono::duration<double>(now - at_).count();
        at_ = now;
        add(messages_, rates.messages, rates.message_burst, seconds);
        add(bytes_, rates.bytes, rates.byte_burst, seconds);
    }
    /// Whether a message in a frame of `bytes` may be taken now. One above the burst may when the
    /// bucket is full.
    bool allows(const input_rates& rates, std::size_t bytes) const {
        return (rates.messages == 0 || messages_ >= 1 - slack) &&
               (rates.bytes == 0 || bytes_ >= wanted(rates, bytes) - slack);
    }
    /// Whether it allows each of the frames that so many bytes may hold.
    bool has_bytes(const input_rates& rates, std::size_t bytes) const {
        return rates.bytes == 0 || bytes_ >= static_cast<double>(bytes);
    }
    /// Whether a client may send much at once, as one that has rested.
    bool has_room(const input_rates& rates) const {
        return (rates.messages == 0 || messages_ * 2 >= static_cast<double>(rates.message_burst)) &&
               (rates.bytes == 0 || bytes_ * 2 >= static_cast<double>(rates.byte_burst));
    }
    void take_messages(std::size_t count) { messages_ -= static_cast<double>(count); }
    void take_bytes(std::size_t count) { bytes_ -= static_cast<double>(count); }

    /// How long it takes until `allows`.
    base::duration wait(const input_rates& rates, std::size_t bytes) const {
        double seconds = 0;
        if (rates.messages != 0) {
            seconds = (1 - messages_) / static_cast<double>(rates.messages);
        }
        if (rates.bytes != 0) {
            seconds = std::max(seconds,
                               (wanted(rates, bytes) - bytes_) / static_cast<double>(rates.bytes));
        }
        return std::chrono::ceil<base::duration>(
            std::chrono::duration<double>(std::max(seconds, 0.0)));
    }

private:
    /// Rounding of the tokens that a wait was computed for.
    static constexpr double slack = 1e-6;

    static double wanted(const input_rates& rates, std::size_t bytes) {
        return static_cast<double>(std::clamp(bytes, std::size_t{1}, rates.byte_burst));
    }
    static void add(double& tokens, std::size_t rate, std::size_t burst, double seconds) {
        tokens = std::min(tokens + seconds * static_cast<double>(rate), static_cast<double>(burst));
    }

    double messages_;
    double bytes_;
    base::time_point at_;
};

} // namespace shaddock::net
