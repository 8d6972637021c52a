#include "outgoing.hpp"

#include <boost/asio/post.hpp>

namespace shaddock::server {

namespace {

bool is_push(wire::kind what) {
    return what == wire::kind::push_channel || what == wire::kind::push_sessions ||
           what == wire::kind::broadcast;
}

} // namespace

outgoing::outgoing(boost::asio::any_io_executor executor, bus::bus& links, bus::peer self)
    : executor_(std::move(executor)), links_(links), self_(std::move(self)) {}

void outgoing::call(std::string_view to, wire::kind what, std::string bytes,
                    base::time_point deadline,
                    base::unique_function<void(result<std::string>)> done, const bus::load& of) {
    const auto kind = static_cast<std::uint8_t>(what);
    if (to != self_.id) {
        links_.call(to, {kind, bytes}, deadline, std::move(done), of);
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

result<void> outgoing::cast(std::string_view to, wire::kind what, std::string bytes,
                            const bus::load& of) {
    if (to != self_.id) {
        auto sent = links_.cast(to, {static_cast<std::uint8_t>(what), bytes}, of);
        pushes_ += sent && is_push(what) ? 1 : 0;
        return sent;
    }
    pushes_ += is_push(what) ? 1 : 0;
    cast_to_self(what, std::move(bytes));
    return {};
}

result<void>
outgoing::push_to_sessions(const std::map<std::string_view, std::vector<session_id>>& by_frontend,
                           std::string_view route, door::body_view message, std::uint64_t flow) {
    struct part {
        std::string_view frontend;
        std::string bytes;
        bus::load load;
    };
    const auto size = route.size() + message.size();
    std::vector<part> parts;
    parts.reserve(by_frontend.size());
    for (const auto& [frontend, ids] : by_frontend) {
        const auto& made = parts.emplace_back(part{frontend, wire::encode_push(route, message, ids),
                                                   push_load(flow, size, ids.size())});
        // Asked with what is cast below, so that a link does not take what it refuses here.
        if (auto fits = admits(frontend, made.bytes.size(), made.load); !fits) {
            return fits;
        }
    }
    result<void> outcome;
    for (auto& each : parts) {
        if (auto sent =
                cast(each.frontend, wire::kind::push_sessions, std::move(each.bytes), each.load);
            !sent) {
            outcome = std::move(sent);
        }
    }
    return outcome;
}

void outgoing::tell(std::string_view to, wire::kind what, std::string bytes, std::string_view key) {
    if (to != self_.id) {
        // Without a link the roster of the next one tells it.
        (void)links_.tell(to, {static_cast<std::uint8_t>(what), bytes}, key);
    } else {
        cast_to_self(what, std::move(bytes));
    }
}

void outgoing::cast_to_self(wire::kind what, std::string bytes) {
    boost::asio::post(executor_, alive_.guard([this, kind = static_cast<std::uint8_t>(what),
                                               bytes = std::move(bytes)] {
        self_receiver_->on_cast(self_, {kind, bytes});
    }));
}

} // namespace shaddock::server
