#pragma once

#include <shaddock/door.hpp>

#include <string_view>

namespace shaddock::module_test {

/// Takes what a plugin registers, and keeps nothing.
class nothing_registered final : public door::registration {
public:
    void handler(const door::method_info&, door::callable*) noexcept override {}
    void remote(const door::method_info&, door::callable*) noexcept override {}
    void route(std::string_view, door::router*) noexcept override {}
    void filter(door::global_filter*) noexcept override {}
    void hook(door::hooks*) noexcept override {}
    void part(door::component*) noexcept override {}
    void handshake(door::handshake_hook*) noexcept override {}
    void call(std::string_view, std::uint64_t, std::string_view) noexcept override {}
};

} // namespace shaddock::module_test
