#include <protocol/proxy_header.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace shaddock::protocol {
namespace {

constexpr std::string_view text_begin = "PROXY ";
constexpr std::size_t shortest_text = 15;
constexpr std::size_t longest_text = 107;
constexpr std::string_view binary_begin{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t binary_head = 16;

proxy_header bad_header(const char* problem) {
    proxy_header header;
    header.status = proxy_status::bad;
    header.problem = problem;
    return header;
}

proxy_header need_more(std::size_t wanted) {
    proxy_header header;
    header.wanted = wanted;
    return header;
}

/// Whether one of the two begins with the other.
bool may_become(std::string_view in, std::string_view begin) {
    const auto size = std::min(in.size(), begin.size());
    return in.substr(0, size) == begin.substr(0, size);
}

/// Takes a word and the blank behind it off the front.
std::string_view take_word(std::string_view& line) {
    const auto end = std::min(line.find(' '), line.size());
    const auto word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

std::optional<std::uint16_t> port_of(std::string_view word) {
    std::uint16_t port = 0;
    const auto* end = word.data() + word.size();
    const auto [stop, failed] = std::from_chars(word.data(), end, port);
    const bool has_idle_zero = word.size() > 1 && word.front() == '0';
    return failed == std::errc() && stop == end && !has_idle_zero ? std::optional(port)
                                                                  : std::nullopt;
}

/// `line`: what stands between `PROXY ` and the line end.
proxy_header read_text(std::string_view line, std::size_t used) {
    proxy_header header;
    header.status = proxy_status::ok;
    header.used = used;
    const auto family = take_word(line);
    if (family == "UNKNOWN") {
        header.is_own = true;
        return header;
    }
    if (family != "TCP4" && family != "TCP6") {
        return bad_header("a PROXY header of another protocol than TCP4 and TCP6");
    }
    const bool is_v4 = family == "TCP4";
    const auto from_text = take_word(line);
    const auto to_text = take_word(line);
    const auto from = base::parse_ip(from_text);
    const auto to = base::parse_ip(to_text);
    const auto from_port = port_of(take_word(line));
    // The last word: a blank behind it would be one too many.
    const auto to_port = port_of(line);
    const bool is_of_family = (from_text.find(':') == from_text.npos) == is_v4 &&
                              (to_text.find(':') == to_text.npos) == is_v4;
    if (!from || !to || !from_port || !to_port || !is_of_family) {
        return bad_header("a PROXY header with a malformed address or port");
    }
    header.from = *from;
    header.from_port = *from_port;
    header.to = *to;
    return header;
}

proxy_header read_text_line(std::string_view in) {
    const auto seen = in.substr(0, longest_text);
    const auto end = seen.find("\r\n");
    if (end == seen.npos) {
        const auto wanted = seen.size() + (seen.ends_with('\r') ? 1 : 2);
        return wanted <= longest_text ? need_more(std::max(wanted, shortest_text))
                                      : bad_header("a PROXY line too long");
    }
    return read_text(in.substr(text_begin.size(), end - text_begin.size()), end + 2);
}

std::uint8_t byte_at(std::string_view in, std::size_t at) {
    return static_cast<std::uint8_t>(in[at]);
}
std::uint16_t number_at(std::string_view in, std::size_t at) {
    return static_cast<std::uint16_t>(byte_at(in, at) << 8 | byte_at(in, at + 1));
}

template <std::size_t Size>
base::ip_address address_at(std::string_view in, std::size_t at) {
    std::array<std::uint8_t, Size> bytes{};
    std::transform(in.begin() + static_cast<std::ptrdiff_t>(at),
                   in.begin() + static_cast<std::ptrdiff_t>(at + Size), bytes.begin(),
                   [](char c) { return static_cast<std::uint8_t>(c); });
    if constexpr (Size == 4) {
        return base::ip_of_v4(bytes);
    } else {
        return {bytes};
    }
}

/// `in`: the whole header. Form of the addresses: from, to, the two ports.
template <std::size_t Size>
void read_addresses(std::string_view in, proxy_header& header) {
    header.from = address_at<Size>(in, binary_head);
    header.to = address_at<Size>(in, binary_head + Size);
    header.from_port = number_at(in, binary_head + 2 * Size);
}

proxy_header read_binary(std::string_view in) {
    constexpr std::uint8_t own = 0x20;
    constexpr std::uint8_t proxied = 0x21;
    constexpr std::uint8_t unspecified = 0x00;
    constexpr std::uint8_t tcp_v4 = 0x11;
    constexpr std::uint8_t tcp_v6 = 0x21;
    constexpr std::size_t bytes_v4 = 12;
    constexpr std::size_t bytes_v6 = 36;
    if (in.size() > 12 && byte_at(in, 12) != own && byte_at(in, 12) != proxied) {
        return bad_header("a PROXY header of another version or command");
    }
    if (in.size() < binary_head) {
        return need_more(binary_head);
    }
    const auto command = byte_at(in, 12);
    const auto family = byte_at(in, 13);
    const std::size_t length = number_at(in, 14);
    if (binary_head + length > max_proxy_header_bytes) {
        return bad_header("a PROXY header too long");
    }
    const bool has_addresses = command == proxied && family != unspecified;
    if (has_addresses && family != tcp_v4 && family != tcp_v6) {
        return bad_header("a PROXY header of another protocol than TCP over IP");
    }
    if (has_addresses && length < (family == tcp_v4 ? bytes_v4 : bytes_v6)) {
        return bad_header("a PROXY header too short for its addresses");
    }
    if (in.size() < binary_head + length) {
        return need_more(binary_head + length);
    }
    proxy_header header;
    header.status = proxy_status::ok;
    header.used = binary_head + length;
    header.is_own = !has_addresses;
    if (has_addresses && family == tcp_v4) {
        read_addresses<4>(in, header);
    } else if (has_addresses) {
        read_addresses<16>(in, header);
    }
    return header;
}

} // namespace

proxy_header read_proxy_header(std::string_view in) {
    if (may_become(in, text_begin)) {
        return in.size() < text_begin.size() ? need_more(shortest_text) : read_text_line(in);
    }
    if (may_become(in, binary_begin)) {
        return in.size() < binary_begin.size() ? need_more(binary_head) : read_binary(in);
    }
    return bad_header("no PROXY header");
}

} // namespace shaddock::protocol
