#pragma once

#include "cluster/registry.hpp"
#include "config/load.hpp"
#include "master/shared_list.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace shaddock::master {

/// The list of the running system, and the one place where it changes: every record of `system`
/// that is not stopped. What it says stands in control::running_list() first, then `publish` tells
/// the servers. Thread: the loop, which it blocks while it writes a small file, and while other
/// machines are asked (shared_list::agree). Lifetime: what it is given outlives it.
class server_book final : public cluster::list_keeper {
public:
    server_book(boost::asio::any_io_executor executor, config::system& system,
                std::filesystem::path run, std::function<void()> publish)
        : executor_(std::move(executor)), system_(system), run_(std::move(run)),
          publish_(std::move(publish)) {}
    server_book(const server_book&) = delete;
    server_book& operator=(const server_book&) = delete;

    /// Servers that are no record are passed over. Errors: config (the file cannot be written;
    /// nothing has changed then).
    void propose(std::vector<door::server_info> servers, std::uint64_t epoch,
                 cluster::proposed_call done) override;
    /// Proposes the list with these in it, where they no longer leave, or without them. Errors: as
    /// propose.
    result<void> change(const std::vector<std::string>& ids, bool are_in_it);
    /// These take no new rooms from now on; the list knows until when. 0: without a time limit.
    /// Errors: as propose.
    result<void> leave(const std::vector<std::string>& ids, std::uint64_t until_ms);
    /// A stopped record more or less, which the list does not have. Errors: as propose.
    result<void> add(std::vector<config::server_record> records);
    result<void> drop(const std::vector<std::string>& ids);
    /// Writes what there is. Errors: as propose.
    result<void> keep() const;
    /// On several machines: changes count once all masters have agreed on them, whether they can be
    /// written here or not.
    void share(shared_list& with) { others_ = &with; }
    /// On several machines, from time to time: what could not be written is tried again.
    void write_again();
    /// On several machines: that is the list now.
    void follow(const cluster::view& now);
    /// On several machines: servers of this one that should be in the list, and are its guests: who
    /// is not heard there would be taken out again.
    std::vector<std::string> left_out() const;
    /// On several machines: a server of this one that should be in the list, and is not.
    bool is_unlisted(std::string_view id) const;
    /// On several machines: servers of this one that are in the list, if others are too.
    std::vector<std::string> shared_own() const;
    /// As change(ids, true) of those that never left it by a word. Errors: as propose.
    result<void> bring_in(const std::vector<std::string>& ids);
    /// Servers know of a later list than this book does (its file was lost): it goes on after that.
    void catch_up(std::uint64_t epoch);

private:
    result<bool> take(const std::vector<door::server_info>& servers, std::uint64_t epoch);
    /// `next` counts once it is written.
    result<void> become(std::vector<config::server_record> next, std::uint64_t epoch);

    void write_shared();
    result<std::uint64_t> agree(const std::vector<config::server_record>& next);

    boost::asio::any_io_executor executor_;
    config::system& system_;
    std::filesystem::path run_;
    shared_list* others_ = nullptr;
    /// Ids that the shared list has; nothing before it was told.
    std::optional<std::set<std::string, std::less<>>> listed_;
    /// Those that run beside it, as the shared list says.
    std::set<std::string, std::less<>> guests_;
    bool is_written_ = true;
    std::function<void()> publish_;
};

} // namespace shaddock::master
