#include "bus_nats/transport.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <deque>
#include <utility>

namespace shaddock::bus {

namespace {

/// Two transports as one; each accepts all the time.
class pair_transport final : public transport {
public:
    pair_transport(boost::asio::any_io_executor executor, std::unique_ptr<transport> local,
                   std::unique_ptr<transport> far, std::function<bool(std::string_view)> is_local)
        : executor_(std::move(executor)), ways_{way{std::move(local)}, way{std::move(far)}},
          is_local_(std::move(is_local)) {}

    result<void> open() override {
        for (auto& each : ways_) {
            if (each.over->is_open() && each.over->is_reachable()) {
                continue;
            }
            if (auto opened = each.over->open(); !opened) {
                return opened;
            }
        }
        return {};
    }
    bool is_open() const override { return local().is_open() && far().is_open(); }
    bool is_reachable() const override { return local().is_reachable() && far().is_reachable(); }

    void accept(base::unique_function<void(arrival)> done) override {
        accepts_ = std::move(done);
        for (auto& each : ways_) {
            if (!std::exchange(each.is_accepting, true)) {
                each.over->accept([this, &each](arrival who) {
                    each.is_accepting = false;
                    came_.push_back(std::move(who));
                    hand_over();
                });
            }
        }
        if (!came_.empty()) {
            boost::asio::post(executor_, [this, alive = std::weak_ptr(alive_)] {
                if (!alive.expired()) {
                    hand_over();
                }
            });
        }
    }
    void close() override {
        for (auto& each : ways_) {
            each.over->close();
        }
    }

    boost::system::result<std::unique_ptr<pipe>, dial_failure> dial(std::string_view id) override {
        return to(id).dial(id);
    }
    bool is_running(std::string_view id) const override { return to(id).is_running(id); }
    judgement judges(std::string_view id) const override { return to(id).judges(id); }
    bool goes(std::string_view id, const pipe& by) const override {
        return is_local_(id) == by.is_local();
    }

private:
    struct way {
        std::unique_ptr<transport> over;
        bool is_accepting = false;
    };

    transport& local() const { return *ways_[0].over; }
    transport& far() const { return *ways_[1].over; }
    transport& to(std::string_view id) const { return is_local_(id) ? local() : far(); }

    void hand_over() {
        // When it is closed the last one to come back ends it: after that nobody is called here.
        const bool is_over = !is_open();
        if (!accepts_ || came_.empty() ||
            (is_over && (ways_[0].is_accepting || ways_[1].is_accepting))) {
            return;
        }
        auto who = std::move(came_.front());
        came_.pop_front();
        if (is_over) {
            came_.clear();
        }
        std::exchange(accepts_, nullptr)(std::move(who));
    }

    boost::asio::any_io_executor executor_;
    std::array<way, 2> ways_;
    std::function<bool(std::string_view)> is_local_;
    std::deque<arrival> came_;
    base::unique_function<void(arrival)> accepts_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

} // namespace

std::unique_ptr<transport> make_pair_transport(boost::asio::any_io_executor executor,
                                               std::unique_ptr<transport> local,
                                               std::unique_ptr<transport> far,
                                               std::function<bool(std::string_view id)> is_local) {
    return std::make_unique<pair_transport>(std::move(executor), std::move(local), std::move(far),
                                            std::move(is_local));
}

} // namespace shaddock::bus
