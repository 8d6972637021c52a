#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace shaddock::base {

template <class Signature>
class unique_function;

/// A callable that is moved, never copied: what std::function cannot hold (C++23 has
/// std::move_only_function). Lifetime: owns its target. Calling an empty one is our bug.
template <class R, class... Args>
class unique_function<R(Args...)> {
public:
    unique_function() = default;
    unique_function(std::nullptr_t) {}

    // The check does not see that the requires clause keeps copies and moves out.
    // NOLINTBEGIN(bugprone-forwarding-reference-overload)
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, unique_function> &&
             std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>) unique_function(F&& target)
        : target_(std::make_unique<holder<std::remove_cvref_t<F>>>(std::forward<F>(target))) {}
    // NOLINTEND(bugprone-forwarding-reference-overload)

    R operator()(Args... args) { return target_->call(std::forward<Args>(args)...); }
    explicit operator bool() const { return target_ != nullptr; }

private:
    struct concept_base {
        virtual ~concept_base() = default;
        virtual R call(Args... args) = 0;
    };
    template <class F>
    struct holder final : concept_base {
        explicit holder(F&& f) : function(std::move(f)) {}
        explicit holder(const F& f) : function(f) {}
        R call(Args... args) override { return function(std::forward<Args>(args)...); }
        F function;
    };
    std::unique_ptr<concept_base> target_;
};

} // namespace shaddock::base
