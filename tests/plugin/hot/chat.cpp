#include "greeter.hpp"
#include "ledger.hpp"
#include "mark.hpp"

#include <shaddock/plugin.hpp>

#include <chrono>

namespace hot {

using shaddock::awaitable;
using shaddock::errc;
using shaddock::error;

class talk {
public:
    talk(shaddock::app& app, memory& known, ledger& rows) : app_(app), known_(known), rows_(rows) {}

    /// Tells the sender's room, then answers.
    auto say(const request& asked, shaddock::session& session) {
        const auto room = session.get<std::string>("rid").value_or("");
        auto channel = app_.channels().find(room);
        if (!channel) {
            throw error(errc::not_found, "there is no room '" + room + "'");
        }
        const auto taken = mark(app_, known_, asked.n);
        const auto seq = known_.next(room);
        rows_.note(session.uid(), asked.n);
        channel->push("onSaid", said{session.uid(), asked.n, seq, taken}).value();
        return give(app_, taken, seq, [this, n = asked.n] { return mark(app_, known_, n); });
    }
    /// Answers after `ms`: whatever was swapped in meanwhile, by the code that took it.
    awaitable<reply> wait(request asked) {
        reply made;
        made.taken = mark(app_, known_, asked.n);
        co_await rest(app_, std::chrono::milliseconds(asked.ms));
        made.given = mark(app_, known_, asked.n);
        co_return made;
    }

private:
    shaddock::app& app_;
    memory& known_;
    ledger& rows_;
};

class rooms {
public:
    rooms(shaddock::app& app, memory& known) : app_(app), known_(known) {}

    shaddock::result<bool> join(const shaddock::session_ref& who, const std::string& room) {
        if (auto added = app_.channels().create(room).add(who); !added) {
            return std::move(added).error();
        }
        return true;
    }
    stamp ask(std::uint32_t n) { return mark(app_, known_, n); }

private:
    shaddock::app& app_;
    memory& known_;
};

} // namespace hot

SHADDOCK_PLUGIN("chat", registrar) {
    const auto known = registrar.state<hot::memory>();
    const auto rows = registrar.state<hot::ledger>();
    registrar.handler<hot::talk>("hot", known, rows)
        .method("say", &hot::talk::say)
        .serial()
        .method("wait", &hot::talk::wait);
    registrar.remote<hot::rooms>("hotRemote", known)
        .method(hot::join, &hot::rooms::join)
        .method(hot::ask, &hot::rooms::ask);
    registrar.component<hot::ledger_writer>("ledger", rows);
    registrar.component<hot::greeter>("greeter", known);
}
