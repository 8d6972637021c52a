#pragma once

#include <shaddock/detail/awaited.hpp>
#include <shaddock/door.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <memory>
#include <utility>

/// How a coroutine waits for the host, and how work is wrapped for it.
namespace shaddock::detail {

template <class Handler>
class resumption final : public door::completion {
public:
    explicit resumption(Handler handler) : handler_(std::move(handler)) {}
    void done(result<door::body> outcome) noexcept override {
        // The object may go as soon as the coroutine runs on.
        auto handler = std::move(handler_);
        std::move(handler)(std::move(outcome));
    }

private:
    Handler handler_;
};

/// Starts an operation of the host with a completion that resumes the awaiting coroutine.
using start_function = std::function<void(std::unique_ptr<door::completion>)>;
template <class = void>
awaitable<result<door::body>> wait(start_function start) {
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                       void(result<door::body>)>(
        [](auto handler, const start_function& begin) {
            begin(std::make_unique<resumption<decltype(handler)>>(std::move(handler)));
        },
        boost::asio::use_awaitable, std::move(start));
}

template <class F>
class function_task final : public door::task {
public:
    explicit function_task(F work) : work_(std::move(work)) {}
    void run() noexcept override { work_(); }

private:
    F work_;
};
/// `work` must not throw.
template <class F>
std::unique_ptr<door::task> make_task(F work) {
    return std::make_unique<function_task<F>>(std::move(work));
}

/// The current exception as a value. Call inside a catch block only.
inline error current_error() {
    try {
        throw;
    } catch (const error& failed) {
        return failed;
    } catch (const std::exception& failed) {
        return error(errc::internal, failed.what());
    } catch (...) {
        return error(errc::internal, "unknown exception");
    }
}

inline void log_failure(door::host& host, std::string_view what, const error& failed) {
    const auto level =
        failed.code() == errc::cancelled ? door::log_level::debug : door::log_level::error;
    host.log(level, std::string(what) + ": " + std::string(to_string(failed.code())) + ": " +
                        failed.text());
}

/// Ends an operation that the host asked for: posted, never called inline.
inline void complete(door::host& host, std::unique_ptr<door::completion> done,
                     result<door::body> outcome) {
    host.post(make_task([done = std::move(done), outcome = std::move(outcome)]() mutable {
        done->done(std::move(outcome));
    }));
}

inline result<void> without_value(const result<door::body>& outcome) {
    if (!outcome) {
        return outcome.error();
    }
    return {};
}

/// Runs a coroutine on the host's loop, beginning at once when on the loop. What it throws is
/// logged under `what`.
template <class = void>
void spawn(door::host& host, std::string what, awaitable<void> work) {
    boost::asio::co_spawn(host.executor(), std::move(work),
                          [&host, what = std::move(what)](const std::exception_ptr& thrown) {
                              if (thrown) {
                                  try {
                                      std::rethrow_exception(thrown);
                                  } catch (...) {
                                      log_failure(host, what, current_error());
                                  }
                              }
                          });
}

} // namespace shaddock::detail
