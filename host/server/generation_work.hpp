#pragma once

#include "base/function.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <memory>
#include <type_traits>
#include <utility>

namespace shaddock::server {

/// Counts what one generation of a plugin has under way on the loop: coroutines that have not
/// ended, handlers that have not run, what it waits for. Its executor is what the plugin gets.
/// Thread: any for the executor and for dropping what was held, the loop for the rest. Lifetime:
/// the executor may outlive it.
class generation_work {
    /// Tells, on the loop, when the last who holds it lets go.
    struct end {
        boost::asio::any_io_executor loop;
        base::unique_function<void()> told;
        /// Handlers are destroyed unrun.
        std::atomic<bool> is_discarded = false;
        explicit end(boost::asio::any_io_executor on) : loop(std::move(on)) {}
        end(const end&) = delete;
        end& operator=(const end&) = delete;
        ~end() {
            if (told) {
                boost::asio::post(loop, std::move(told));
            }
        }
    };

public:
    /// One piece of work, as long as it is held.
    using anchor = std::shared_ptr<const end>;

    explicit generation_work(boost::asio::any_io_executor loop)
        : loop_(std::move(loop)), own_(std::make_shared<end>(loop_)), to_(own_) {}

    /// Runs work on the loop and counts it.
    boost::asio::any_io_executor executor() const { return counting(loop_, to_); }
    /// Null when the work was closed and has ended.
    anchor hold() const { return to_.lock(); }
    /// 0: nothing of the generation can run any more, unless somebody calls it. A coroutine counts
    /// more than once.
    std::size_t count() const { return static_cast<std::size_t>(to_.use_count()) - (own_ ? 1 : 0); }
    /// No handler runs any more; what waits to run is destroyed instead.
    void discard() {
        if (own_) {
            own_->is_discarded = true;
        }
    }
    /// From here on the work ends when its last piece does, now or later; `ended` is posted then.
    /// What begins after that end is not counted. A second call does nothing.
    void close(base::unique_function<void()> ended) {
        if (own_) {
            own_->told = std::move(ended);
            own_.reset();
        }
    }

private:
    /// Work in the sense of Asio (a coroutine holds its executor in the tracked form as long as it
    /// lives) and each handler that waits to run hold the anchor.
    class counting {
    public:
        counting(boost::asio::any_io_executor inner, std::weak_ptr<const end> to)
            : inner_(std::move(inner)), to_(std::move(to)) {}

        template <
            class Property,
            std::enable_if_t<
                boost::asio::can_require_v<const boost::asio::any_io_executor&, Property>, int> = 0>
        counting require(const Property& property) const {
            return with(boost::asio::require(inner_, property), held_);
        }
        // `prefer_only<P>`, as any_io_executor asks, unpacks itself into P.
        template <class Property>
        requires(boost::asio::can_prefer_v<const boost::asio::any_io_executor&, Property> &&
                 !requires(const Property& only) { only.property; }) counting
            prefer(const Property& property)
        const {
            using namespace boost::asio::execution;
            auto inner = boost::asio::prefer(inner_, property);
            if constexpr (std::is_same_v<Property, outstanding_work_t::tracked_t>) {
                return with(std::move(inner), to_.lock());
            } else if constexpr (std::is_same_v<Property, outstanding_work_t::untracked_t>) {
                return with(std::move(inner), nullptr);
            } else {
                return with(std::move(inner), held_);
            }
        }
        template <
            class Property,
            std::enable_if_t<
                boost::asio::can_query_v<const boost::asio::any_io_executor&, Property>, int> = 0>
        decltype(auto) query(const Property& property) const {
            return boost::asio::query(inner_, property);
        }
        boost::asio::execution_context& query(boost::asio::execution::context_t) const {
            return inner_.context();
        }

        template <class F>
        void execute(F&& work) const {
            inner_.execute(
                [held = to_.lock(), run = std::decay_t<F>(std::forward<F>(work))]() mutable {
                    if (!held || !held->is_discarded) {
                        std::move(run)();
                    }
                });
        }
        friend bool operator==(const counting& left, const counting& right) noexcept {
            return left.inner_ == right.inner_ && !left.to_.owner_before(right.to_) &&
                   !right.to_.owner_before(left.to_);
        }
        friend bool operator!=(const counting& left, const counting& right) noexcept {
            return !(left == right);
        }

    private:
        counting with(boost::asio::any_io_executor inner, anchor held) const {
            counting made(std::move(inner), to_);
            made.held_ = std::move(held);
            return made;
        }

        boost::asio::any_io_executor inner_;
        std::weak_ptr<const end> to_;
        anchor held_;
    };

    boost::asio::any_io_executor loop_;
    std::shared_ptr<end> own_;
    std::weak_ptr<const end> to_;
};

} // namespace shaddock::server
