#pragma once

#include "base/alive.hpp"
#include "base/clock.hpp"
#include "cluster/registry.hpp"
#include "kept.hpp"
#include "nats/kv.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::cluster {

/// The expected list as the bucket has it, and as this process knows it: its epoch never goes back.
/// When the bucket was lost, whoever knows a list writes it again, and the highest epoch stays.
/// Thread: the loop. Lifetime: what it is given outlives it; nothing is called after `stop`.
class list_book {
public:
    /// `first` is written, as epoch 1, where there is no list. `changed` is called when the list is
    /// another one, before who has proposed it is answered. `settle`: how long those who know a
    /// list have, after the bucket was lost, before it may change.
    list_book(boost::asio::any_io_executor executor, base::clock& clock, nats::kv& bucket,
              view first, base::duration settle, std::function<void()> changed);

    /// Without guests; epoch 0 before the bucket was read.
    const view& now() const { return now_; }
    /// Those that left it because their machine was lost, and did not come back.
    const std::set<std::string, std::less<>>& lost() const { return lost_; }
    /// `guests` of the view that is answered are empty.
    void propose(std::vector<door::server_info> servers, std::uint64_t epoch, proposed_call done);
    /// The same without these, which a lost machine had.
    void propose_lost(const std::vector<std::string>& ids, proposed_call done);

    void on_entry(std::string_view value, std::uint64_t revision);
    void on_erased();
    void on_whole();
    void on_new_bucket();
    /// Writes it again if its revision is long ago (nats::kv::long_ago).
    void keep_young();
    void stop();

private:
    struct wanted_change {
        std::vector<door::server_info> servers;
        std::uint64_t epoch = 0;
        std::vector<std::string> lost;
        proposed_call done;
        int tries = 0;
    };

    static kept_list kept_of(const view& list, const std::set<std::string, std::less<>>& lost);
    void take_own(std::string_view value, std::uint64_t revision);
    void adopt(const kept_list& told);
    /// Brings the bucket to what is known here, where it has less.
    void restore();
    void write(const kept_list& wanted, std::function<void(const result<std::uint64_t>&)> done);
    void enqueue(wanted_change what);
    /// Why it cannot change now; empty: it can.
    std::string obstacle() const;
    void carry_out_next();
    void on_proposed(const kept_list& wanted, const result<std::uint64_t>& written);
    /// After a write whose outcome is not known, or which came too late.
    void read_again(const kept_list& wanted, const error& failed);
    void answer(result<proposal> with);
    void say_difference(const kept_list& told);

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    nats::kv& bucket_;
    view first_;
    base::duration settle_;
    std::function<void()> changed_;

    view now_;
    std::set<std::string, std::less<>> lost_;
    /// What the bucket has.
    std::optional<kept_list> stored_;
    std::uint64_t revision_ = 0;
    /// Of a value that is no list: it is left alone.
    bool is_unreadable_ = false;
    base::time_point settled_{};
    bool is_writing_ = false;
    std::deque<wanted_change> changes_;
    base::timer again_;
    base::alive alive_;
};

} // namespace shaddock::cluster
