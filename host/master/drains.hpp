#pragma once

#include "base/clock.hpp"
#include "config/load.hpp"
#include "master/supervisor.hpp"
#include "server_book.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::master {

/// Servers that leave the list while their rooms stay (`rooms: stay` of their types): each ends
/// when its rooms are empty, or when its time has passed. Who drains, and until when, stands in the
/// list, so that the next master goes on with it. Thread: the loop. Lifetime: what it is given
/// outlives it.
class drains {
public:
    /// Takes a server out of the list, and stops it once what it has left has moved. `why` is for
    /// people. Errors: the list cannot be written; it is tried again then.
    using end_call = std::function<result<void>(const std::string& id, std::string_view why)>;

    drains(base::clock& clock, const config::system& system, server_book& book,
           supervisor& children, end_call end)
        : clock_(clock), system_(system), book_(book), children_(children), end_(std::move(end)) {}
    drains(const drains&) = delete;
    drains& operator=(const drains&) = delete;

    /// From now on these drain, at most for so long; a time that is given again counts anew.
    /// Errors: refused (no server, its type's rooms move, it is stopped, it is the last
    /// of its type that takes new rooms); config (the list cannot be written). Nothing has changed
    /// then.
    result<void> start(const std::vector<std::string>& ids, std::chrono::milliseconds within);
    /// A server has reported, or this master begins.
    void look();
    /// What `host list` says of one that drains; nothing of others.
    void show(control::server_row& row) const;

private:
    result<void> check(const std::string& id, const std::vector<std::string>& with) const;
    bool is_last(const config::server_record& record, const std::vector<std::string>& with) const;
    std::string_view why_over(const config::server_record& record,
                              const std::vector<child_report>& children) const;

    base::clock& clock_;
    const config::system& system_;
    server_book& book_;
    supervisor& children_;
    end_call end_;
    base::timer next_;
    /// After a failure.
    base::time_point not_before_{};
};

} // namespace shaddock::master
