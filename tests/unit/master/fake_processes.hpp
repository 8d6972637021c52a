#pragma once

#include "base/process.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace shaddock::test {

/// A process that ends when the test says so, and at SIGKILL.
struct fake_process final : base::process {
    fake_process(pid_t pid, std::vector<std::string>& log, std::string id, base::exit_call call)
        : pid_(pid), log_(log), id_(std::move(id)), on_exit(std::move(call)) {}
    pid_t pid() const override { return pid_; }
    bool signal(int number) override {
        log_.push_back(id_ + (number == SIGTERM ? " term" : number == SIGKILL ? " kill" : " ?"));
        return true;
    }
    pid_t pid_;
    std::vector<std::string>& log_;
    std::string id_;
    base::exit_call on_exit;
};

/// Starts nothing; remembers who was started and hands out the exits.
struct fake_starter final : base::process_starter {
    result<std::unique_ptr<base::process>> start(const base::launch& what,
                                                 base::exit_call on_exit) override {
        const auto& id = what.command.front();
        if (unstartable == id) {
            return error(errc::config, "no such program");
        }
        log.push_back(id +
                      (what.command.back() == "--modules-before" ? " start before" : " start"));
        auto one = std::make_unique<fake_process>(++last_pid, log, id, std::move(on_exit));
        living[id] = one.get();
        return std::unique_ptr<base::process>(std::move(one));
    }
    void start_aside(const base::launch&, base::start_call, base::exit_call) override {
        FAIL() << "the supervisor waits for its children to be there";
    }
    result<std::unique_ptr<base::process>> adopt(pid_t pid, base::exit_call on_exit) override {
        if (!strangers.contains(pid)) {
            return error(errc::not_found, "no such process");
        }
        const auto id = strangers.at(pid);
        log.push_back(id + " adopt");
        auto one = std::make_unique<fake_process>(pid, log, id, std::move(on_exit));
        living[id] = one.get();
        return std::unique_ptr<base::process>(std::move(one));
    }
    void end(const std::string& id, base::exit_report how) {
        auto* one = living.at(id);
        living.erase(id);
        auto call = std::move(one->on_exit);
        call(how);
    }
    pid_t pid_of(const std::string& id) const { return living.at(id)->pid_; }

    std::vector<std::string> log;
    std::map<std::string, fake_process*> living;
    std::map<pid_t, std::string> strangers;
    std::string unstartable;
    pid_t last_pid = 100;
};

} // namespace shaddock::test
