// Calls that wait: for a reload, for the types of their callers, for the serial call before them.
// The rest is in dispatcher.cpp.
#include "dispatcher.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace shaddock::server {

namespace {

/// Calls kept back while a reload waits for those in flight.
constexpr std::size_t held_limit = 100'000;
/// Bodies of all calls that wait, for whatever it is.
constexpr std::size_t waiting_bytes_limit = std::size_t{64} * 1024 * 1024;
/// Of those kept back; other work of the loop has its turn in between.
constexpr std::size_t released_in_a_turn = 256;

} // namespace

// ---- for a reload

void dispatcher::hold(const request_id& free) {
    is_holding_ = true;
    ++holding_;
    free_ = free;
    if (free.number != 0) {
        ++causes_[free];
    }
    for (const auto& list : {running_, overdue_}) {
        for (const auto* each = list.first; each != nullptr; each = each->after_) {
            count_cause(*each, true);
        }
    }
}

void dispatcher::count_cause(const pending_call& call, bool begins) {
    if (!is_holding_ || call.id_.number == 0) {
        return;
    }
    if (begins) {
        ++causes_[call.id_];
    } else if (const auto at = causes_.find(call.id_); at != causes_.end() && --at->second == 0) {
        causes_.erase(at);
    }
}

void dispatcher::keep(base::time_point deadline, base::unique_function<void(const error*)> end) {
    if (held_.size() < held_limit) {
        held_.push_back({deadline, std::move(end)});
        return watch();
    }
    const error why(errc::overloaded, "too many requests wait for a reload");
    end(&why);
}

void dispatcher::in_order(base::unique_function<void()> event) {
    if (!is_holding_) {
        return event();
    }
    held_.push_back(
        {base::time_point::max(), [event = std::move(event)](const error*) mutable { event(); }});
}

bool dispatcher::has_room_for(const pending_call& call) const {
    return call.waits_at_ != nullptr || waiting_bytes_ + call.bytes_.size() <= waiting_bytes_limit;
}

bool dispatcher::keep_back(bool is_remote, std::string_view route,
                           std::unique_ptr<pending_call>& call) {
    if (!is_holding_ || is_releasing_ || causes_.contains(call->id_)) {
        return false;
    }
    if (!has_room_for(*call)) {
        call->finish(error(errc::overloaded, "too many bytes wait for a reload"));
        return true;
    }
    call->begin_waiting(*this);
    const auto deadline = call->deadline_;
    keep(deadline, [this, is_remote, route = std::string(route),
                    call = std::move(call)](const error* why) mutable {
        if (why != nullptr) {
            return call->finish(*why);
        }
        // What the calls before this one changed is seen by this one.
        if (auto now = call->session_now()) {
            call->session_ = std::move(now);
        }
        is_remote ? run_remote(route, std::move(call)) : run_handler(route, std::move(call));
    });
    return true;
}

void dispatcher::release() {
    causes_.clear();
    free_ = {};
    expire_held(clock_.now());
    release_some(holding_);
}

void dispatcher::release_some(std::uint64_t holding) {
    if (holding != holding_ || !is_holding_) {
        return; // held again, or cancelled
    }
    is_releasing_ = true;
    for (std::size_t n = 0; n < released_in_a_turn && !held_.empty(); ++n) {
        auto next = std::move(held_.front());
        held_.pop_front();
        next.end(nullptr);
    }
    is_releasing_ = false;
    if (held_.empty()) {
        is_holding_ = false;
        return tell_idle();
    }
    boost::asio::post(executor_, [self = self_, holding] {
        if (*self != nullptr) {
            (*self)->release_some(holding);
        }
    });
}

// ---- for types

/// Of a call whose hash is another. One that may not run, or not yet, is taken. A caller that names
/// the route only (contract 0) is checked by decoding alone.
bool dispatcher::has_fitting_types(method_entry& entry, std::unique_ptr<pending_call>& call) {
    if (call->contract_ == 0 || entry.contract == 0) {
        return true;
    }
    if (asked_.empty() && call->contract_ == entry.fitting) {
        return true;
    }
    const asked_key key{call->caller_.id, call->caller_.life, entry.route, call->contract_};
    // In order behind those that wait already.
    const auto* why = asked_.contains(key) ? nullptr : types_.between(call->contract_, entry);
    if (why == nullptr) {
        wait_for_types(entry, key, std::move(call));
        return false;
    }
    if (why->empty()) {
        entry.fitting = call->contract_;
        return true;
    }
    refuse_types(*call, entry.route, *why);
    return false;
}

void dispatcher::wait_for_types(const method_entry& entry, const asked_key& key,
                                std::unique_ptr<pending_call> call) {
    call->lease_ = lease(); // by then another generation may serve
    const auto [at, is_first] = asked_.try_emplace(key);
    if (at->second.size() == held_limit || !has_room_for(*call)) {
        return call->finish(error(errc::overloaded, "too many calls wait for their types"));
    }
    const auto caller = call->caller_;
    call->begin_waiting(*this);
    at->second.push_back(std::move(call));
    if (is_first) {
        types_.fetch(caller, entry.route, key.contract,
                     [self = self_, key](const result<void>& asked) {
                         if (*self != nullptr) {
                             (*self)->go_on(key, asked);
                         }
                     });
    }
}

void dispatcher::go_on(const asked_key& key, const result<void>& asked) {
    const auto waiting = asked_.extract(key);
    if (!waiting) {
        return; // cancelled
    }
    for (auto& call : waiting.mapped()) {
        if (call->deadline_ <= clock_.now()) {
            call->finish(error(errc::timeout, fmt::format("'{}' waited too long for the types of "
                                                          "its caller",
                                                          key.route)));
        } else if (asked) {
            run_remote(key.route, std::move(call));
        } else {
            refuse_types(*call, key.route, asked.error().text());
        }
    }
    tell_idle();
}

void dispatcher::refuse_types(pending_call& call, std::string_view route, std::string_view why) {
    const auto text = fmt::format("{}: {}; there is {} ({}), here {}", route, why, call.caller_.id,
                                  call.modules_, current_ ? current_->builds() : "nobody");
    types_.warn(call.caller_, route, text);
    call.finish(error(errc::contract, text));
}

// ---- for the call before

void dispatcher::serial_ended(const pending_call& call) {
    // By post: the next must not start inside the finish() of this one.
    boost::asio::post(executor_, [self = self_, key = key_of(call)] {
        if (*self != nullptr) {
            (*self)->next_serial(key);
        }
    });
}

void dispatcher::next_serial(const serial_key& key) {
    const auto at = serial_.find(key);
    while (at != serial_.end() && !at->second.empty()) {
        auto next = std::move(at->second.front());
        at->second.pop_front();
        --waiting_;
        if (next->is_session_gone()) {
            next->finish(error(errc::closed, "the session closed while the request waited"));
            continue;
        }
        // What the call before this one changed is seen by this one.
        if (auto now = next->session_now()) {
            next->session_ = std::move(now);
        }
        start(std::move(next));
        return;
    }
    if (at != serial_.end()) {
        serial_.erase(at);
        tell_idle();
    }
}

void dispatcher::forget_waiting(const session_ref& gone) {
    const auto frontend = std::hash<std::string>()(gone.frontend);
    for (const auto& route : serial_routes_) {
        const auto at = serial_.find({&route, gone.id, frontend});
        if (at == serial_.end()) {
            continue;
        }
        // The key stays: one of them still runs.
        auto queue = std::exchange(at->second, {});
        waiting_ -= queue.size();
        for (auto& each : queue) {
            each->finish(error(errc::closed, "the session closed while the request waited"));
        }
    }
    tell_idle();
}

void dispatcher::expire_held(base::time_point now) {
    const auto late = std::stable_partition(held_.begin(), held_.end(),
                                            [&](const auto& each) { return each.deadline > now; });
    std::deque<held> expired(std::make_move_iterator(late), std::make_move_iterator(held_.end()));
    held_.erase(late, held_.end());
    const error why(errc::timeout, "waited too long for a reload");
    for (auto& each : expired) {
        each.end(&why);
    }
}

void dispatcher::expire_waiting(base::time_point now) {
    for (auto& [key, queue] : serial_) {
        while (!queue.empty() && queue.front()->deadline_ <= now) {
            auto late = std::move(queue.front());
            queue.pop_front();
            --waiting_;
            late->finish(
                error(errc::timeout, fmt::format("'{}' waited too long for the request before it",
                                                 late->route())));
        }
    }
    tell_idle();
}

} // namespace shaddock::server
