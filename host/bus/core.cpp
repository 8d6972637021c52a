#include "core.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <limits>

namespace shaddock::bus {

namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;

/// At the stop, for the other sides to take what was sent.
constexpr milliseconds last_words{1000};

/// What is left of a deadline, as it travels.
std::uint32_t remaining_ms(base::duration left) {
    constexpr milliseconds longest{std::numeric_limits<std::uint32_t>::max()};
    return static_cast<std::uint32_t>(left >= longest ? longest.count()
                                                      : ceil<milliseconds>(left).count());
}

error too_long(std::size_t bytes, std::size_t limit) {
    return error(errc::bad_request,
                 fmt::format("a message of {} bytes is over the bus's limit of {}", bytes, limit));
}

} // namespace

std::uint16_t common_version(version_range one, version_range other) {
    const auto highest = std::min(one.highest, other.highest);
    return highest >= std::max(one.lowest, other.lowest) ? highest : std::uint16_t{0};
}

core::core(boost::asio::any_io_executor executor, base::clock& clock, settings wanted)
    : executor_(std::move(executor)), clock_(clock), self_(std::move(wanted)),
      turns_(self_.turns != nullptr ? *self_.turns : own_turns_.emplace(executor_, clock_)),
      calls_(clock, counts_.calls) {}

result<void> core::start(receiver& serves) {
    assert(state_ == state::idle);
    serves_ = &serves;
    auto opened = open_transport();
    if (opened) {
        state_ = state::running;
        peers_changed();
    }
    return opened;
}

void core::set_peers(std::vector<std::string> ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    std::erase(ids, self_.id);
    peer_ids_ = std::move(ids);
    if (is_running()) {
        peers_changed();
    }
}

void core::call(std::string_view to, envelope_view what, base::time_point deadline,
                base::unique_function<void(result<std::string>)> done, const load& of) {
    const auto refuse = [&](error why) {
        counts_.calls.note(why.code());
        auto end = [done = std::move(done), why = std::move(why)]() mutable {
            done(std::move(why));
        };
        // Before the start and after the stop nothing holds the bus; this needs nothing of it.
        state_ == state::idle || gate_.is_closed() ? boost::asio::post(executor_, std::move(end))
                                                   : later(std::move(end));
    };
    auto via = way_to(to, what.bytes.size());
    if (!via) {
        return refuse(std::move(via).error());
    }
    const auto left = deadline - clock_.now();
    if (left <= base::duration::zero()) {
        return refuse(error(errc::timeout, "the deadline had passed before the call"));
    }
    if (!(*via)->admits(of, what.bytes.size())) {
        return refuse(refusal(to, counts_.refused_calls));
    }
    (*via)->send_call(calls_.add(**via, deadline, std::move(done)), remaining_ms(left), what, of);
}

result<void> core::cast(std::string_view to, envelope_view what, const load& of) {
    auto via = way_to(to, what.bytes.size());
    if (!via) {
        return std::move(via).error();
    }
    if (!(*via)->admits(of, what.bytes.size())) {
        return refusal(to, counts_.refused_casts);
    }
    ++counts_.casts;
    (*via)->send_cast(what, of);
    return {};
}

result<void> core::admits(std::string_view to, std::size_t bytes, const load& of) {
    const auto via = find_link(to);
    if (via && !via->admits(of, bytes)) {
        return refusal(to, counts_.refused_casts);
    }
    return {};
}

result<void> core::tell(std::string_view to, envelope_view what, std::string_view key) {
    auto via = way_to(to, what.bytes.size());
    if (!via) {
        return std::move(via).error();
    }
    ++counts_.casts;
    (*via)->send_membership(what, key);
    return {};
}

result<link*> core::way_to(std::string_view to, std::size_t bytes) const {
    if (state_ == state::stopping) {
        return error(errc::cancelled, "this server is stopping");
    }
    const auto found = links_.find(to);
    if (found == links_.end()) {
        return no_link(to);
    }
    if (bytes > self_.frame_limit) {
        return too_long(bytes, self_.frame_limit);
    }
    return found->second.get();
}

error core::refusal(std::string_view to, std::uint64_t& count) const {
    ++count;
    return {errc::overloaded, fmt::format("'{}' has too much to do already: not sent", to)};
}

std::vector<peer> core::linked() const {
    std::vector<peer> all;
    all.reserve(links_.size());
    for (const auto& [id, via] : links_) {
        all.push_back(via->with());
    }
    return all;
}

std::vector<link_queue> core::queues() const {
    std::vector<link_queue> all;
    all.reserve(links_.size());
    for (const auto& [id, via] : links_) {
        all.push_back({id, via->waiting(), via->work_under_way()});
    }
    return all;
}

void core::report_dead(const peer& gone) {
    if (!is_running()) {
        return;
    }
    if (const auto via = find_link(gone.id); via && via->with().life == gone.life) {
        lives_[gone.id].is_fenced = true;
        via->close(link_end::dead);
        return;
    }
    auto& record = lives_[gone.id];
    if (record.life == incarnation{}) {
        record.life = gone.life;
    }
    if (record.life != gone.life) {
        return; // old news: that life was over when this one linked
    }
    record.is_fenced = true;
    if (!record.has_ended) {
        record.has_ended = true;
        tell_dead(gone);
    }
}

void core::stop(base::unique_function<void()> done) {
    assert(state_ != state::stopping);
    state_ = state::stopping;
    close_transport();
    for (auto& cancelled : calls_.take_all(nullptr)) {
        counts_.calls.note(errc::cancelled);
        later([call = std::move(cancelled)]() mutable {
            call(error(errc::cancelled, "this server is stopping"));
        });
    }
    const auto closing = links_;
    for (const auto& [id, via] : closing) {
        via->send_plain(frame_kind::bye);
        via->flush();
        via->close_when_sent();
    }
    patience_ = clock_.after(last_words, [this] {
        for (const auto& [id, via] : std::map(links_)) {
            via->close(link_end::stopped);
        }
    });
    stopped_ = std::move(done);
    end_with_last_link();
}

void core::end_with_last_link() {
    if (stopped_ && links_.empty()) {
        patience_.cancel();
        later([this, ended = std::exchange(stopped_, nullptr)]() mutable {
            gate_.close(std::move(ended));
        });
    }
}

void core::flush_later(std::shared_ptr<link> dirty) {
    dirty_.push_back(std::move(dirty));
    if (!is_reading_) {
        end_turn_later();
    }
}

void core::end_read() {
    is_reading_ = false;
    flush_all();
}

void core::link_is_up(const std::shared_ptr<link>& up) {
    const peer with = up->with();
    if (const auto old = find_link(with.id)) {
        old->drain();
        old->close(old->with().life == with.life ? link_end::lost : link_end::dead);
    }
    if (const auto* last = known(with.id); last != nullptr && last->life != with.life) {
        prove_dead(with.id);
    }
    // What the old link still had to say comes before the news of this one. It may be that this
    // life is over, and with it a link that was made with it.
    const auto life = self_.life;
    run_later();
    if (!is_running() || !up->is_open() || self_.life != life) {
        up->close(link_end::stopped);
        return;
    }
    lives_[with.id] = life_record{with.life, false, false};
    links_[with.id] = up;
    for (std::size_t i = 0; i < observers_.size() && up->is_open(); ++i) {
        observers_[i]->on_link_up(with);
    }
}

void core::link_is_closed(link& closed, link_end why) {
    const peer with = closed.with();
    const auto found = links_.find(with.id);
    if (found == links_.end() || found->second.get() != &closed) {
        return;
    }
    // `closed` lives on in the one who called close().
    links_.erase(found);
    counts_.links_lost += why == link_end::lost || why == link_end::dead ? 1 : 0;
    for (auto& failed : calls_.take_all(&closed)) {
        counts_.calls.note(errc::disconnected);
        later([call = std::move(failed), id = with.id]() mutable {
            call(error(errc::disconnected, fmt::format("the link to '{}' broke", id)));
        });
    }
    auto& record = lives_[with.id];
    record.has_ended = record.has_ended || why == link_end::dead || why == link_end::bye;
    record.version = with.version;
    record.lost_at = clock_.now();
    tell_down(with, why);
    if (is_running()) {
        link_went_down(with, why);
    }
    end_with_last_link();
}

void core::later(base::unique_function<void()> work) {
    later_.push_back(std::move(work));
    end_turn_later();
}

void core::prove_dead(const std::string& id) {
    auto& record = lives_[id];
    if (record.life != incarnation{} && !record.has_ended) {
        record.has_ended = true;
        tell_dead({id, record.life});
    }
}

const core::life_record* core::known(std::string_view id) const {
    const auto found = lives_.find(id);
    return found != lives_.end() ? &found->second : nullptr;
}

void core::tell_absent(const std::string& id) {
    tell([id](link_observer& told) { told.on_absent(id); });
}

void core::declare_dead(link& silent) {
    // An older one does not know what to do when it is refused.
    lives_[silent.with().id].is_fenced = silent.with().version >= rebirth_version;
    silent.close(link_end::dead);
}

void core::declare_missing_dead(const std::string& id) {
    auto& record = lives_[id];
    record.is_fenced = record.version >= rebirth_version;
    prove_dead(id);
}

std::vector<std::string> core::missing() const {
    std::vector<std::string> all;
    for (const auto& [id, record] : lives_) {
        if (record.life != incarnation{} && !record.has_ended && !links_.contains(id)) {
            all.push_back(id);
        }
    }
    return all;
}

void core::learn_own_death(std::string_view from) {
    later([this, life = self_.life, who = std::string(from)] {
        if (life == self_.life && is_running()) {
            live_anew(who);
        }
    });
}

void core::live_anew(std::string_view from) {
    base::log::warn("bus",
                    "'{}' has declared this server dead, which stood still or was cut off for too long: it goes "
                    "on as a new incarnation",
                    from);
    self_.life = incarnation{std::max(number(self_.life) + 1, clock_.wall_ns())};
    for (const auto& [id, via] : std::map(links_)) {
        via->close(link_end::lost);
    }
    greet_anew();
    tell([self = peer{self_.id, self_.life}](link_observer& told) { told.on_reborn(self); });
}

bool core::is_fenced(const peer& who) const {
    const auto* last = known(who.id);
    return last != nullptr && last->is_fenced && last->life == who.life;
}

std::string core::no_common_version(std::string_view id, version_range versions) const {
    return fmt::format(
        "'{}' speaks versions {} to {} of the bus and '{}' {} to {}, so that none is "
        "common: roll out a build in between first, which speaks one of each, or "
        "stop all servers and start them with one build",
        id, versions.lowest, versions.highest, self_.id, self_.versions.lowest,
        self_.versions.highest);
}

std::shared_ptr<link> core::find_link(std::string_view id) const {
    const auto found = links_.find(id);
    return found != links_.end() ? found->second : nullptr;
}

void core::end_turn_later() {
    if (is_turn_posted_) {
        return;
    }
    is_turn_posted_ = true;
    boost::asio::post(executor_, [this, held = enter()] {
        is_turn_posted_ = false;
        run_later();
        flush_all();
    });
}

void core::run_later() {
    // Work that this work brings waits for the next turn, so that a loop of completions does not
    // starve the links.
    auto batch = std::exchange(later_, {});
    for (auto& work : batch) {
        work();
    }
}

void core::flush_all() {
    auto batch = std::exchange(dirty_, {});
    // An answer leaves after the pushes that it speaks of: who is killed in between has lost them,
    // but has not told anybody that they were sent.
    std::stable_partition(batch.begin(), batch.end(),
                          [](const auto& via) { return !via->has_answer_; });
    for (const auto& via : batch) {
        via->is_dirty_ = via->has_answer_ = false;
        via->flush();
    }
}

void core::tell(base::unique_function<void(link_observer&)> news) {
    later([this, news = std::move(news)]() mutable {
        for (std::size_t i = 0; i < observers_.size(); ++i) {
            news(*observers_[i]);
        }
    });
}

void core::tell_down(const peer& with, link_end why) {
    tell([with, why](link_observer& told) { told.on_link_down(with, why); });
}

void core::tell_dead(const peer& gone) {
    tell([gone](link_observer& told) { told.on_dead(gone); });
}

error core::no_link(std::string_view to) const {
    return error(errc::no_server, fmt::format("'{}' has no link to '{}'", self_.id, to));
}

} // namespace shaddock::bus
