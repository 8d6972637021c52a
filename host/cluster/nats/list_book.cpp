#include "list_book.hpp"

#include "../expected.hpp"
#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace shaddock::cluster {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds again_after{250};
/// Of one proposal, against others who write without changing the list.
constexpr int tries_limit = 5;
constexpr std::size_t changes_limit = 64;

std::vector<door::server_info> servers_of(const kept_list& list) {
    std::vector<door::server_info> servers;
    for (const auto& each : list.servers) {
        servers.push_back(told(each));
    }
    return expected_list(std::move(servers));
}

std::string ids_of(const std::vector<std::string>& ids) {
    return ids.empty() ? "nobody" : fmt::format("{}", fmt::join(ids, ", "));
}

} // namespace

list_book::list_book(boost::asio::any_io_executor executor, base::clock& clock, nats::kv& bucket,
                     view first, base::duration settle, std::function<void()> changed)
    : executor_(std::move(executor)), clock_(clock), bucket_(bucket), first_(std::move(first)),
      settle_(settle), changed_(std::move(changed)) {
    first_.epoch = 1;
    first_.servers = expected_list(std::move(first_.servers));
    now_ = view{0, first_.servers, {}};
}

// ---- what the bucket says

void list_book::on_entry(std::string_view value, std::uint64_t revision) {
    if (revision <= revision_) {
        return;
    }
    revision_ = revision;
    auto read = read_list(value);
    is_unreadable_ = !read;
    if (!read) {
        stored_.reset();
        base::log::error("cluster",
                         "bucket {}: '{}' is no list of servers ({}): the list of epoch {} counts "
                         "on; erase the key, and it is written again",
                         bucket_.bucket(), list_key, read.error().text(), now_.epoch);
        return;
    }
    stored_ = std::move(*read);
    if (stored_->epoch > now_.epoch) {
        adopt(*stored_);
    }
    restore();
}

void list_book::take_own(std::string_view value, std::uint64_t revision) {
    // The watch may have told it already. Who has proposed it is answered before the next one's
    // turn.
    is_writing_ = true;
    on_entry(value, revision);
    is_writing_ = false;
}

void list_book::on_erased() {
    stored_.reset();
    is_unreadable_ = false;
    restore();
}

void list_book::on_whole() {
    restore();
}

void list_book::on_new_bucket() {
    stored_.reset();
    revision_ = 0;
    is_unreadable_ = false;
    settled_ = clock_.now() + settle_;
}

void list_book::adopt(const kept_list& told) {
    if (now_.epoch == 0) {
        say_difference(told);
    } else {
        base::log::info("cluster", "the list of servers changes: epoch {} after {}", told.epoch,
                        now_.epoch);
    }
    now_ = view{told.epoch, servers_of(told), {}};
    lost_ = {told.lost.begin(), told.lost.end()};
    changed_();
}

void list_book::say_difference(const kept_list& told) {
    std::vector<std::string> there;
    std::vector<std::string> here;
    std::vector<std::string> other;
    for (const auto& each : told.servers) {
        const auto* own = find_in(first_.servers, each.id);
        if (own == nullptr) {
            there.push_back(each.id);
        } else if (auto kept_own = kept(*own);
                   kept_own.is_leaving = each.is_leaving, kept_own != each) {
            other.push_back(each.id);
        }
    }
    for (const auto& each : first_.servers) {
        if (std::ranges::find(told.servers, each.id, &kept_server::id) == told.servers.end()) {
            here.push_back(each.id);
        }
    }
    if (!there.empty() || !here.empty() || !other.empty()) {
        base::log::warn("cluster",
                        "the list of servers in bucket {} counts (epoch {}), not that of the files "
                        "here: only there {}, only here {}, with another record {}",
                        bucket_.bucket(), told.epoch, ids_of(there), ids_of(here), ids_of(other));
    }
}

// ---- what is known here, written again

kept_list list_book::kept_of(const view& list, const std::set<std::string, std::less<>>& lost) {
    kept_list made{list.epoch, {}, {}};
    for (const auto& each : list.servers) {
        made.servers.push_back(kept(each));
    }
    for (const auto& id : lost) {
        if (find_in(list.servers, id) == nullptr) {
            made.lost.push_back(id);
        }
    }
    return made;
}

void list_book::restore() {
    if (is_writing_) {
        return;
    }
    if (!bucket_.is_whole() || is_unreadable_) {
        return carry_out_next();
    }
    auto known = kept_of(now_.epoch > 0 ? now_ : first_, lost_);
    if (stored_) {
        if (stored_->epoch > known.epoch || *stored_ == known) {
            return carry_out_next();
        }
        // After a loss two have gone on from one epoch, or somebody has begun anew from files: the
        // last who remembers has it its way, under an epoch that nobody else has given.
        known.epoch += stored_->epoch == known.epoch ? 1 : 0;
        base::log::warn("cluster",
                        "bucket {} has another list of servers: epoch {} is written over {}",
                        bucket_.bucket(), known.epoch, stored_->epoch);
    }
    write(known, [this, wanted = known](const result<std::uint64_t>& ended) {
        if (ended) {
            take_own(text_of(wanted), *ended);
            return restore();
        }
        // Somebody else has written: the watch tells it. Or NATS is away.
        again_ = clock_.after(again_after, [this] { restore(); });
    });
}

void list_book::write(const kept_list& wanted,
                      std::function<void(const result<std::uint64_t>&)> done) {
    is_writing_ = true;
    auto written = alive_.guard([this, done = std::move(done)](const result<std::uint64_t>& ended) {
        is_writing_ = false;
        done(ended);
    });
    if (stored_) {
        bucket_.update(list_key, text_of(wanted), revision_, std::move(written));
    } else {
        bucket_.create(list_key, text_of(wanted), std::move(written));
    }
}

void list_book::keep_young() {
    if (stored_ && !is_writing_ && bucket_.is_whole() &&
        revision_ + nats::kv::long_ago < bucket_.last_revision()) {
        write(*stored_, [this](const result<std::uint64_t>& ended) {
            if (ended) {
                revision_ = std::max(revision_, *ended);
            }
            restore();
        });
    }
}

// ---- changes

void list_book::propose(std::vector<door::server_info> servers, std::uint64_t epoch,
                        proposed_call done) {
    enqueue({expected_list(std::move(servers)), epoch, {}, std::move(done), 0});
}

void list_book::propose_lost(const std::vector<std::string>& ids, proposed_call done) {
    auto servers = now_.servers;
    std::erase_if(servers,
                  [&](const auto& each) { return std::ranges::find(ids, each.id) != ids.end(); });
    enqueue({std::move(servers), now_.epoch, ids, std::move(done), 0});
}

std::string list_book::obstacle() const {
    if (is_unreadable_) {
        return fmt::format("the list of servers in bucket {} cannot be read", bucket_.bucket());
    }
    if (!bucket_.is_whole() || now_.epoch == 0) {
        return "the list of servers cannot change: no connection to NATS";
    }
    if (clock_.now() < settled_) {
        return "the bucket was lost: the list of servers is being written again";
    }
    return {};
}

void list_book::enqueue(wanted_change what) {
    auto why = changes_.size() < changes_limit ? obstacle()
                                               : "too many changes of the list of servers wait";
    if (!why.empty()) {
        return boost::asio::post(executor_,
                                 [done = std::move(what.done), why = std::move(why)]() mutable {
                                     done(error(errc::no_server, std::move(why)));
                                 });
    }
    changes_.push_back(std::move(what));
    boost::asio::post(executor_, alive_.guard([this] { carry_out_next(); }));
}

void list_book::carry_out_next() {
    while (!changes_.empty() && !is_writing_) {
        if (auto why = obstacle(); !why.empty()) {
            answer(error(errc::no_server, std::move(why)));
            continue;
        }
        auto& next = changes_.front();
        auto after = changed_list(now_, next.servers);
        if (next.epoch != now_.epoch || after.epoch == now_.epoch) {
            answer(proposal{next.epoch == now_.epoch, std::make_shared<view>(now_)});
            continue;
        }
        auto lost = lost_;
        lost.insert(next.lost.begin(), next.lost.end());
        auto wanted = kept_of(after, lost);
        write(wanted, [this, wanted](const auto& written) { on_proposed(wanted, written); });
    }
}

void list_book::on_proposed(const kept_list& wanted, const result<std::uint64_t>& written) {
    if (!written) {
        return read_again(wanted, written.error());
    }
    take_own(text_of(wanted), *written);
    answer(proposal{true, std::make_shared<view>(now_)});
    restore();
}

void list_book::read_again(const kept_list& wanted, const error& failed) {
    is_writing_ = true;
    bucket_.get(list_key, alive_.guard([this, wanted, failed](const result<nats::kv_entry>& found) {
        is_writing_ = false;
        if (found) {
            take_own(found->value, found->revision);
        }
        if (changes_.empty()) {
            return restore();
        }
        auto& change = changes_.front();
        const bool is_known = found && stored_ && *stored_ == wanted;
        if (is_known || (found && change.epoch != now_.epoch)) {
            answer(proposal{is_known, std::make_shared<view>(now_)});
        } else if (!found || failed.code() != errc::duplicate || ++change.tries >= tries_limit) {
            answer(
                error(errc::no_server,
                      fmt::format("the list of servers may not have changed: {}", failed.text())));
        }
        restore();
    }));
}

void list_book::answer(result<proposal> with) {
    auto done = std::move(changes_.front().done);
    changes_.pop_front();
    done(std::move(with));
}

void list_book::stop() {
    alive_.end();
    again_.cancel();
    for (auto& each : std::exchange(changes_, {})) {
        boost::asio::post(executor_, [done = std::move(each.done)]() mutable {
            done(error(errc::no_server, "it stops"));
        });
    }
}

} // namespace shaddock::cluster
