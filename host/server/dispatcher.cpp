#include "dispatcher.hpp"

#include "base/crash_report.hpp"
#include "base/log.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <map>
#include <utility>

namespace shaddock::server {

namespace {

constexpr auto sweep_period = std::chrono::milliseconds(250);
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
        end_waiting();
        give(std::move(outcome));
    }
    leave();
    release_serial();
}

void pending_call::give(result<door::body> outcome) noexcept {
    is_finished_ = true;
    if (waited_for_until_) {
        *waited_for_until_ = base::time_point::max();
    }
    count(outcome);
    answer(std::move(outcome));
}

void pending_call::expire() {
    give(error(errc::timeout, fmt::format("'{}' did not answer in time", route())));
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

// ---- running

/// A call that was kept back comes here twice: it has waited since the first time.
void dispatcher::arrived(pending_call& call, const method_entry* entry, route_table& counts) {
    call.counts_ = entry != nullptr ? entry->counts : &counts.unknown();
    if (call.clock_ == nullptr) {
        call.clock_ = &clock_;
        call.arrival_ = ++arrivals_;
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
    base::crash_report::note_route(route);
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
    started.waited_for_until_ = std::make_shared<base::time_point>(started.deadline_);
    const served_request::scope here(serving_, service{started.id_, started.waited_for_until_});
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

bool dispatcher::has_before(std::uint64_t mark) const {
    const auto is_before = [mark](const auto& call) { return call->arrival_ <= mark; };
    for (const auto* list : {&running_, &overdue_}) {
        for (const auto* each = list->first; each != nullptr; each = each->after_) {
            if (is_before(each)) {
                return true;
            }
        }
    }
    const auto any_in = [&](const auto& queue) {
        return std::ranges::any_of(queue.second, is_before);
    };
    return is_holding_ || std::ranges::any_of(serial_, any_in) ||
           std::ranges::any_of(asked_, any_in);
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
