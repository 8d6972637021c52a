#include "check.hpp"

#include <protocol/signature.hpp>

#include <string>

using namespace shaddock::protocol;
using shaddock::fuzz::check;

namespace {

/// The key of the golden vector, of which one signature is known.
const client_key& known_key() {
    static const client_key key =
        client_key::parse(R"({"rsa_e":65537,"rsa_n":")"
                          "b848dd89df5ed5a5a49d1a30e9080f29d8c4ec26ce156c98583347b136abc1c6"
                          "8ae1b72efb4b4e4b7ef12ce02aec8a38dd519aee1b63a055d006062159df6b4e"
                          "b014c5cb808e751dc2f9ef94596dbd40ab7cd5a1aa7fa9dcb5e6b389c73cb0cc"
                          "3bf564f8ef0e633b8b2386f84debb37851a9fee1682cfb5dd28fb6971eee953f"
                          "\"}")
            .value();
    return key;
}

} // namespace

/// The input as a signed body and as a key. Only one text has a signature, so nothing else is ever
/// let through.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(data), size);
    const auto body = known_key().checked_body(in);
    if (body) {
        check(*body == R"({"a":1,"b":"x"})", "only what was signed");
    } else {
        check(body.error().code() == shaddock::errc::refused ||
                  body.error().code() == shaddock::errc::bad_request,
              "refused as one or the other");
    }
    const auto key = client_key::parse(in);
    check(key || key.error().code() == shaddock::errc::bad_request, "a key or bad_request");
    if (key) {
        check(!key->checked_body(R"({"a":1,"__crypto__":"00"})"), "no signature of any key");
    }
    return 0;
}
