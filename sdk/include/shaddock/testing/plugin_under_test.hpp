#pragma once

#include <shaddock/json.hpp>
#include <shaddock/testing/fake_host.hpp>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shaddock::testing {

/// A whole plugin on a fake host, entered by its door. Link the plugin's sources into the test:
///
///     extern "C" const shaddock::door::plugin_door shaddock_plugin_door;
///     shaddock::testing::plugin_under_test chat(shaddock_plugin_door);
///     auto reply = chat.request("chatHandler.send", R"({"content":"hi","target":"*"})", alice);
class plugin_under_test {
public:
    /// Throws std::runtime_error with what the plugin threw.
    explicit plugin_under_test(const door::plugin_door& door) : door_(door) {
        host.self_.type = door.type;
        host.self_.id = std::string(door.type) + "-server-1";
    }
    plugin_under_test(const plugin_under_test&) = delete;
    plugin_under_test& operator=(const plugin_under_test&) = delete;
    ~plugin_under_test() {
        if (made_ != nullptr) {
            door_.destroy(made_);
        }
    }

    /// What a method was registered with.
    struct method {
        door::callable* target = nullptr;
        bool is_serial = false;
        std::uint64_t contract = 0;
        std::string request_shape;
        std::string reply_shape;
    };

    fake_host host;

    /// Lists the plugin's routes, then constructs it; done by the first request if not before, so
    /// that a test can set up the host. Throws std::runtime_error with what the host would refuse.
    void create() {
        if (made_ != nullptr) {
            return;
        }
        list_routes();
        std::string failed;
        made_ = door_.create(host, tables_, &failed);
        if (made_ == nullptr || !failed.empty()) {
            if (made_ != nullptr) {
                door_.destroy(std::exchange(made_, nullptr));
            }
            throw std::runtime_error("the plugin could not be created: " + failed);
        }
    }

    const method& handler(std::string_view name) { return get(tables_.handlers, name); }
    const method& remote(std::string_view name) { return get(tables_.remotes, name); }
    door::hooks& hooks() {
        create();
        return *tables_.hooks;
    }
    const std::vector<door::component*>& components() {
        create();
        return tables_.parts;
    }
    const std::vector<door::global_filter*>& global_filters() {
        create();
        return tables_.filters;
    }
    /// The server that the plugin's route function for `type` picks.
    result<std::string> pick(std::string_view type, const door::route_param& by,
                             std::span<const door::server_info> expected) {
        create();
        return tables_.routers.at(std::string(type))->pick(by, expected);
    }

    /// A request of a client; runs the loop until it is answered or nothing is left to do. Nothing
    /// when it is still waiting.
    std::optional<result<std::string>> request(std::string_view name, std::string_view body,
                                               const door::session_data& who) {
        auto answer = start(name, body, who);
        host.run();
        return *answer;
    }
    /// Hands a request over without running the loop; the answer appears in what is returned.
    std::shared_ptr<std::optional<result<std::string>>>
    start(std::string_view name, std::string_view body, const door::session_data& who) {
        return invoke(*handler(name).target, host.self_.type + "." + std::string(name), body, &who,
                      0);
    }
    /// What a client gets that shakes hands: `user` as JSON, empty for none, or the error that
    /// turns it away, with client code 501 when it is too old. Runs the loop.
    result<std::string> shake_hands(const door::client_info& client) {
        create();
        for (auto* hook : tables_.handshakes) {
            const auto accepted = hook->accepts(client);
            if (!accepted) {
                return accepted.error();
            }
            if (!*accepted) {
                return error(errc::refused, "the client is too old", 501);
            }
        }
        std::string user;
        for (auto* hook : tables_.handshakes) {
            std::optional<result<door::body>> end;
            hook->shake_hands(client, std::make_unique<kept_outcome>(end));
            host.run();
            if (!end || !*end) {
                return end ? end->error() : error(errc::internal, "a hook has not answered yet");
            }
            if (!(*end)->empty() && **end != "null") {
                user = std::move(**end);
            }
        }
        return user;
    }
    /// A call of another server. `contract` 0 is not compared; another one than the remote's is
    /// refused, as by a host that does not know the caller's types.
    std::optional<result<std::string>> call(std::string_view name, std::string_view arguments,
                                            std::uint64_t contract = 0) {
        if (contract != 0 && contract != remote(name).contract) {
            return error(errc::contract,
                         std::string(name) + ": the caller has other types than the remote");
        }
        auto answer = invoke(*remote(name).target, host.self_.type + "." + std::string(name),
                             arguments, nullptr, contract);
        host.run();
        return *answer;
    }

    /// As `request` with the types of both sides: what a client's library would do. Throws
    /// errc::internal when the request still waits.
    template <class Reply, class Request>
    result<Reply> ask(std::string_view name, const Request& message,
                      const door::session_data& who) {
        const auto answer = request(name, json::encode(message), who);
        if (!answer) {
            throw error(errc::internal, std::string(name) + " still waits");
        }
        return *answer ? json::decode<Reply>(**answer, name) : result<Reply>(answer->error());
    }

    // ---- the life of the plugin
    /// Starts the components in order. An error is that of the first that fails; those after it are
    /// not started. Runs the loop.
    result<void> start_components() {
        for (auto* part : components()) {
            auto started = run_part([&](auto done) { part->start(std::move(done)); });
            if (!started) {
                return started;
            }
        }
        return {};
    }
    /// As a server's start does after `start_components`. The first error.
    result<void> serve_components() {
        for (auto* part : components()) {
            auto serving = run_part([&](auto done) { part->on_serving(std::move(done)); });
            if (!serving) {
                return serving;
            }
        }
        return {};
    }
    /// As a reload does before it saves the state, in reverse. The first error.
    result<void> replace_components() {
        const auto& parts = components();
        for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
            auto ready = run_part([&](auto done) { (*part)->on_replacing(std::move(done)); });
            if (!ready) {
                return ready;
            }
        }
        return {};
    }
    /// Stops them in reverse; all of them. The first error.
    result<void> stop_components(door::stop_reason why = door::stop_reason::server_stops) {
        result<void> all;
        const auto& parts = components();
        for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
            auto stopped = run_part([&](auto done) { (*part)->stop(why, std::move(done)); });
            all = all ? std::move(stopped) : std::move(all);
        }
        return all;
    }
    /// What the plugin saves for the next generation; empty when nothing of it has a state.
    result<std::vector<door::saved_state>> save() {
        create();
        return door_.save == nullptr ? result<std::vector<door::saved_state>>({})
                                     : door_.save(made_);
    }
    /// Gives it what another one saved, as a reload does after `create`.
    result<void> restore(std::span<const door::saved_state> states,
                         std::string_view version = "1") {
        create();
        return door_.restore == nullptr ? result<void>() : door_.restore(made_, states, version);
    }

    // ---- clients that come and go
    /// A client with a session; it stays as the plugin changes it, see `host.clients`.
    door::session_data connect(std::uint64_t id, std::string uid = {},
                               std::vector<door::setting> settings = {}) {
        auto who = make_session(id, std::move(uid), std::move(settings));
        host.clients.connect(who);
        return who;
    }
    /// Its session as it is now: what the next request brings along. Throws errc::not_found when it
    /// has gone.
    door::session_data session_now(std::uint64_t id) const {
        const auto* known = host.clients.find_now(make_session(id).ref);
        if (known == nullptr) {
            throw error(errc::not_found, "session " + std::to_string(id) + " is not connected");
        }
        return *known;
    }
    /// The client's connection closes: it leaves its channels, for each the plugin's hook is
    /// called. Runs the loop.
    void close(const session_ref& who) {
        host.clients.close(who);
        for (const auto& name : host.channel_names()) {
            auto* channel = host.find_channel(name);
            const auto* found = channel == nullptr ? nullptr : channel->find(who);
            if (found != nullptr) {
                const door::member gone = *found;
                channel->remove(who);
                hooks().on_member_lost(name, gone);
            }
        }
        host.run();
    }

private:
    void list_routes() const {
        tables listed;
        try {
            door_.describe(listed);
        } catch (const std::exception& failed) {
            throw std::runtime_error(std::string("the plugin could not list its routes: ") +
                                     failed.what());
        }
        if (!listed.twice.empty()) {
            throw std::runtime_error("route '" + listed.twice + "' is registered twice");
        }
    }

    template <class F>
    result<void> run_part(F begin) {
        std::optional<result<door::body>> end;
        begin(std::make_unique<kept_outcome>(end));
        host.run();
        if (!end) {
            return error(errc::internal, "a component has not ended yet");
        }
        return *end ? result<void>() : result<void>(end->error());
    }

    using answer_slot = std::shared_ptr<std::optional<result<std::string>>>;

    class kept_outcome final : public door::completion {
    public:
        explicit kept_outcome(std::optional<result<door::body>>& into) : into_(into) {}
        void done(result<door::body> outcome) noexcept override { into_ = std::move(outcome); }

    private:
        std::optional<result<door::body>>& into_;
    };

    class recorded_invocation final : public door::invocation {
    public:
        recorded_invocation(std::string route, std::string_view body, const door::session_data* who,
                            std::uint64_t contract, answer_slot slot)
            : route_(std::move(route)), body_(body), contract_(contract), slot_(std::move(slot)) {
            if (who != nullptr) {
                session_ = *who;
            }
        }
        ~recorded_invocation() override {
            if (!*slot_) {
                *slot_ = error(errc::internal, "never answered");
            }
        }
        std::string_view route() const noexcept override { return route_; }
        door::body_view request() const noexcept override { return body_; }
        const door::session_data* session() const noexcept override {
            return session_ ? &*session_ : nullptr;
        }
        std::uint64_t contract() const noexcept override { return contract_; }
        bool is_notify() const noexcept override { return false; }
        door::time_point deadline() const noexcept override { return door::time_point::max(); }
        void finish(result<door::body> answer) noexcept override { *slot_ = std::move(answer); }

    private:
        std::string route_;
        std::string body_;
        std::optional<door::session_data> session_;
        std::uint64_t contract_;
        answer_slot slot_;
    };

    class tables final : public door::registration {
    public:
        void handler(const door::method_info& info, door::callable* target) noexcept override {
            add(handlers, info, target);
        }
        void remote(const door::method_info& info, door::callable* target) noexcept override {
            add(remotes, info, target);
        }
        void route(std::string_view type, door::router* target) noexcept override {
            routers[std::string(type)] = target;
        }
        void filter(door::global_filter* target) noexcept override { filters.push_back(target); }
        void hook(door::hooks* target) noexcept override { hooks = target; }
        void part(door::component* target) noexcept override { parts.push_back(target); }
        void handshake(door::handshake_hook* target) noexcept override {
            handshakes.push_back(target);
        }
        void call(std::string_view, std::uint64_t, std::string_view) noexcept override {}

        std::map<std::string, method, std::less<>> handlers;
        std::map<std::string, method, std::less<>> remotes;
        std::map<std::string, door::router*, std::less<>> routers;
        std::vector<door::global_filter*> filters;
        std::vector<door::component*> parts;
        std::vector<door::handshake_hook*> handshakes;
        door::hooks* hooks = nullptr;
        /// A route that was registered twice; empty when there is none.
        std::string twice;

    private:
        void add(std::map<std::string, method, std::less<>>& to, const door::method_info& info,
                 door::callable* target) {
            auto name = std::string(info.object) + "." + std::string(info.method);
            const method added{target, info.is_serial, info.contract,
                               std::string(info.request_shape), std::string(info.reply_shape)};
            if (!to.emplace(name, added).second) {
                twice = std::move(name);
            }
        }
    };

    const method& get(const std::map<std::string, method, std::less<>>& from,
                      std::string_view name) {
        create();
        const auto found = from.find(name);
        if (found == from.end()) {
            throw std::runtime_error("the plugin has no method " + std::string(name));
        }
        return found->second;
    }
    static answer_slot invoke(door::callable& target, std::string route, std::string_view body,
                              const door::session_data* who, std::uint64_t contract) {
        auto slot = std::make_shared<std::optional<result<std::string>>>();
        target.invoke(
            std::make_unique<recorded_invocation>(std::move(route), body, who, contract, slot));
        return slot;
    }

    const door::plugin_door& door_;
    tables tables_;
    door::plugin* made_ = nullptr;
};

} // namespace shaddock::testing
