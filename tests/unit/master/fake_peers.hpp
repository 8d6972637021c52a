#pragma once

#include "base/clock.hpp"
#include "master/peers.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace shaddock::test {

/// The masters of several machines, in memory; messages arrive when the clock advances.
/// Lifetime: outlives the peers that it has made.
class fake_network {
public:
    explicit fake_network(base::manual_clock& clock) : clock_(clock) {}

    std::unique_ptr<master::peers> join(const std::string& name) {
        return std::make_unique<place>(*this, name);
    }

    /// Ids of machines that are there and answer nothing.
    std::set<std::string> deaf;
    /// `a > b: <the request>`.
    std::vector<std::string> asked;
    /// Nobody has heard of the others yet, until `become_known`.
    bool is_new = false;
    void become_known() {
        is_new = false;
        for (auto& each : std::exchange(waiting_, {})) {
            each();
        }
    }
    /// The length of the longest reply.
    std::size_t longest = 0;

private:
    class place final : public master::peers {
    public:
        place(fake_network& all, std::string name) : all_(all), name_(std::move(name)) {
            all_.handlers_.emplace(name_, handler());
        }
        place(const place&) = delete;
        place& operator=(const place&) = delete;
        ~place() override { all_.handlers_.erase(name_); }

        std::vector<std::string> masters() const override {
            std::vector<std::string> names;
            if (all_.is_new) {
                return names;
            }
            for (const auto& [name, serves] : all_.handlers_) {
                if (name != name_) {
                    names.push_back(name);
                }
            }
            return names;
        }
        void ask(const std::string& machine, std::string request, base::duration patience,
                 done_call done) override {
            all_.asked.push_back(fmt::format("{} > {}: {}", name_, machine, request));
            const auto kept = std::make_shared<done_call>(std::move(done));
            if (all_.deaf.contains(machine)) {
                return all_.later(
                    patience, [kept] { (*kept)(error(errc::timeout, "no answer within 2 s")); });
            }
            all_.later({}, [this, machine, request = std::move(request), kept] {
                const auto at = all_.handlers_.find(machine);
                if (at == all_.handlers_.end() || !at->second) {
                    return (*kept)(error(errc::no_server, "nobody is there"));
                }
                at->second(request, [this, kept](const std::string& reply) {
                    EXPECT_LE(reply.size(), most_reply_bytes);
                    all_.longest = std::max(all_.longest, reply.size());
                    all_.later({}, [kept, reply] { (*kept)(reply); });
                });
            });
        }
        void when_known(base::unique_function<void()> done) override {
            if (all_.is_new) {
                all_.waiting_.push_back(std::move(done));
            } else {
                done();
            }
        }
        void serve(handler to) override { all_.handlers_[name_] = std::move(to); }

    private:
        fake_network& all_;
        std::string name_;
    };

    void later(base::duration wait, base::unique_function<void()> call) {
        timers_.push_back(clock_.after(wait, std::move(call)));
    }

    base::manual_clock& clock_;
    std::map<std::string, master::peers::handler> handlers_;
    std::deque<base::timer> timers_;
    std::vector<base::unique_function<void()>> waiting_;
};

} // namespace shaddock::test
