#include "line.hpp"

#include <boost/asio/post.hpp>

namespace shaddock::server {

namespace {

bool is_push(wire::kind what) {
    return what == wire::kind::push_channel || what == wire::kind::push_sessions ||
           what == wire::kind::broadcast;
}

} // namespace

line::line(boost::asio::any_io_executor executor, bus::bus& links, bus::peer self)
    : executor_(std::move(executor)), links_(links), self_(std::move(self)) {}

void line::call(std::string_view to, wire::kind what, std::string bytes, base::time_point deadline,
                base::unique_function<void(result<std::string>)> done) {
    const auto kind = static_cast<std::uint8_t>(what);
    if (to != self_.id) {
        links_.call(to, {kind, bytes}, deadline, std::move(done));
        return;
    }
    bus::responder answer(deadline, [executor = executor_,
                                     done = std::move(done)](result<std::string> answered) mutable {
        boost::asio::post(executor,
                          [done = std::move(done), answered = std::move(answered)]() mutable {
                              done(std::move(answered));
                          });
    });
    boost::asio::post(executor_, [this, alive = alive_.flag(), kind, bytes = std::move(bytes),
                                  answer = std::move(answer)]() mutable {
        if (*alive) {
            self_receiver_->on_call(self_, {kind, bytes}, std::move(answer));
        } else {
            answer.reply(error(errc::cancelled, "this server is stopping"));
        }
    });
}

result<void> line::cast(std::string_view to, wire::kind what, std::string bytes) {
    pushes_ += is_push(what) ? 1 : 0;
    const auto kind = static_cast<std::uint8_t>(what);
    if (to != self_.id) {
        return links_.cast(to, {kind, bytes});
    }
    boost::asio::post(executor_, alive_.guard([this, kind, bytes = std::move(bytes)] {
        self_receiver_->on_cast(self_, {kind, bytes});
    }));
    return {};
}

} // namespace shaddock::server
