#pragma once

#include "generation.hpp"

#include <shaddock/testing/fake_host.hpp>

#include <memory>
#include <string>

namespace shaddock::server {

/// A generation of one plugin that has a host of its own, which does nothing.
inline std::shared_ptr<generation> make_generation(plugin_source from, std::string type,
                                                   std::uint32_t number) {
    auto made = std::make_shared<generation>(std::make_unique<shaddock::testing::fake_host>(),
                                             std::move(type), number);
    made->add({std::move(from)}).value();
    return made;
}

} // namespace shaddock::server
