#pragma once

#include <shaddock/detail/wait.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

/// How a coroutine waits for a pool thread, and no longer than it wants to.
namespace shaddock::detail {

/// What the thread leaves behind. Read after it has come back only.
struct thread_outcome {
    std::exception_ptr thrown;
    bool has_run = false;

    void check() const {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
        if (!has_run) {
            throw error(errc::overloaded, "no thread is free for blocking work");
        }
    }
};
template <class T>
struct thread_value : thread_outcome {
    std::optional<T> value;
};
/// Stands for `void` in thread_value.
struct no_value {};

/// The waiting coroutine, which is resumed once: by its thread or by its time limit. Thread: the
/// loop.
class thread_wait {
public:
    explicit thread_wait(std::unique_ptr<door::completion> done) : done_(std::move(done)) {}
    bool is_over() const { return done_ == nullptr; }
    void end(result<door::body> outcome) {
        if (auto done = std::move(done_)) {
            done->done(std::move(outcome));
        }
    }
    /// Nobody will end it: the coroutine is destroyed.
    void drop() { done_.reset(); }

private:
    std::unique_ptr<door::completion> done_;
};

/// Runs when the thread has come back; dropped by the host when the generation's work was
/// cancelled by then.
class after_thread final : public door::task {
public:
    explicit after_thread(std::shared_ptr<thread_wait> wait) : wait_(std::move(wait)) {}
    ~after_thread() override { wait_->drop(); }
    void run() noexcept override { wait_->end(door::body{}); }

private:
    std::shared_ptr<thread_wait> wait_;
};

/// Ends a wait that takes longer than `within`. It sleeps in short steps, because a sleep that is
/// no longer needed keeps a replaced generation until it ends.
class thread_limit final : public door::completion {
public:
    thread_limit(door::host& host, std::shared_ptr<thread_wait> wait, door::duration within)
        : host_(host), wait_(std::move(wait)), since_(host.now()), within_(within) {}

    static void watch(std::unique_ptr<thread_limit> limit) {
        auto& host = limit->host_;
        constexpr door::duration longest_step = std::chrono::milliseconds(250);
        const auto step = std::clamp(limit->left(), door::duration::zero(), longest_step);
        host.sleep(step, std::move(limit));
    }
    void done(result<door::body> slept) noexcept override {
        // Cancelled: the host ends the wait for the thread itself.
        if (!slept || wait_->is_over()) {
            return;
        }
        if (left() > door::duration::zero()) {
            watch(std::make_unique<thread_limit>(std::move(*this)));
            return;
        }
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(within_).count();
        wait_->end(
            error(errc::timeout, "blocking work took longer than " + std::to_string(ms) + " ms"));
    }

private:
    door::duration left() const { return within_ - (host_.now() - since_); }

    door::host& host_;
    std::shared_ptr<thread_wait> wait_;
    door::time_point since_;
    door::duration within_;
};

/// Runs `work` on a pool thread. Throws errc::timeout when it takes longer; it then runs on, and
/// what it leaves is dropped on the loop when it has ended.
template <class = void>
awaitable<void> wait_for_thread(door::host& host, std::unique_ptr<door::task> work,
                                door::duration within) {
    auto pending = wait([&](std::unique_ptr<door::completion> done) {
        auto ends = std::make_shared<thread_wait>(std::move(done));
        host.blocking(std::move(work), std::make_unique<after_thread>(ends));
        if (within != door::duration::max()) {
            thread_limit::watch(std::make_unique<thread_limit>(host, ends, within));
        }
    });
    const auto outcome = co_await std::move(pending);
    outcome.value();
}

} // namespace shaddock::detail
