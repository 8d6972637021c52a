#pragma once

#include "protocol/protos.hpp"

#include <map>
#include <string>
#include <vector>

namespace shaddock::cli {

/// Where replies do not fit the proto of their route.
struct unfit_reply {
    std::string route;
    /// `found no member 'msg' in its replies, expected one: the field is required`.
    std::string text;
};

/// Compares serverProtos.json with the shapes of replies, by route (shaddock/detail/shape.hpp).
/// Named are required fields that a reply has not, or not always, and members of a kind that a
/// field cannot hold; members that no field is for are left out on the wire, which is no fault.
/// Routes without a proto or a known shape are passed over.
std::vector<unfit_reply> unfit_replies(const protocol::proto_set& protos,
                                       const std::map<std::string, std::string>& replies);

} // namespace shaddock::cli
