#include "own_claim.hpp"

#include "base/log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cassert>
#include <utility>

namespace shaddock::cluster {

namespace {

constexpr std::chrono::seconds stop_limit{1};

claim_holder holder_of(const kept_claim& claim) {
    return {claim.record.id, static_cast<incarnation>(claim.life), claim.machine, claim.since};
}

} // namespace

std::string claim_holder::text() const {
    if (machine.empty()) {
        return fmt::format("somebody keeps a claim on '{}' that this version cannot read", id);
    }
    const auto when = fmt::gmtime(static_cast<std::time_t>(since / 1000));
    return fmt::format("server '{}' runs on machine '{}' since {:%Y-%m-%dT%H:%M:%SZ}", id, machine,
                       when);
}

void own_claim::claim(kept_claim wanted, claimed_call done) {
    assert(state_ == state::none);
    value_ = std::move(wanted);
    claimed_ = std::move(done);
    state_ = state::trying;
    look();
}

void own_claim::live_anew(incarnation life) {
    value_.life = number(life);
    if (state_ == state::lost) {
        state_ = state::trying;
        seen_.reset();
    }
    look();
}

void own_claim::look() {
    if (is_busy_ || stopped_) {
        return;
    }
    if (state_ == state::held) {
        renew(); // also while the bucket is watched anew: others hear it
    } else if (state_ == state::trying && bucket_.is_whole()) {
        attempt();
    }
}

void own_claim::on_news(std::uint64_t revision) {
    const auto* now = claims_.find(id());
    const bool is_own = now != nullptr && now->revision >= revision &&
                        now->value.boot == value_.boot && !now->value.is_fenced;
    if (!is_own) {
        look();
    }
}

void own_claim::on_whole() {
    look();
    look_at_lease();
}

void own_claim::attempt() {
    const auto* now = claims_.find(id());
    if (now == nullptr) {
        return write_over(0);
    }
    const auto& by = now->value;
    // On one machine the lock in the run folder says that the other one is gone.
    const bool is_free =
        by.boot == value_.boot || by.machine == value_.machine || !claims_.may_live(*now);
    if (is_free) {
        return write_over(now->revision);
    }
    if (seen_ && now->revision == 0) {
        seen_ = 0; // the bucket was lost: what its owner writes next says that it lives
    } else if (!seen_) {
        seen_ = now->revision;
        base::log::info("cluster", "{}, or did: its claim is taken when it is silent for {} ms",
                        holder_of(by).text(), times_.host_lost.count());
    } else if (*seen_ != now->revision) {
        refuse(by);
    }
}

void own_claim::refuse(const kept_claim& by) {
    state_ = state::none;
    if (auto done = std::exchange(claimed_, nullptr)) {
        return done(error(errc::duplicate, holder_of(by).text()));
    }
    state_ = state::lost;
    if (told_ != nullptr) {
        told_->on_claim_lost(holder_of(by));
    }
}

void own_claim::write_over(std::uint64_t revision) {
    is_busy_ = true;
    const auto sent = clock_.now();
    auto done = alive_.guard([this, sent](const result<std::uint64_t>& written) {
        is_busy_ = false;
        on_written(sent, written);
    });
    if (revision == 0) {
        bucket_.create(claim_key(id()), text_of(value_), std::move(done));
    } else {
        bucket_.update(claim_key(id()), text_of(value_), revision, std::move(done));
    }
}

void own_claim::on_written(base::time_point sent, const result<std::uint64_t>& written) {
    if (written) {
        if (!claims_.is_listening() && bucket_.is_whole()) {
            claims_.listen();
        }
        revision_ = *written;
        renewed_ = sent;
        claims_.take(id(), value_, revision_);
        const bool was_trying = std::exchange(state_, state::held) == state::trying;
        if (stopped_) {
            return give_back();
        }
        if (was_trying && claimed_) {
            std::exchange(claimed_, nullptr)({});
        }
        look_at_lease();
    } else if (written.error().code() == errc::duplicate) {
        return read_again();
    } else {
        // Nobody is silent who cannot write either. The next beat tries again.
        claims_.stop_listening();
    }
    if (stopped_) {
        give_back();
    }
}

void own_claim::read_again() {
    is_busy_ = true;
    bucket_.get(claim_key(id()), alive_.guard([this](const result<nats::kv_entry>& found) {
        is_busy_ = false;
        if (stopped_) {
            return give_back();
        }
        if (!found) {
            if (found.error().code() == errc::not_found) {
                claims_.erase(id());
                revision_ = 0;
            }
            return look();
        }
        auto now = read_claim(found->value, id());
        if (!now) {
            now = unreadable_claim(id()); // told by name where the watch tells it
        }
        claims_.take(id(), *now, found->revision);
        if (now->boot == value_.boot && !now->is_fenced) {
            // An own write whose answer was lost.
            revision_ = found->revision;
            return look();
        }
        if (state_ == state::held) {
            become_lost(*now);
        }
    }));
}

void own_claim::renew() {
    const auto* now = claims_.find(id());
    if (now != nullptr && now->revision > revision_ &&
        (now->value.boot != value_.boot || now->value.is_fenced)) {
        return become_lost(now->value);
    }
    write_over(now == nullptr || now->revision == 0 ? 0 : std::max(revision_, now->revision));
}

void own_claim::become_lost(const kept_claim& now) {
    const bool is_fenced = now.is_fenced;
    base::log::warn("cluster", "the claim on '{}' was lost: {}", id(),
                    is_fenced ? "its machine was given up" : holder_of(now).text());
    state_ = state::lost;
    look_at_lease();
    if (told_ != nullptr) {
        told_->on_claim_lost(is_fenced ? std::nullopt : std::optional(holder_of(now)));
    }
}

bool own_claim::has_lease() const {
    return has_lease_ && clock_.now() < lease_end();
}

void own_claim::look_at_lease() {
    const auto end = lease_end();
    const bool is_renewed = state_ == state::held && clock_.now() < end;
    const bool has_it = is_renewed && (bucket_.is_whole() || !must_read_);
    if (is_renewed) {
        at_lease_end_ = clock_.at(end, [this] { look_at_lease(); });
    }
    must_read_ = !has_it;
    if (std::exchange(has_lease_, has_it) != has_it && told_ != nullptr) {
        told_->on_lease(has_it);
    }
}

void own_claim::stop(base::unique_function<void()> done) {
    assert(!stopped_);
    told_ = nullptr;
    at_lease_end_.cancel();
    has_lease_ = false;
    stopped_ = std::move(done);
    if (auto refused = std::exchange(claimed_, nullptr)) {
        refused(error(errc::cancelled, "it stops"));
    }
    if (!is_busy_) {
        give_back();
    } else {
        stop_limit_ = clock_.after(stop_limit, [this] {
            alive_.end();
            std::exchange(stopped_, nullptr)();
        });
    }
}

void own_claim::give_back() {
    if (state_ != state::held || !bucket_.is_whole()) {
        stop_limit_.cancel();
        return std::exchange(stopped_, nullptr)();
    }
    state_ = state::lost;
    const auto ended = [this] {
        stop_limit_.cancel();
        alive_.end();
        if (auto done = std::exchange(stopped_, nullptr)) {
            done();
        }
    };
    stop_limit_ = clock_.after(stop_limit, ended);
    bucket_.erase(claim_key(id()), revision_,
                  alive_.guard([ended](const result<std::uint64_t>&) { ended(); }));
}

} // namespace shaddock::cluster
