#include "dispatcher.hpp"

#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace shaddock::server {

namespace {

constexpr auto sweep_period = std::chrono::milliseconds(250);
/// Calls kept back while a reload waits for those in flight.
constexpr std::size_t held_limit = 100'000;
/// Bodies of all calls that wait, for whatever it is.
constexpr std::size_t waiting_bytes_limit = std::size_t{64} * 1024 * 1024;
/// Of them; other work of the loop has its turn in between.
constexpr std::size_t released_in_a_turn = 256;
/// Between two lines about failures of one route.
constexpr auto complaint_period = std::chrono::seconds(1);
constexpr std::size_t complaint_bytes = 500;

} // namespace

pending_call::pending_call(std::shared_ptr<const door::session_data> session, door::body_view body,
                           base::time_point deadline, std::uint64_t contract, bool is_notify)
    : session_(std::move(session)), bytes_(body), deadline_(deadline), contract_(contract),
      is_notify_(is_notify) {}

pending_call::~pending_call() {
    end_waiting();
    leave();
    release_serial();
}

void pending_call::abandon() noexcept {
    if (!is_finished_) {
        finish(error(errc::internal, "the handler ended without an answer"));
    }
}

void pending_call::finish(result<door::body> outcome) noexcept {
    if (!is_finished_) {
        is_finished_ = true;
        end_waiting();
        count(outcome);
        answer(std::move(outcome));
    }
    leave();
    release_serial();
}

void pending_call::expire() {
    is_finished_ = true;
    result<door::body> late =
        error(errc::timeout, fmt::format("'{}' did not answer in time", route()));
    count(late);
    answer(std::move(late));
    owner_->overdue(*this);
}

void pending_call::count(const result<door::body>& outcome) noexcept {
    if (counts_ != nullptr) {
        counts_->note(outcome, clock_->now() - arrived_);
        if (!outcome && entry_ != nullptr) {
            if (const error why = outcome.error(); why.code() == errc::internal) {
                complain(why);
            }
        }
    }
}

// What a plugin throws is its bug: who looks at the log sees it at any level, but no client can
// fill the log by it.
void pending_call::complain(const error& why) {
    const auto now = clock_->now();
    if (now < counts_->next_complaint) {
        ++counts_->unnamed;
        return;
    }
    counts_->next_complaint = now + complaint_period;
    const auto unnamed = std::exchange(counts_->unnamed, 0);
    base::log::error("server", "'{}' has failed: {}{}{}", route(),
                     std::string(why.text()).substr(0, complaint_bytes),
                     lease_ ? fmt::format(", in {}", lease_->builds()) : "",
                     unnamed != 0 ? fmt::format("; {} more failures before", unnamed) : "");
}

void pending_call::begin_waiting(dispatcher& where) {
    if (waits_at_ == nullptr) {
        waits_at_ = &where;
        where.waiting_bytes_ += bytes_.size();
    }
}

void pending_call::end_waiting() {
    if (auto* where = std::exchange(waits_at_, nullptr)) {
        where->waiting_bytes_ -= bytes_.size();
    }
}

void pending_call::leave() {
    if (owner_ != nullptr) {
        owner_->ended(*this);
    }
}

void pending_call::release_serial() {
    if (const auto owner = std::move(serial_owner_); owner && *owner != nullptr) {
        (*owner)->serial_ended(*this);
    }
}

dispatcher::dispatcher(boost::asio::any_io_executor executor, base::clock& clock,
                       std::size_t serial_limit)
    : executor_(std::move(executor)), clock_(clock), serial_limit_(serial_limit) {}

dispatcher::~dispatcher() {
    cancel_all();
    *self_ = nullptr;
}

void dispatcher::use(std::shared_ptr<generation> next) {
    current_ = std::move(next);
    if (!current_) {
        return;
    }
    const auto enter = [this](tables::methods& methods, route_table& counts) {
        for (auto& [route, entry] : methods) {
            entry.counts = &counts.of(route);
            if (entry.is_serial) {
                entry.serial = &*serial_routes_.insert(route).first;
            }
        }
    };
    enter(current_->registered().handlers(), handler_counts_);
    enter(current_->registered().remotes(), remote_counts_);
}

// ---- holding

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

// ---- running

/// A call that was kept back comes here twice: it has waited since the first time.
void dispatcher::arrived(pending_call& call, const method_entry* entry, route_table& counts) {
    call.counts_ = entry != nullptr ? entry->counts : &counts.unknown();
    if (call.clock_ == nullptr) {
        call.clock_ = &clock_;
        if (call.arrived_ == base::time_point{}) {
            call.arrived_ = clock_.now();
        }
    }
}

void dispatcher::run_handler(std::string_view route, std::unique_ptr<pending_call> call) {
    auto* entry = current_ ? current_->registered().find_handler(route) : nullptr;
    arrived(*call, entry, handler_counts_);
    if (!keep_back(false, route, call)) {
        run(entry, route, std::move(call));
    }
}

void dispatcher::run_remote(std::string_view route, std::unique_ptr<pending_call> call) {
    auto* entry = current_ ? current_->registered().find_remote(route) : nullptr;
    arrived(*call, entry, remote_counts_);
    if (!keep_back(true, route, call)) {
        run(entry, route, std::move(call));
    }
}

void dispatcher::run(method_entry* entry, std::string_view route,
                     std::unique_ptr<pending_call> call) {
    call->lease_ = lease(current_);
    if (entry == nullptr) {
        call->finish(error(errc::unknown_route,
                           fmt::format("'{}' is not registered by this server", route)));
        return;
    }
    if (call->contract_ != entry->contract && !has_fitting_types(*entry, call)) {
        return;
    }
    call->entry_ = entry;
    if (!entry->is_serial || call->session_ == nullptr) {
        start(std::move(call));
        return;
    }
    const auto [at, is_first] = serial_.try_emplace(key_of(*call));
    if (is_first) {
        start(std::move(call));
    } else if (at->second.size() < serial_limit_ && has_room_for(*call)) {
        call->begin_waiting(*this);
        at->second.push_back(std::move(call));
        ++waiting_;
    } else {
        call->finish(
            error(errc::overloaded, fmt::format("'{}': {} requests of this session wait already",
                                                route, serial_limit_)));
    }
}

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

dispatcher::serial_key dispatcher::key_of(const pending_call& call) {
    const auto& ref = call.session_->ref;
    return {call.entry_->serial, ref.id, std::hash<std::string>()(ref.frontend)};
}

void dispatcher::start(std::unique_ptr<pending_call> call) {
    auto& started = *call;
    started.end_waiting();
    if (started.entry_->is_serial && started.session_ != nullptr) {
        started.serial_owner_ = self_;
    }
    started.owner_ = this;
    running_.add(started);
    count_cause(started, true);
    ++started_;
    auto* target = started.entry_->target;
    const served_request::scope here(serving_, started.id_);
    target->invoke(std::move(call));
    if (running_.size != 0) {
        watch();
    }
}

void dispatcher::call_list::add(pending_call& call) {
    call.before_ = last;
    call.after_ = nullptr;
    (last != nullptr ? last->after_ : first) = &call;
    last = &call;
    ++size;
}

void dispatcher::call_list::remove(pending_call& call) {
    (call.before_ != nullptr ? call.before_->after_ : first) = call.after_;
    (call.after_ != nullptr ? call.after_->before_ : last) = call.before_;
    --size;
}

void dispatcher::ended(pending_call& call) {
    call.owner_ = nullptr;
    (call.is_overdue_ ? overdue_ : running_).remove(call);
    count_cause(call, false);
    tell_idle();
}

void dispatcher::overdue(pending_call& call) {
    running_.remove(call);
    call.is_overdue_ = true;
    overdue_.add(call);
    tell_idle();
}

void dispatcher::tell_idle() {
    if (in_flight() == 0 && idle_) {
        idle_();
    }
}

std::string dispatcher::under_way() const {
    struct of_route {
        base::time_point since;
        std::size_t count = 0;
    };
    std::map<std::string_view, of_route> routes;
    const auto note = [&](const pending_call& call) {
        auto& known = routes.try_emplace(call.route(), of_route{call.arrived_}).first->second;
        known.since = std::min(known.since, call.arrived_);
        ++known.count;
    };
    for (const auto& list : {running_, overdue_}) {
        for (const auto* each = list.first; each != nullptr; each = each->after_) {
            note(*each);
        }
    }
    for (const auto& [key, queue] : serial_) {
        std::ranges::for_each(queue, [&](const auto& each) { note(*each); });
    }
    constexpr std::size_t most_routes = 5;
    std::string text;
    for (std::size_t named = 0; const auto& [route, known] : routes) {
        if (++named > most_routes) {
            return text + fmt::format(", and {} other routes", routes.size() - most_routes);
        }
        const auto age =
            std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - known.since);
        text += fmt::format("{}'{}' for {} ms{}", text.empty() ? "" : ", ", route, age.count(),
                            known.count > 1 ? fmt::format(" ({} of it)", known.count) : "");
    }
    return text;
}

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

void dispatcher::watch() {
    if (!sweep_.is_armed()) {
        sweep_ = clock_.after(sweep_period, [this] { expire(); });
    }
}

void dispatcher::expire() {
    const auto now = clock_.now();
    for (auto* each = running_.first; each != nullptr;) {
        auto* call = each;
        each = each->after_;
        if (call->deadline_ <= now) {
            call->expire(); // the plugin still owns it, and its late answer is dropped
        }
    }
    expire_waiting(now);
    expire_held(now);
    if (running_.size != 0 || !serial_.empty() || !held_.empty()) {
        watch();
    }
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

void dispatcher::cancel_all() {
    const error why(errc::cancelled, "the server is stopping");
    is_holding_ = false;
    causes_.clear();
    free_ = {};
    for (auto& each : std::exchange(held_, {})) {
        each.end(&why);
    }
    for (auto& [key, calls] : std::exchange(asked_, {})) {
        for (auto& each : calls) {
            each->finish(why);
        }
    }
    while (running_.first != nullptr) {
        running_.first->finish(why);
    }
    // They may outlive it.
    while (overdue_.first != nullptr) {
        overdue_.first->leave();
    }
    for (auto& [key, queue] : serial_) {
        for (auto& each : queue) {
            each->finish(why);
        }
    }
    serial_.clear();
    waiting_ = 0;
    sweep_.cancel();
}

} // namespace shaddock::server
