#include <shaddock/plugin.hpp>

#include <stdexcept>

namespace {

struct part {
    part() { throw std::runtime_error("no luck today"); }
};

} // namespace

SHADDOCK_PLUGIN("throws", registrar) {
    registrar.component<part>("part");
}
