#include "node/complain.hpp"

#include "base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace shaddock::node {

int complain(std::string_view text) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        fmt::print(stderr, "{}{}\n", said_by_host, base::log::printable(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    std::fflush(stderr);
    return exit_failed;
}

} // namespace shaddock::node
