#include "check.hpp"

#include <protocol/proxy_header.hpp>

using namespace shaddock::protocol;
using shaddock::fuzz::check;

/// What is decided of the first bytes stays so when more come, and a header is found at the very
/// byte that completes it.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(data), size);
    const auto whole = read_proxy_header(in);
    check(whole.used <= in.size() && whole.used <= max_proxy_header_bytes, "no more than there is");
    switch (whole.status) {
    case proxy_status::need_more:
        check(size < max_proxy_header_bytes, "waits only within the bound");
        check(whole.wanted > size && whole.wanted <= max_proxy_header_bytes, "for more bytes");
        break;
    case proxy_status::ok:
        check(whole.used >= 15, "a whole header");
        check(whole.is_own ? whole.from.is_none() && whole.to.is_none() : true, "no address");
        check(read_proxy_header(in.substr(0, whole.used)).used == whole.used, "enough bytes");
        for (std::size_t i = 0; i < whole.used; ++i) {
            const auto cut = read_proxy_header(in.substr(0, i));
            check(cut.status == proxy_status::need_more && cut.wanted <= whole.used,
                  "not a byte too early, and none behind it");
        }
        break;
    case proxy_status::bad:
        check(*whole.problem != '\0', "says why");
        break;
    }
    return 0;
}
