#pragma once

#include "cluster_view.hpp"
#include "commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace shaddock::master {

/// A record that is no server's: of a machine that has not done its part.
template <class Record>
Record failed_record(const std::string& machine, const std::string& reason) {
    Record record;
    record.id = machine;
    record.reason = reason;
    record.machine = machine;
    return record;
}

/// A restart or a reload of servers on several machines: one machine after the other, and what
/// fails on one is not tried on the next. `Results`: control::start_results or reload_results.
/// Lives until it has ended.
template <class Results>
class rolling_command : public std::enable_shared_from_this<rolling_command<Results>> {
public:
    using done_call = commands::done_call<Results>;
    /// Has a machine do its share.
    using share_call = std::function<void(const command_share&, done_call)>;

    /// `not_tried`: why one is left alone.
    rolling_command(cluster_view all, std::vector<command_share> shares, std::string not_tried,
                    share_call call, done_call done)
        : all_(std::move(all)), shares_(std::move(shares)), not_tried_(std::move(not_tried)),
          call_(std::move(call)), done_(std::move(done)) {}

    /// `silent`: machines that may have had a share.
    void start(const std::vector<const machine_view*>& silent) {
        for (const auto* one : silent) {
            auto failed = failed_record<record>(one->place.name, one->silent);
            failed.type = "master";
            made_.results.push_back(std::move(failed));
        }
        advance();
    }

private:
    using record = typename decltype(Results::results)::value_type;

    void advance() {
        while (next_ < shares_.size()) {
            auto share = without_failed(shares_[next_++]);
            if (!share.words.empty()) {
                return call_(share, [self = this->shared_from_this(), share](result<Results> made) {
                    self->ended(share, std::move(made));
                });
            }
        }
        done_(std::move(made_));
    }

    command_share without_failed(command_share share) {
        if (failed_types_.empty()) {
            return share;
        }
        const auto meant = all_.meant(share);
        share.words.clear();
        for (const auto& row : meant) {
            if (failed_types_.contains(row.type)) {
                add(row, share.machine, not_tried_, true);
            } else {
                share.words.push_back(row.id);
            }
        }
        return share;
    }

    void ended(const command_share& share, result<Results> made) {
        if (!made && shares_.size() == 1 && made_.results.empty()) {
            return done_(made.error());
        }
        if (made) {
            for (auto& one : made->results) {
                one.machine = share.machine;
                if (!one.ok && !one.skipped.value_or(false)) {
                    failed_types_.insert(one.type);
                }
                made_.results.push_back(std::move(one));
            }
        } else {
            for (const auto& row : all_.meant(share)) {
                add(row, share.machine, made.error().text(), false);
                failed_types_.insert(row.type);
            }
        }
        advance();
    }

    void add(const control::server_row& of, const std::string& machine, const std::string& reason,
             bool is_skipped) {
        auto one = failed_record<record>(machine, reason);
        one.id = of.id;
        one.type = of.type;
        one.skipped = is_skipped ? std::optional(true) : std::nullopt;
        made_.results.push_back(std::move(one));
    }

    cluster_view all_;
    std::vector<command_share> shares_;
    std::string not_tried_;
    share_call call_;
    done_call done_;
    std::size_t next_ = 0;
    std::set<std::string> failed_types_;
    Results made_;
};

} // namespace shaddock::master
