#include "several_machines.hpp"

#include "targets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace shaddock::master {
namespace {

/// What is brought in and taken out again by others must not become a loop.
constexpr std::chrono::seconds bring_in_pause{5};
/// Somebody in the list may be cut off from it.
constexpr std::chrono::seconds link_patience{3};

} // namespace

result<void> several_machines::make(const boost::asio::any_io_executor& executor) {
    if (!with_.options.others) {
        return {};
    }
    auto made = with_.options.others(executor);
    if (!made) {
        return made.error();
    }
    others_ = std::move(*made);
    cluster_.emplace(with_.clock, with_.here, *others_, with_.options.place);
    with_.book.share(*others_);
    others_->observe([this](const cluster::view_ptr& now) {
        with_.book.follow(*now);
        bring_in();
    });
    return {};
}

result<void> several_machines::start() {
    return others_ ? others_->start() : result<void>();
}

commands& several_machines::all() {
    return cluster_ ? static_cast<commands&>(*cluster_) : with_.here;
}

void several_machines::bring_in() {
    if (!others_ || with_.phase.is_stopping) {
        return;
    }
    const auto now = with_.clock.now();
    auto ids = with_.book.left_out();
    const auto is_in = [&](const auto& each) { return std::ranges::count(ids, each.first) == 0; };
    std::erase_if(coming_,
                  [&](const auto& each) { return is_in(each) && now >= each.second.again; });
    for (auto& each : coming_) {
        if (is_in(each)) {
            each.second.ready.reset();
        }
    }
    if (ids.empty()) {
        return; // mostly: this is asked with each status
    }
    const auto children = with_.children.list();
    std::erase_if(ids, [&](const auto& id) { return !may_come(id, children); });
    if (ids.empty()) {
        return;
    }
    for (const auto& id : ids) {
        coming_[id].again = now + bring_in_pause;
    }
    const auto changed = with_.book.bring_in(ids);
    with_.say(fmt::format("{} {}", fmt::join(ids, ", "),
                          changed ? "come into the list of servers"
                                  : "cannot come into the list: " + changed.error().text()),
              !changed);
}

bool several_machines::may_come(const std::string& id, const std::vector<child_report>& children) {
    const auto* child = find_child(children, id);
    if (child == nullptr || !child->is(control::server_state::ready)) {
        return false;
    }
    const auto now = with_.clock.now();
    auto& its = coming_[id];
    its.ready = its.ready.value_or(now);
    const bool is_linked = child->links >= child->expected || now - *its.ready >= link_patience;
    return is_linked && now >= its.again;
}

void several_machines::hand_over(base::unique_function<void()> done) {
    const auto ids = others_ ? with_.book.shared_own() : std::vector<std::string>();
    if (ids.empty()) {
        return done();
    }
    const auto left = others_->agree({{}, ids, {}});
    if (!left) {
        with_.say("the rooms of this machine do not move to others: " + left.error().text(), true);
        return done();
    }
    with_.book.follow(**left);
    handed_over_ = std::move(done);
    with_.settled.wait((*left)->epoch, [this] { end_hand_over(); });
}

void several_machines::end_hand_over() {
    if (auto done = std::exchange(handed_over_, nullptr)) {
        done();
    }
}

void several_machines::tell_over(std::string_view id, incarnation life) {
    if (others_) {
        others_->tell_over(id, life);
    }
}

} // namespace shaddock::master
