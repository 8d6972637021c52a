#pragma once

#include "base/gate.hpp"
#include "server/message_shape.hpp"
#include "server/server.hpp"

#include <shaddock/door.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace shaddock::server {

struct route_counts;

/// A handler's or remote's method in the tables of one generation.
struct method_entry {
    std::string route;
    bool is_serial = false;
    std::uint64_t contract = 0;
    door::callable* target = nullptr;
    /// Remotes: the types of the contract as text.
    std::string shape{};
    /// Another hash, whose types were compared with these and fit. 0: none yet.
    std::uint64_t fitting = 0;
    /// Serial methods: the same for the same route in every generation; the dispatcher's.
    const std::string* serial = nullptr;
    /// The same for the same route in every generation; the dispatcher's.
    route_counts* counts = nullptr;
};

/// All that one generation of a plugin registered. Filled while the plugin is created, then
/// unchanged.
class tables final : public door::registration {
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };

public:
    using methods = std::unordered_map<std::string, method_entry, text_hash, std::equal_to<>>;

    explicit tables(std::string type) : type_(std::move(type)) {}

    void handler(const door::method_info& info, door::callable* target) noexcept override;
    void remote(const door::method_info& info, door::callable* target) noexcept override;
    void route(std::string_view type, door::router* target) noexcept override;
    void filter(door::global_filter* target) noexcept override { filters_.push_back(target); }
    void hook(door::hooks* target) noexcept override { hooks_.push_back(target); }
    void part(door::component* target) noexcept override { components_.push_back(target); }
    void handshake(door::handshake_hook* target) noexcept override {
        handshakes_.push_back(target);
    }
    void call(std::string_view route, std::uint64_t contract,
              std::string_view shape) noexcept override {
        calls_.push_back(
            {contract_row::role::called, std::string(route), contract, std::string(shape)});
    }

    method_entry* find_handler(std::string_view route) { return find(handlers_, route); }
    methods& handlers() { return handlers_; }
    methods& remotes() { return remotes_; }
    method_entry* find_remote(std::string_view route) { return find(remotes_, route); }
    door::router* router_for(std::string_view type) const;
    const std::vector<door::global_filter*>& filters() const { return filters_; }
    const std::vector<door::hooks*>& hooks() const { return hooks_; }
    const std::vector<door::component*>& components() const { return components_; }
    const std::vector<door::handshake_hook*>& handshakes() const { return handshakes_; }
    /// What it serves other servers, and what it says that it calls.
    contract_rows contracts() const;
    /// Routes registered twice, as text; empty when all is well.
    const std::string& problem() const { return problem_; }

private:
    static method_entry* find(methods& in, std::string_view route) {
        const auto at = in.find(route);
        return at == in.end() ? nullptr : &at->second;
    }
    void add(methods& to, const door::method_info& info, door::callable* target);

    std::string type_;
    methods handlers_;
    methods remotes_;
    std::vector<std::pair<std::string, door::router*>> routers_;
    std::vector<door::global_filter*> filters_;
    std::vector<door::hooks*> hooks_;
    std::vector<door::component*> components_;
    std::vector<door::handshake_hook*> handshakes_;
    contract_rows calls_;
    std::string problem_;
};

/// One life of the objects of a server's plugins (one, or several that register side by side).
/// Shared by the server and by every lease.
class generation {
public:
    generation(std::unique_ptr<door::host> host, std::string type, std::uint32_t number)
        : host_(std::move(host)), tables_(std::move(type)), number_(number) {}
    generation(const generation&) = delete;
    generation& operator=(const generation&) = delete;
    ~generation();

    /// Creates and registers, in the order of the list. Errors: config with what a plugin threw, or
    /// a route registered twice; what was created stays, for it may have begun work: let that end,
    /// then destroy().
    result<void> add(std::vector<plugin_source> plugins);
    tables& registered() { return tables_; }
    door::host& host() { return *host_; }
    /// Files and versions as people read them: `chat.so`, or `chat.so, extra.so`.
    std::string modules() const;
    std::string versions() const;
    std::string build_ids() const;
    /// All of it: `chat.so 0.1.0 build 5be2a1c09f3d`, the build as the first digits of its id, and
    /// not at all when the file has none.
    std::string builds() const;
    std::uint32_t number() const { return number_; }
    /// What a plugin has saved, by its file.
    struct saved_plugin {
        std::string file;
        std::string version;
        std::vector<door::saved_state> states;
    };
    result<std::vector<saved_plugin>> save() const;
    /// Takes over what the plugins of the same files have saved.
    result<void> restore(const std::vector<saved_plugin>& saved);
    /// What the plugins know of a room, as bytes; empty: nothing. Over 64 KiB it is lost, and
    /// logged.
    std::string save_room(std::string_view channel);
    void restore_room(std::string_view channel, std::string_view bytes);
    /// No lease is given any more; `left` is called once, when the last has left, possibly on the
    /// stack of a plugin.
    void close(base::unique_function<void()> left) { leases_.close(std::move(left)); }
    std::size_t leases() const { return leases_.inside(); }
    /// Destroys the plugins' objects now, last created first, whoever still holds a lease.
    void destroy();

private:
    friend class lease;
    struct living {
        plugin_source source;
        door::plugin* object;
    };
    // The host interface outlives the plugins' objects.
    std::unique_ptr<door::host> host_;
    tables tables_;
    std::uint32_t number_;
    std::vector<living> plugins_;
    base::gate leases_;
};

/// What an invocation holds on the generation that serves it: a pass of its gate, so that the
/// generation does not end before it, and its memory, for those that outlive the server.
class lease {
public:
    lease() = default;
    /// Of the generation that serves; null: none.
    explicit lease(std::shared_ptr<generation> of) : of_(std::move(of)) {
        if (of_) {
            pass_ = of_->leases_.enter().value();
        }
    }
    lease(lease&&) noexcept = default;
    lease& operator=(lease&& other) noexcept {
        std::swap(of_, other.of_);
        std::swap(pass_, other.pass_);
        return *this;
    }

    explicit operator bool() const { return of_ != nullptr; }
    generation* get() const { return of_.get(); }
    generation* operator->() const { return of_.get(); }

private:
    std::shared_ptr<generation> of_;
    std::optional<base::gate::pass> pass_;
};

} // namespace shaddock::server
