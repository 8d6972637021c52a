#pragma once

#include "master/peers.hpp"
#include "master/shared_list.hpp"

namespace shaddock::master {

/// What the masters of several machines share: each other, and the list of servers. Thread: the
/// loop.
class machines : public peers, public shared_list {
public:
    /// Others hear of this master from now on, and it of them; once. Errors: config (an option that
    /// cannot be used).
    virtual result<void> start() = 0;
};

} // namespace shaddock::master
