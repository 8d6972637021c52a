#include <shaddock/plugin.hpp>

#include <stdexcept>

#if !defined(TEST_TYPE)
#define TEST_TYPE "throws"
#endif

namespace {

struct part {
    part() { throw std::runtime_error("no luck today"); }
};

} // namespace

SHADDOCK_PLUGIN(TEST_TYPE, registrar) {
    registrar.component<part>("part");
}
