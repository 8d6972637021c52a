#include "check.hpp"

#include <protocol/handshake.hpp>
#include <protocol/utf8.hpp>

using namespace shaddock::protocol;
using shaddock::fuzz::check;

/// What was read can be written and read again, raw parts included.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(data), size);
    const auto first = parse_handshake_request(in);
    if (!first) {
        check(first.error().code() == shaddock::errc::bad_request, "refused as bad_request");
        return 0;
    }
    const auto second = parse_handshake_request(handshake_request_body(*first));
    check(second.has_value(), "it can be read again");
    if (!is_utf8(first->client_type) || !is_utf8(first->client_version) ||
        !is_utf8(first->proto_version.value_or("")) || !is_utf8(first->dict_version.value_or(""))) {
        return 0; // what is no UTF-8 is written as U+FFFD
    }
    check(second->client_type == first->client_type &&
              second->client_version == first->client_version &&
              second->proto_version == first->proto_version &&
              second->dict_version == first->dict_version && second->user == first->user,
          "the same request again");
    check(second->rsa == (first->rsa.empty() ? "{}" : first->rsa), "the same key again");
    return 0;
}
