#pragma once

#include "base/function.hpp"

#include <cassert>
#include <cstddef>
#include <optional>
#include <utility>

namespace shaddock::base {

/// Shutdown as a type: work enters, `close` stops new work and reports when the last of it has
/// left. Thread: one loop. Lifetime: outlives its passes; the destructor asserts that nothing is
/// inside, and that it was closed if anything ever entered. Source: Seastar's core/gate.hh, the
/// idea.
class gate {
public:
    /// Holds the gate open for one piece of work; leaves when destroyed.
    class [[nodiscard]] pass {
    public:
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
        friend class gate;
        explicit pass(gate& owner) : owner_(&owner) { ++owner_->inside_; }
        gate* owner_;
    };

    gate() = default;
    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;
    ~gate() {
        assert(inside_ == 0 && "destroyed with work inside");
        assert((is_closed_ || !was_entered_) && "never closed");
    }

    bool is_closed() const { return is_closed_; }
    std::size_t inside() const { return inside_; }

    /// Nothing when it is closed. Who knows that it is open takes the value().
    [[nodiscard]] std::optional<pass> enter() {
        if (is_closed_) {
            return std::nullopt;
        }
        was_entered_ = true;
        return pass(*this);
    }

    /// Stops new work; `done` is called once, at once when nothing is inside, else when the last
    /// pass leaves. Call once.
    void close(unique_function<void()> done) {
        assert(!is_closed_);
        is_closed_ = true;
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
        if (is_closed_ && inside_ == 0 && done_) {
            auto done = std::move(done_);
            done();
        }
    }

    std::size_t inside_ = 0;
    bool is_closed_ = false;
    bool was_entered_ = false;
    unique_function<void()> done_;
};

} // namespace shaddock::base
