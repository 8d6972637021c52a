#pragma once

#include <nats/nats.h>

#include <functional>
#include <memory>

namespace shaddock::nats {

/// The library's own connection, for the files of this room that speak JetStream. Thread: any.
class handle {
public:
    using held = std::shared_ptr<natsConnection>;
    explicit handle(std::function<held()> now) : now_(std::move(now)) {}

    /// Null before the first contact and after the stop. The library gives a connection up for ever
    /// after some errors (refused twice, for one); then another one takes its place, so ask again
    /// at each on_up. Calls on it that wait belong on a worker thread, which lets go of it before
    /// connection::stop is called.
    held get() const { return now_(); }

private:
    std::function<held()> now_;
};

} // namespace shaddock::nats
