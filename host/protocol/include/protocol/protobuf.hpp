#pragma once

#include <protocol/protos.hpp>

#include <shaddock/error.hpp>

#include <string>
#include <string_view>

/// Bodies between JSON and Pomelo's protobuf dialect, streaming, without a tree in between.
///
/// The dialect: tag varint (tag << 3 | wire), wire 0 for integers, 5 float, 1 double, 2 string and
/// message; int32 and sInt32 zig-zag; repeated numbers as one tag, element count, values; repeated
/// strings and messages with a tag each. Source: pomelo-protobuf 0.4.0. Thread: any.
namespace shaddock::protocol {

/// Appends `json` (an object) in the dialect. Fields in the order of the JSON's keys (of a key
/// twice: the place of the first, the value of the last), unknown keys left out; characters beyond
/// U+FFFF as UTF-8, lone surrogates and stray bytes as U+FFFD. Values as JavaScript converts them:
/// integers by parseInt (3.7 is 3, "12" is 12), floats by Number ("1.5", true); 1e999 is infinite;
/// a repeated field that is null is empty.
/// Errors: bad_request, naming the field: not an object, a required field missing (also in nested
/// messages and elements), null or a value of another kind, a uInt32 that is negative or over 2^53,
/// an int32 or sInt32 beyond 2^52 either way (clients would misread it), deeper than 64 levels,
/// nothing to write. Nothing is appended then.
result<void> json_to_protobuf(std::string& out, const proto_message& proto, std::string_view json);

/// Appends the dialect's bytes as compact JSON: fields in the order in which they come, repeated
/// ones gathered, of a scalar twice the last counts. Wire types are ignored (the browser client
/// labels integers wrongly); required fields may be missing, no bytes are `{}`; CESU-8 pairs are
/// put together, NaN and infinities become null. Errors: bad_request, naming the field: an unknown
/// tag, anything cut off or overrun, a varint over 2^53 or in more than 8 bytes, messages deeper
/// than 64 levels. Nothing is appended then.
result<void> protobuf_to_json(std::string& out, const proto_message& proto, std::string_view bytes);

} // namespace shaddock::protocol
