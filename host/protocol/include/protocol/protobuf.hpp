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
/// twice: the place of the first, the value of the last), unknown keys left out, numbers truncated
/// and numeric strings taken where an integer stands, characters beyond U+FFFF as UTF-8.
/// Errors: bad_request, naming the field: not an object, a required field missing or null (also in
/// nested messages and elements), a number that does not fit, nothing to write. Nothing is appended
/// then.
result<void> json_to_protobuf(std::string& out, const proto_message& proto, std::string_view json);

/// Appends the dialect's bytes as compact JSON: fields in the order in which they come, repeated
/// ones gathered, of a scalar twice the last counts. Wire types are ignored (the browser client
/// labels integers wrongly); no bytes are `{}`; CESU-8 pairs are put together, NaN and infinities
/// become null.
/// Errors: bad_request for an unknown tag and for anything cut off, overrun or deeper than 64
/// levels. Nothing is appended then.
result<void> protobuf_to_json(std::string& out, const proto_message& proto, std::string_view bytes);

} // namespace shaddock::protocol
