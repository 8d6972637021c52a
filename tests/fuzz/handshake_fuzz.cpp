#include "check.hpp"

#include <protocol/handshake.hpp>

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
    check(second->client_type == first->client_type &&
              second->client_version == first->client_version &&
              second->proto_version == first->proto_version &&
              second->dict_version == first->dict_version && second->user == first->user,
          "the same request again");
    check(second->rsa == (first->rsa.empty() ? "{}" : first->rsa), "the same key again");
    return 0;
}
