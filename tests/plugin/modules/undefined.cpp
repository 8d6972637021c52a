#include <shaddock/plugin.hpp>

namespace elsewhere {

int not_in_any_library(int number);

} // namespace elsewhere

namespace {

struct part {
    void start() { elsewhere::not_in_any_library(1); }
};

} // namespace

SHADDOCK_PLUGIN("chat", registrar) {
    registrar.component<part>("part");
}
