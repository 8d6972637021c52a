#include "several_machines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <utility>
#include <vector>

namespace shaddock::master {
namespace {

/// What is brought in and taken out again by others must not become a loop.
constexpr std::chrono::seconds bring_in_pause{5};

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
    if (!others_ || with_.phase.is_stopping || with_.clock.now() < bring_in_again_) {
        return;
    }
    auto ids = with_.book.left_out();
    std::erase_if(ids, [this](const auto& id) { return !with_.leaving.is_ready(id); });
    if (ids.empty()) {
        return;
    }
    bring_in_again_ = with_.clock.now() + bring_in_pause;
    const auto changed = with_.book.bring_in(ids);
    with_.say(fmt::format("{} {}", fmt::join(ids, ", "),
                          changed ? "come into the list of servers"
                                  : "cannot come into the list: " + changed.error().text()),
              !changed);
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
