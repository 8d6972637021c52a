#include "server_book.hpp"

#include "addition.hpp"
#include "base/log.hpp"
#include "cluster/records.hpp"
#include "control/run_files.hpp"
#include "private_file.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace shaddock::master {
namespace {

bool has(const std::vector<std::string>& ids, const std::string& id) {
    return std::ranges::find(ids, id) != ids.end();
}

} // namespace

void server_book::propose(std::vector<door::server_info> servers, std::uint64_t epoch,
                          cluster::proposed_call done) {
    auto taken = take(servers, epoch);
    result<cluster::proposal> made = error();
    if (taken) {
        made = cluster::proposal{*taken,
                                 std::make_shared<const cluster::view>(cluster::list_of(system_))};
    } else {
        made = taken.error();
    }
    boost::asio::post(executor_, [made = std::move(made), done = std::move(done)]() mutable {
        done(std::move(made));
    });
}

result<bool> server_book::take(const std::vector<door::server_info>& servers, std::uint64_t epoch) {
    if (epoch != system_.epoch) {
        return false;
    }
    auto next = system_.servers;
    bool is_same = true;
    for (auto& record : next) {
        const auto at = std::ranges::find(servers, record.id, &door::server_info::id);
        const bool is_out = at == servers.end();
        const bool is_leaving = !is_out && at->is_leaving;
        is_same = is_same && record.stopped == is_out && record.leaving.has_value() == is_leaving;
        record.stopped = is_out;
        record.leaving = is_leaving ? std::optional(record.leaving.value_or(0)) : std::nullopt;
    }
    if (!is_same) {
        if (auto kept = become(std::move(next), epoch + 1); !kept) {
            return kept.error();
        }
    }
    return true;
}

result<void> server_book::change(const std::vector<std::string>& ids, bool are_in_it) {
    std::vector<door::server_info> wanted;
    for (const auto& record : system_.servers) {
        if (has(ids, record.id) ? are_in_it : !record.stopped) {
            wanted.push_back(cluster::info_of(record));
            wanted.back().is_leaving = wanted.back().is_leaving && !has(ids, record.id);
        }
    }
    const auto taken = take(wanted, system_.epoch);
    return taken ? result<void>() : taken.error();
}

result<void> server_book::leave(const std::vector<std::string>& ids, std::uint64_t until_ms) {
    auto next = system_.servers;
    bool is_same = true;
    for (auto& record : next) {
        if (has(ids, record.id)) {
            is_same = is_same && record.leaving;
            record.leaving = until_ms;
        }
    }
    return become(std::move(next), system_.epoch + (is_same ? 0 : 1));
}

result<void> server_book::add(std::vector<config::server_record> records) {
    auto next = system_.servers;
    for (auto& record : records) {
        record.stopped = true;
        next.push_back(std::move(record));
    }
    return become(std::move(next), system_.epoch);
}

result<void> server_book::drop(const std::vector<std::string>& ids) {
    auto next = system_.servers;
    std::erase_if(next, [&](const auto& record) { return record.stopped && has(ids, record.id); });
    return become(std::move(next), system_.epoch);
}

result<void> server_book::keep() const {
    return write_private_file(control::running_list(run_),
                              list_text(system_.servers, system_.epoch));
}

void server_book::catch_up(std::uint64_t epoch) {
    if (others_ != nullptr) {
        return; // the list that all share will tell it
    }
    if (epoch > system_.epoch) {
        (void)become(system_.servers, epoch + 1);
    }
}

void server_book::follow(const cluster::view& now) {
    listed_.emplace();
    for (const auto& each : now.servers) {
        listed_->insert(each.id);
    }
    guests_.clear();
    for (const auto& each : now.guests) {
        guests_.insert(each.id);
    }
    if (system_.epoch != now.epoch) {
        system_.epoch = now.epoch;
        write_shared();
    }
}

/// What all have agreed on counts here, too, and only waits to be written down.
void server_book::write_shared() {
    const auto kept = keep();
    if (!kept && is_written_) {
        base::log::warn("master",
                        "{}; the list of servers counts as all masters have agreed on it, and is "
                        "written as soon as it can be",
                        kept.error().text());
    }
    is_written_ = kept.has_value();
}

void server_book::write_again() {
    if (!is_written_) {
        write_shared();
    }
}

bool server_book::is_unlisted(std::string_view id) const {
    const auto* record = system_.find(id);
    return listed_ && record != nullptr && record->is_here && !record->stopped &&
           !listed_->contains(id);
}

std::vector<std::string> server_book::left_out() const {
    std::vector<std::string> ids;
    for (const auto& record : system_.servers) {
        if (is_unlisted(record.id) && guests_.contains(record.id)) {
            ids.push_back(record.id);
        }
    }
    return ids;
}

std::vector<std::string> server_book::shared_own() const {
    std::vector<std::string> ids;
    for (const auto& record : system_.servers) {
        if (listed_ && record.is_here && listed_->contains(record.id)) {
            ids.push_back(record.id);
        }
    }
    const bool has_others = listed_ && listed_->size() > ids.size();
    return has_others ? ids : std::vector<std::string>();
}

result<void> server_book::bring_in(const std::vector<std::string>& ids) {
    list_change wanted;
    for (const auto& id : ids) {
        if (const auto* record = system_.find(id)) {
            wanted.in.push_back(cluster::info_of(*record));
        }
    }
    const auto agreed = others_->agree(wanted);
    if (!agreed) {
        return agreed.error();
    }
    follow(**agreed);
    return {};
}

/// Only servers of this machine change here: commands for others are forwarded.
result<std::uint64_t> server_book::agree(const std::vector<config::server_record>& next) {
    list_change wanted;
    for (const auto& record : next) {
        const auto* before = system_.find(record.id);
        const bool was_in = before != nullptr && !before->stopped;
        const bool was_leaving = before != nullptr && before->leaving;
        if (record.stopped) {
            if (was_in) {
                wanted.out.push_back(record.id);
            }
        } else if (!was_in || (was_leaving && !record.leaving)) {
            wanted.in.push_back(cluster::info_of(record));
        } else if (record.leaving && !was_leaving) {
            wanted.leaving.push_back(record.id);
        }
    }
    if (wanted.is_empty()) {
        return system_.epoch;
    }
    const auto agreed = others_->agree(wanted);
    if (!agreed) {
        return agreed.error();
    }
    follow(**agreed);
    return (*agreed)->epoch;
}

result<void> server_book::become(std::vector<config::server_record> next, std::uint64_t epoch) {
    if (others_ != nullptr) {
        const auto agreed = agree(next);
        if (!agreed) {
            return agreed.error();
        }
        system_.servers = std::move(next);
        system_.epoch = *agreed;
        write_shared();
        publish_();
        return {};
    }
    auto before = std::exchange(system_.servers, std::move(next));
    const auto last = std::exchange(system_.epoch, epoch);
    if (auto kept = keep(); !kept) {
        system_.servers = std::move(before);
        system_.epoch = last;
        return kept;
    }
    publish_();
    return {};
}

} // namespace shaddock::master
