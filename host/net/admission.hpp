#pragma once

#include <base/clock.hpp>
#include <base/network.hpp>
#include <base/rare_lines.hpp>
#include <net/drop.hpp>
#include <net/listener.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace shaddock::net {

/// Who may come in: places per address, handshakes per second, denied networks. Knows no
/// connection. An IPv6 client is its /64, which is what one household or machine has.
/// Thread: the loop.
class admission {
public:
    admission(base::clock& clock, const listener_options& options);

    bool is_trusted(const base::ip_address& from) const { return trusted_.contains(from); }
    const base::network_set& trusted() const { return trusted_; }
    bool is_denied(const base::ip_address& from) const { return denied_.contains(from); }
    void deny(base::network_set denied) { denied_ = std::move(denied); }

    /// What counts as one address: of IPv6 the /64.
    static base::ip_address household(const base::ip_address& from);
    /// Takes a place of the address. False: it has none left.
    bool enter(const base::ip_address& from);
    void leave(const base::ip_address& from);

    /// Takes a handshake out of the rate. `from`: none where only a proxy is known. False: it came
    /// too soon. One address has at most a quarter of the rate, so that it cannot use up what
    /// others need.
    bool may_greet(const base::ip_address& from);

    /// Addresses that it remembers.
    std::size_t size() const { return by_address_.size(); }

    /// Counts one refusal for the log. What there is to say, at most once a minute for each reason:
    /// how many since it was said before.
    std::optional<std::uint64_t> note(drop why);

private:
    /// Tokens that come back with time; a handshake takes one.
    struct bucket {
        double tokens = 0;
        base::time_point filled{};
        bool take(double rate, double burst, base::time_point now);
    };
    struct of_address {
        std::size_t places = 0;
        bucket handshakes;
    };

    of_address& entry_of(const base::ip_address& key);
    void forget_old(base::time_point now);

    base::clock& clock_;
    std::size_t per_address_;
    double rate_;
    double part_;
    base::network_set trusted_;
    base::network_set denied_;
    std::unordered_map<base::ip_address, of_address, base::ip_hash> by_address_;
    bucket all_;
    base::time_point next_sweep_;
    std::array<base::rare_line, drop_reasons> complaints_{};
};

} // namespace shaddock::net
