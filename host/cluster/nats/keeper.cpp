#include "cluster_nats/keeper.hpp"

#include "../expected.hpp"
#include "base/alive.hpp"
#include "base/log.hpp"
#include "claim_table.hpp"
#include "list_book.hpp"
#include "own_claim.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <set>
#include <utility>

namespace shaddock::cluster {

namespace {

/// How late the own beat may be before this process counts as one that stood still.
constexpr std::chrono::seconds still_limit{1};

class bucket_keeper final : public nats_keeper, private nats::kv_observer {
public:
    bucket_keeper(const boost::asio::any_io_executor& executor, base::clock& clock,
                  nats::connection& to, const view& first, nats_keeper_options wanted)
        : executor_(executor), clock_(clock), options_(std::move(wanted)),
          bucket_(executor, clock, to, options_.bucket), claims_(clock, options_.times.host_lost),
          own_(clock, bucket_, claims_, options_.times),
          list_(executor, clock, bucket_, first, 2 * options_.times.beat, [this] { publish(); }),
          now_(std::make_shared<view>(list_.now())) {}
    bucket_keeper(const bucket_keeper&) = delete;
    bucket_keeper& operator=(const bucket_keeper&) = delete;

    result<void> start(keeper_observer& told) override;
    view_ptr now() const override { return now_; }
    bool is_current() const override { return bucket_.is_whole(); }
    void propose(std::vector<door::server_info> servers, std::uint64_t epoch,
                 proposed_call done) override {
        list_.propose(std::move(servers), epoch, std::move(done));
    }
    void claim(const door::server_info& self,
               base::unique_function<void(result<void>)> done) override;
    void live_anew(incarnation life) override { own_.live_anew(life); }
    void observe(lease_observer& told) override { own_.observe(&told); }
    bool has_lease() const override { return own_.has_lease(); }
    bool may_own(std::string_view id) const override;
    std::string machine_of(std::string_view id) const override {
        const auto* found = claims_.find(id);
        return found != nullptr ? found->value.machine : std::string();
    }
    std::size_t running() const override;
    void tell_over(std::string_view id, incarnation life) override;
    std::vector<std::string> lost() const override {
        return {list_.lost().begin(), list_.lost().end()};
    }
    void stop(base::unique_function<void()> done) override;

private:
    void on_entry(const nats::kv_entry& now) override;
    void on_erased(std::string_view key) override;
    void on_whole() override;
    void on_deaf() override { claims_.stop_listening(); }
    void on_new_bucket() override;

    void begin_claim();
    void on_claim(const std::string& id, const nats::kv_entry& now);
    void tick();
    void give_up_machines();
    bool fence_all_of(const std::string& machine);
    void fence(const std::string& id, const claim_table::claim& now);
    void forget_old_claims();
    base::duration machine_limit() const {
        return std::max(options_.times.machine_lost, options_.times.host_lost);
    }
    void publish();

    boost::asio::any_io_executor executor_;
    base::clock& clock_;
    nats_keeper_options options_;
    nats::kv bucket_;
    claim_table claims_;
    own_claim own_;
    list_book list_;
    view_ptr now_;
    keeper_observer* told_ = nullptr;
    /// What is to be claimed when the list is known.
    std::optional<kept_claim> wanted_;
    own_claim::claimed_call claimed_;
    std::set<std::string, std::less<>> fencing_;
    bool is_giving_up_ = false;
    base::timer next_tick_;
    base::time_point last_tick_{};
    bool is_stopping_ = false;
    base::alive alive_;
};

result<void> bucket_keeper::start(keeper_observer& told) {
    told_ = &told;
    last_tick_ = clock_.now();
    next_tick_ = clock_.after(options_.times.beat, [this] { tick(); });
    return bucket_.start(*this);
}

void bucket_keeper::claim(const door::server_info& self,
                          base::unique_function<void(result<void>)> done) {
    assert(told_ != nullptr && !claimed_);
    wanted_ = kept_claim{number(self.life),
                         options_.machine,
                         nats::connection::secret_subject(self.id),
                         clock_.wall_ms(),
                         false,
                         kept(self)};
    claimed_ = std::move(done);
    begin_claim();
}

void bucket_keeper::begin_claim() {
    if (wanted_ && list_.now().epoch > 0) {
        own_.claim(*std::exchange(wanted_, std::nullopt), std::exchange(claimed_, nullptr));
    }
}

bool bucket_keeper::may_own(std::string_view id) const {
    const auto* found = claims_.find(id);
    return !bucket_.is_whole() || (found != nullptr && claims_.may_live(*found));
}

std::size_t bucket_keeper::running() const {
    const auto& now = list_.now();
    const auto* self = claims_.find(own_.id());
    const auto runs = [&](const door::server_info& each, bool is_listed) {
        const bool is_near = is_listed && self != nullptr && each.host == self->value.record.host;
        const auto* found = claims_.find(each.id);
        return each.id != own_.id() && (is_near || (found != nullptr && claims_.may_live(*found)));
    };
    std::size_t count = 0;
    for (const auto& each : now.servers) {
        count += runs(each, true) ? 1 : 0;
    }
    for (const auto& each : now.guests) {
        count += runs(each, false) ? 1 : 0;
    }
    return count;
}

void bucket_keeper::tell_over(std::string_view id, incarnation life) {
    const auto* found = claims_.find(id);
    if (found != nullptr && found->value.life == number(life) && !found->value.is_fenced &&
        found->value.machine == options_.machine) {
        fence(std::string(id), *found);
    }
}

void bucket_keeper::stop(base::unique_function<void()> done) {
    if (std::exchange(is_stopping_, true)) {
        return boost::asio::post(executor_, std::move(done));
    }
    told_ = nullptr;
    next_tick_.cancel();
    list_.stop();
    if (auto refused = std::exchange(claimed_, nullptr)) {
        boost::asio::post(executor_, [refused = std::move(refused)]() mutable {
            refused(error(errc::cancelled, "it stops"));
        });
    }
    own_.stop([this, ended = std::move(done)]() mutable {
        alive_.end();
        bucket_.stop(std::move(ended));
    });
}

// ---- what the bucket says

void bucket_keeper::on_entry(const nats::kv_entry& now) {
    if (now.key == list_key) {
        list_.on_entry(now.value, now.revision);
        begin_claim();
    } else if (const auto id = id_of_claim(now.key); !id.empty()) {
        on_claim(id, now);
    }
}

void bucket_keeper::on_claim(const std::string& id, const nats::kv_entry& now) {
    auto read = read_claim(now.value, id);
    if (!read) {
        const auto* known = claims_.find(id);
        if (known == nullptr || known->value.is_readable()) {
            base::log::error("cluster",
                             "bucket {}: '{}' is no claim ({}): who wants the id may have it when "
                             "nobody has written it for {} ms",
                             bucket_.bucket(), now.key, read.error().text(),
                             options_.times.host_lost.count());
        }
        read = unreadable_claim(id);
    }
    const auto* before = claims_.find(id);
    const auto last = before != nullptr ? incarnation{before->value.life} : incarnation{};
    // Of one that is fenced it was told then.
    const bool is_over = before != nullptr && id != own_.id() && read->is_readable() &&
                         before->value.is_readable() && !before->value.is_fenced &&
                         (before->value.life != read->life || read->is_fenced);
    const bool is_renewal_only = !claims_.take(id, std::move(*read), now.revision);
    if (id == own_.id()) {
        own_.on_news(now.revision);
    }
    if (!is_renewal_only) {
        publish();
    }
    if (is_over && told_ != nullptr) {
        told_->on_over(id, last);
    }
}

void bucket_keeper::on_erased(std::string_view key) {
    if (key == list_key) {
        return list_.on_erased();
    }
    const auto id = id_of_claim(key);
    if (!id.empty() && claims_.erase(id)) {
        if (id == own_.id()) {
            own_.look();
        }
        publish();
    }
}

void bucket_keeper::on_whole() {
    claims_.listen();
    list_.on_whole();
    begin_claim();
    own_.on_whole();
    publish();
}

void bucket_keeper::on_new_bucket() {
    claims_.lose_revisions();
    list_.on_new_bucket();
}

void bucket_keeper::publish() {
    if (told_ == nullptr) {
        return;
    }
    auto next = list_.now();
    for (const auto& [id, each] : claims_.all()) {
        if (!each.value.is_readable() || !claims_.may_live(each)) {
            continue;
        }
        auto record = cluster::told(each.value.record);
        const auto listed = std::ranges::find(next.servers, id, &door::server_info::id);
        if (listed == next.servers.end()) {
            put_into(next.guests, std::move(record));
        } else { // it knows its own addresses best
            record.is_leaving = listed->is_leaving;
            *listed = std::move(record);
        }
    }
    if (next.epoch != now_->epoch || !is_same_list(next.servers, now_->servers) ||
        !is_same_list(next.guests, now_->guests)) {
        now_ = std::make_shared<view>(std::move(next));
        told_->on_list(now_);
    }
}

// ---- every beat

void bucket_keeper::tick() {
    const auto now = clock_.now();
    next_tick_ = clock_.after(options_.times.beat, [this] { tick(); });
    const auto passed = now - std::exchange(last_tick_, now);
    own_.look();
    if (!bucket_.is_whole()) {
        return;
    }
    const bool stood_still = passed > options_.times.beat + still_limit;
    if (stood_still || (!claims_.is_listening() && !own_.is_held())) {
        claims_.listen();
    }
    claims_.drop_forgotten(2 * machine_limit());
    begin_claim();
    list_.keep_young();
    give_up_machines();
    forget_old_claims();
    publish();
}

void bucket_keeper::give_up_machines() {
    if (options_.times.machine_lost.count() == 0 || is_giving_up_ || !own_.has_lease()) {
        return;
    }
    for (const auto& machine : claims_.silent_machines(machine_limit())) {
        if (machine == options_.machine || !fence_all_of(machine)) {
            continue;
        }
        std::vector<std::string> ids;
        for (const auto& [id, each] : claims_.all()) {
            if (each.value.machine == machine && find_in(list_.now().servers, id) != nullptr) {
                ids.push_back(id);
            }
        }
        if (ids.empty()) {
            continue;
        }
        base::log::warn("cluster", "machine '{}' was silent for {} ms: {} leave the list", machine,
                        machine_limit() / std::chrono::milliseconds(1), fmt::join(ids, ", "));
        is_giving_up_ = true;
        list_.propose_lost(ids, alive_.guard([this](const result<proposal>&) {
            is_giving_up_ = false; // the next beat looks again
        }));
        return;
    }
}

bool bucket_keeper::fence_all_of(const std::string& machine) {
    bool are_all_fenced = true;
    for (const auto& [id, each] : claims_.all()) {
        if (each.value.machine == machine && !each.value.is_fenced) {
            are_all_fenced = false;
            fence(id, each);
        }
    }
    return are_all_fenced;
}

void bucket_keeper::fence(const std::string& id, const claim_table::claim& now) {
    if (!fencing_.insert(id).second) {
        return;
    }
    auto value = now.value;
    value.is_fenced = true;
    const auto text = text_of(value);
    auto done = alive_.guard([this, id, value](const result<std::uint64_t>& written) {
        fencing_.erase(id);
        if (written && claims_.take(id, value, *written)) {
            publish(); // the watch brings nothing new now
            if (told_ != nullptr) {
                told_->on_over(id, incarnation{value.life});
            }
        }
    });
    if (now.revision == 0) {
        bucket_.create(claim_key(id), text, std::move(done));
    } else {
        bucket_.update(claim_key(id), text, now.revision, std::move(done));
    }
}

void bucket_keeper::forget_old_claims() {
    for (const auto& [id, each] : claims_.all()) {
        if (each.revision != 0 && each.revision + nats::kv::long_ago < bucket_.last_revision() &&
            !claims_.may_live(each) && find_in(list_.now().servers, id) == nullptr &&
            fencing_.insert(id).second) {
            bucket_.erase(claim_key(id), each.revision,
                          alive_.guard([this, id = id](const result<std::uint64_t>&) {
                              fencing_.erase(id);
                          }));
        }
    }
}

} // namespace

std::unique_ptr<nats_keeper> make_nats_keeper(const boost::asio::any_io_executor& executor,
                                              base::clock& clock, nats::connection& to,
                                              const view& first, nats_keeper_options wanted) {
    return std::make_unique<bucket_keeper>(executor, clock, to, first, std::move(wanted));
}

} // namespace shaddock::cluster
