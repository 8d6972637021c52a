#pragma once

#include "base/function.hpp"

#include <cassert>
#include <cstddef>
#include <utility>

namespace shaddock::base {

/// Shutdown as a type: work enters, `close` stops new work and reports when the last of it has
/// left. Thread: one loop. Lifetime: the destructor asserts that it was closed and is empty, or
/// never entered. Source: Seastar's core/gate.hh, the idea.
class gate {
public:
    /// Holds the gate open for one piece of work; leaves when destroyed.
    class pass {
    public:
        explicit pass(gate& owner) : owner_(&owner) { ++owner_->inside_; }
        pass(pass&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
        pass& operator=(pass&& other) noexcept {
            std::swap(owner_, other.owner_);
            return *this;
        }
        ~pass() {
            if (owner_ != nullptr) {
                owner_->leave();
            }
        }

    private:
        gate* owner_;
    };

    gate() = default;
    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;
    ~gate() { assert(inside_ == 0); }

    bool is_closed() const { return closed_; }
    std::size_t inside() const { return inside_; }

    /// Stops new work; `done` is called once, at once when nothing is inside, else when the last
    /// pass leaves.
    void close(unique_function<void()> done) {
        assert(!closed_);
        closed_ = true;
        done_ = std::move(done);
        finish_if_empty();
    }

private:
    void leave() {
        assert(inside_ > 0);
        --inside_;
        finish_if_empty();
    }
    void finish_if_empty() {
        if (closed_ && inside_ == 0 && done_) {
            auto done = std::move(done_);
            done();
        }
    }

    std::size_t inside_ = 0;
    bool closed_ = false;
    unique_function<void()> done_;
};

} // namespace shaddock::base
