#pragma once

#include "base/metrics.hpp"

#include <string>
#include <string_view>

/// Metrics as they travel from a server to its master, and on to whoever asks the master for JSON.
namespace shaddock::cluster {

/// Form: an array of families
/// {"name":"shaddock_requests_total","help":"..","kind":"counter|gauge|histogram",
///  "labels":["route","result"],"samples":[[["chat.chatHandler.send","ok"],12], ..]}.
/// A histogram has "bounds":[0.00005, ..] (upper, in seconds) and samples
/// [[<label values>],[<count per bucket, not cumulative, one more than bounds>],<sum>].
std::string metrics_json(const base::metric_families& families);
/// Errors: bad_request (not that form; the text says where).
result<base::metric_families> metrics_from_json(std::string_view text);

} // namespace shaddock::cluster
