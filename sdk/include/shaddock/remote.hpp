#pragma once

#include <shaddock/detail/shape.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace shaddock {

template <class Signature>
class remote_method;

/// The contract of one remote method, published in a header that callers include and that the
/// callee registers:
///
///     inline constexpr shaddock::remote_method<users(std::string room)> get{
///         "chat.chatRemote.get"};
///
/// Form: the route is `type.remote.method`. Arguments travel as a JSON array, the result as JSON.
/// `hash` covers the shapes of all types. Caller and callee with different hashes are compared by
/// the host before any argument is read: members that are optional or have a default
/// (shaddock::defaults) may be more or fewer on either side; what does not fit ends in
/// errc::contract.
template <class R, class... Args>
class remote_method<R(Args...)> {
public:
    using result_type = R;

    consteval remote_method(const char* route)
        : route_(route) { // NOLINT(google-explicit-constructor)
        int dots = 0;
        for (const char c : route_) {
            dots += c == '.' ? 1 : 0;
        }
        if (dots != 2) {
            throw "a route is type.remote.method";
        }
    }

    constexpr std::string_view route() const { return route_; }
    /// The method's own name, after the last dot.
    constexpr std::string_view name() const { return route_.substr(route_.rfind('.') + 1); }
    static constexpr std::uint64_t hash() { return hash_; }
    /// The types as text, for where hashes differ.
    static std::string shape() noexcept {
        return detail::contract_shape<R, std::remove_cvref_t<Args>...>();
    }

private:
    static constexpr std::uint64_t hash_ = [] {
        detail::shape_hash shape;
        shape.add("(");
        ((detail::add_shape<std::remove_cvref_t<Args>>(shape), shape.add(",")), ...);
        shape.add(")");
        detail::add_shape<R>(shape);
        return shape.value;
    }();

    std::string_view route_;
};

} // namespace shaddock
