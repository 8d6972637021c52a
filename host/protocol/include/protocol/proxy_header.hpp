#pragma once

#include <base/network.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shaddock::protocol {

/// The longest header that we read. A text header has at most 107 bytes; a binary one has room for
/// extras of the proxy, which nothing here reads.
inline constexpr std::size_t max_proxy_header_bytes = std::size_t{4} * 1024;

enum class proxy_status : std::uint8_t {
    /// The bytes are the beginning of a header.
    need_more,
    ok,
    /// They are not, whatever may follow; `problem` says why.
    bad,
};

/// What a proxy says of the connection that it passes on.
struct proxy_header {
    proxy_status status = proxy_status::need_more;
    /// ok: bytes of the header; the client's own follow.
    std::size_t used = 0;
    /// need_more: the header has at least so many bytes, more than there are.
    std::size_t wanted = 0;
    /// ok: the proxy speaks for itself (a check of health), or does not know its client; the
    /// addresses are none.
    bool is_own = false;
    base::ip_address from{};
    std::uint16_t from_port = 0;
    /// Where the client has reached the proxy.
    base::ip_address to{};
    /// bad: why, for the log; a literal.
    const char* problem = "";
};

/// Reads the header of the PROXY protocol at the front of `in`: version 1 (a line of text) or 2
/// (binary), TCP over IPv4 or IPv6. It decides as early as the bytes allow, never reads past `in`,
/// and waits for at most max_proxy_header_bytes. Source: HAProxy, doc/proxy-protocol.txt.
/// Thread: any.
proxy_header read_proxy_header(std::string_view in);

} // namespace shaddock::protocol
