#pragma once

#include <memory>
#include <utility>

namespace shaddock::base {

/// For what an object posts or hands out and may not live to see: a member of it, which ends with
/// it at the latest. Thread: one loop.
class alive {
public:
    alive() = default;
    alive(const alive&) = delete;
    alive& operator=(const alive&) = delete;
    ~alive() { end(); }

    explicit operator bool() const { return *is_; }
    void end() { *is_ = false; }
    /// For who has something to do after the end, too.
    std::shared_ptr<const bool> flag() const { return is_; }
    /// Does `call` unless this has ended by then.
    template <class F>
    auto guard(F call) const {
        return [is = is_, call = std::move(call)](auto&&... args) mutable -> void {
            if (*is) {
                call(std::forward<decltype(args)>(args)...);
            }
        };
    }

private:
    std::shared_ptr<bool> is_ = std::make_shared<bool>(true);
};

} // namespace shaddock::base
