#include "check.hpp"

#include <protocol/package.hpp>

#include <string>

using namespace shaddock::protocol;
using shaddock::fuzz::check;

/// What was cut, written again, gives the same bytes; need_more is answered by enough bytes.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    std::string_view in = all;
    std::string written;
    constexpr std::size_t limit = 300;
    while (true) {
        const package_cut cut = cut_package(in, limit);
        if (cut.status == cut_status::need_more) {
            check(cut.size > in.size(), "need_more wants more than there is");
            check(cut.size <= package_header_bytes + limit, "need_more stays within the limit");
        }
        if (cut.status != cut_status::ok) {
            break;
        }
        check(cut.body.size() <= limit, "a body within the limit");
        check(append_package(written, cut.type, cut.body).has_value(), "it can be written");
        in.remove_prefix(cut.size);
    }
    check(written == all.substr(0, all.size() - in.size()), "the same bytes again");
    return 0;
}
