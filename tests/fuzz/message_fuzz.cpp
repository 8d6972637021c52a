#include "check.hpp"

#include <protocol/message.hpp>

#include <string>

using namespace shaddock::protocol;
using shaddock::fuzz::check;

/// What was read, written and read again, is the same message.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(data), size);
    const auto first = decode_message(in);
    if (!first) {
        check(first.error().code() == shaddock::errc::bad_request, "refused as bad_request");
        return 0;
    }
    std::string written;
    check(append_message(written, *first).has_value(), "it can be written");
    check(written.size() == message_bytes(*first), "its size was announced");
    check(written.size() <= in.size(), "never longer than what was read");
    const auto second = decode_message(written);
    check(second.has_value(), "it can be read again");
    check(second->type == first->type && second->id == first->id &&
              second->route_code == first->route_code && second->route == first->route &&
              second->body == first->body,
          "the same message again");
    return 0;
}
