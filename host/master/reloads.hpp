#pragma once

#include "base/clock.hpp"
#include "base/function.hpp"
#include "control/reload.hpp"
#include "master/supervisor.hpp"

#include <shaddock/error.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::master {

/// What a reload needs of the master. Thread: the loop.
class reload_needs {
public:
    virtual std::vector<child_report> children() const = 0;
    /// Sends `reload` on a server's line. False: it has none.
    virtual bool ask(std::string_view id, const control::reload_order& order) = 0;
    /// How long a server of the type may take to answer.
    virtual base::duration patience(std::string_view type) const = 0;
    /// A server says that it serves with another build from now on.
    virtual void on_swapped(std::string_view id, const control::running_build& now) = 0;
    /// A line for people: a swap or a refusal.
    virtual void on_news(std::string_view text, bool is_bad) = 0;

protected:
    ~reload_needs() = default;
};

/// Has servers replace their modules, one server after the other, one reload at a time. After a
/// refusal the others of that type are left alone: what one refuses the others would refuse.
/// Thread: the loop. Lifetime: `clock` and `needs` outlive it.
class reloads {
public:
    using done_call = base::unique_function<void(const control::reload_results&)>;

    /// `first_number` is of the first question; another master on the same run folder begins with
    /// another, so a late answer to it is not taken for one to this.
    reloads(base::clock& clock, reload_needs& needs, std::uint64_t first_number)
        : clock_(clock), needs_(needs), number_(first_number) {}
    reloads(const reloads&) = delete;
    reloads& operator=(const reloads&) = delete;

    /// Types and ids; the types in this order, the servers of a type in order of their ids. A
    /// server that is not running takes the new file when it starts: it is skipped, or refused when
    /// named by its id. `done` once, never inline.
    /// Errors: duplicate (a reload is under way), not_found, naming each unknown target with its
    /// nearest names; nothing is asked then.
    result<void> start(control::reload_request wanted, done_call done);

    bool is_busy() const { return static_cast<bool>(done_); }

    /// From the servers' lines: what `reloaded` carries, and the end of a line.
    void on_answer(std::string_view id, std::string_view body);
    void on_gone(std::string_view id);

private:
    struct target {
        child_report child;
        bool is_named = false;
    };

    void advance();
    void next_server();
    void ask(const target& next);
    void finish_asked(control::reload_record record);
    void refuse(const child_report& child, std::string reason);
    void skip(const child_report& child, std::string reason);
    void report(const control::reload_record& record) const;

    base::clock& clock_;
    reload_needs& needs_;
    std::uint64_t number_;
    control::reload_request wanted_;
    std::deque<target> waiting_;
    std::optional<target> asked_;
    std::set<std::string> refused_types_;
    control::reload_results ended_;
    done_call done_;
    base::timer step_;
    base::timer deadline_;
};

} // namespace shaddock::master
