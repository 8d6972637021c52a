#pragma once

#include "cluster/registry.hpp"

#include <shaddock/error.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::node {

/// What the master says under `servers` on a server's line: who is expected now. Nobody is up in
/// it; epoch 0: of a master that is older than epochs. Errors: bad_request.
result<cluster::view> list_from_json(std::string_view text);

/// The last lists as they were told, for servers that have not heard of them.
class told_lists {
public:
    /// Limit: the last four; of one epoch, what was told last. Without an epoch it is passed over.
    void keep(std::uint64_t epoch, std::string_view text);
    /// Those of later epochs, in order.
    std::vector<std::string> after(std::uint64_t epoch) const;

private:
    std::map<std::uint64_t, std::string> texts_;
};

} // namespace shaddock::node
