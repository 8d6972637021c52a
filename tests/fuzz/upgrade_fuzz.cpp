#include "check.hpp"

#include <protocol/upgrade.hpp>

#include <string>

using namespace shaddock::protocol;
using shaddock::fuzz::check;

/// Every answer is a whole HTTP response, and an accepted request is one that our client half
/// accepts.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(data), size);
    const upgrade_outcome server = answer_upgrade_request(in);
    check(server.used <= in.size(), "no more used than there is");
    switch (server.status) {
    case upgrade_status::need_more:
        check(size < max_http_head_bytes && server.answer.empty(), "waits only within the bound");
        break;
    case upgrade_status::accepted:
        check(server.answer.starts_with("HTTP/1.1 101 ") && server.answer.ends_with("\r\n\r\n"),
              "a whole 101");
        break;
    case upgrade_status::refused:
        check(server.answer.starts_with("HTTP/1.1 4") &&
                  server.answer.ends_with("\r\nContent-Length: 0\r\n\r\n"),
              "a whole refusal");
        break;
    }
    const upgrade_outcome client = check_upgrade_response(in, "dGhlIHNhbXBsZSBub25jZQ==");
    check(client.used <= in.size(), "no more used than there is");
    check(client.status != upgrade_status::accepted || client.http_status == 101, "only 101");
    return 0;
}
