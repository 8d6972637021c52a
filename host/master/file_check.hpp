#pragma once

#include "base/function.hpp"
#include "base/process.hpp"
#include "master/master.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace shaddock::master {

/// Whether the files are fit for a start of what runs: `host check` in a process of its own, one
/// at a time. Thread: the loop. Lifetime: what it is given outlives it.
class file_check {
public:
    file_check(boost::asio::any_io_executor executor, base::process_starter& processes,
               const master_options& options)
        : executor_(std::move(executor)), processes_(processes), options_(options) {}
    file_check(const file_check&) = delete;
    file_check& operator=(const file_check&) = delete;

    /// `done` once, never inline. Errors: config (what it has found), duplicate (a check is under
    /// way).
    void start(base::unique_function<void(result<void>)> done);

private:
    boost::asio::any_io_executor executor_;
    base::process_starter& processes_;
    const master_options& options_;
    std::unique_ptr<base::process> running_;
};

} // namespace shaddock::master
