#include "sample.hpp"

#include <shaddock/plugin.hpp>

namespace sample {

class sample_handler {
public:
    explicit sample_handler(shaddock::app& app) : app_(app) {}

    say_reply say(const say_request& request, shaddock::session& session) {
        app_.log().info("say by ", session.uid());
        return {request.text, static_cast<double>(++count_)};
    }
    shaddock::awaitable<say_reply> say_later(say_request request, shaddock::session& session) {
        app_.log().info("later began");
        co_await app_.sleep(std::chrono::seconds(1));
        app_.log().info("later of ", session.uid());
        co_return say_reply{request.text, 0};
    }
    shaddock::awaitable<void> slow() { co_await app_.sleep(std::chrono::seconds(10)); }
    void nothing() {}
    void only_session(shaddock::session& session) {
        app_.log().info("session ", number(session.id()));
    }
    shaddock::result<void> refuse() const {
        return shaddock::application_error("closed today", 403);
    }
    void throw_error(const other_request& request) {
        throw shaddock::error(shaddock::errc::refused, "no " + std::to_string(request.number));
    }
    void throw_other() { throw std::runtime_error("a bug"); }
    shaddock::awaitable<void> throw_later() {
        co_await app_.sleep(std::chrono::seconds(1));
        throw std::runtime_error("a late bug");
    }
    shaddock::awaitable<shaddock::result<say_reply>> bind(shaddock::session& session) {
        auto bound = co_await session.bind("new");
        if (!bound) {
            co_return bound.error();
        }
        session.set("level", 3);
        auto pushed = co_await session.push("level");
        co_return say_reply{session.uid(), session.get<double>("level").value_or(-1)};
    }

private:
    shaddock::app& app_;
    int count_ = 0;
};

class sample_remote {
public:
    say_reply echo(const shaddock::session_ref& who, int number) {
        return {who.uid, static_cast<double>(number)};
    }
    shaddock::awaitable<std::string> later(int number) { co_return "n" + std::to_string(number); }
};

/// The name tells who speaks.
class log_filter {
public:
    log_filter(shaddock::app& app, std::string name) : app_(app), name_(std::move(name)) {}
    shaddock::result<void> before(std::string_view route, shaddock::session& who) {
        app_.log().info(name_, " before ", route);
        if (who.get<std::string>("refuse") == name_) {
            return shaddock::error(shaddock::errc::refused, "by " + name_);
        }
        return {};
    }
    void after(std::string_view, shaddock::session&, const shaddock::error* failed) {
        app_.log().info(name_, " after ", failed == nullptr ? "ok" : failed->text().c_str());
    }

private:
    shaddock::app& app_;
    std::string name_;
};

class word_filter {
public:
    void before(std::string_view, shaddock::session&, say_request& message) {
        if (const auto at = message.text.find("bad"); at != std::string::npos) {
            message.text.replace(at, 3, "***");
        }
    }
};

class part {
public:
    explicit part(shaddock::app& app) : app_(app) {}
    shaddock::awaitable<void> start() {
        co_await app_.sleep(std::chrono::seconds(1));
        app_.log().info("part started");
    }
    shaddock::result<void> stop() { return shaddock::application_error("cannot stop"); }

private:
    shaddock::app& app_;
};

} // namespace sample

SHADDOCK_PLUGIN("sample", registrar) {
    using sample::sample_handler;
    registrar.handler<sample_handler>("sampleHandler")
        .method("say", &sample_handler::say)
        .method("sayLater", &sample_handler::say_later)
        .serial()
        .method("nothing", &sample_handler::nothing)
        .method("slow", &sample_handler::slow)
        .method("onlySession", &sample_handler::only_session)
        .method("refuse", &sample_handler::refuse)
        .method("throwError", &sample_handler::throw_error)
        .method("throwOther", &sample_handler::throw_other)
        .method("throwLater", &sample_handler::throw_later)
        .method("bind", &sample_handler::bind);
    registrar.remote<sample::sample_remote>("sampleRemote")
        .method(sample::echo, &sample::sample_remote::echo)
        .method(sample::later, &sample::sample_remote::later);
    registrar.filter<sample::log_filter>(std::string("first"));
    registrar.filter<sample::word_filter, sample::say_request>();
    registrar.filter<sample::log_filter>(std::string("second"));
    registrar.filter<shaddock::timeout_filter>();
    registrar.component<sample::part>("part");
    registrar.on_member_lost(
        [](shaddock::app& app, std::string_view channel, const shaddock::member& gone) {
            app.log().info("lost ", gone.ref.uid, " of ", channel);
            throw std::runtime_error("a bug in a hook");
        });
    registrar.on_started([](shaddock::app& app) -> shaddock::awaitable<void> {
        co_await app.sleep(std::chrono::seconds(1));
        app.log().info("started");
    });
    registrar.route_by("chat",
                       [](const shaddock::route_param& by) -> shaddock::result<std::string> {
                           if (const auto* session = by.by_session()) {
                               return session->get<std::string>("rid").value_or("none");
                           }
                           return std::string(by.text());
                       });
}
