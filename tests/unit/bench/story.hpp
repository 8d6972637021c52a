#pragma once

#include "check/history.hpp"
#include "check/rules.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace shaddock::bench {

/// Writes histories as a test tells them: each step happens 1 ms after the one before.
class story {
public:
    client_id person(const std::string& name, const std::string& room,
                     const std::vector<std::string>& users) {
        const client_id who = stranger(name);
        enter(who, room);
        entered(who, users);
        return who;
    }
    client_id stranger(const std::string& name) {
        const client_id who = log.add_client(name);
        names_.push_back(log.name(name));
        ids_.push_back(0);
        log.note(tick(), who, event_kind::connect);
        return who;
    }
    void enter(client_id who, const std::string& room) {
        log.note(tick(), who, event_kind::enter, ++ids_[who], log.name(room), names_[who]);
    }
    void entered(client_id who, const std::vector<std::string>& names) {
        std::vector<name_id> listed;
        for (const auto& name : names) {
            listed.push_back(log.name(name));
        }
        log.note(tick(), who, event_kind::ok, ids_[who], log.users_list(std::move(listed)));
    }
    void refused(client_id who) { log.note(tick(), who, event_kind::fail, ids_[who], 500); }
    void answered(client_id who) { log.note(tick(), who, event_kind::ok, ids_[who]); }
    void answered(client_id who, std::uint32_t id) { log.note(tick(), who, event_kind::ok, id); }
    void send(client_id who, const std::string& text, const std::string& target = "*") {
        log.note(tick(), who, event_kind::send, ++ids_[who], log.message(text), log.name(target));
    }
    void said(client_id who, const std::string& text, const std::string& target = "*") {
        send(who, text, target);
        answered(who);
    }
    void sees(client_id who, const std::string& text, client_id from,
              const std::string& target = "*") {
        log.note(tick(), who, event_kind::chat, log.message(text), names_[from], log.name(target));
    }
    void sees_add(client_id who, const std::string& user) {
        log.note(tick(), who, event_kind::add, log.name(user));
    }
    void sees_leave(client_id who, const std::string& user) {
        log.note(tick(), who, event_kind::leave, log.name(user));
    }
    void depart(client_id who) { log.note(tick(), who, event_kind::depart); }
    void closed(client_id who) { log.note(tick(), who, event_kind::closed, log.name("eof")); }
    /// A fault that began just now and is over in so long.
    void trouble_ms(int time, bool is_told = false, std::optional<hurt_ones> only = {}) {
        troubles_.push_back({now_, now_ + time * 1'000'000LL, is_told, std::move(only)});
    }
    void wait_ms(int time) { now_ += time * 1'000'000LL; }

    check_report check() const {
        check_options options;
        options.leave_grace = 100'000'000;
        options.troubles = troubles_;
        return bench::check(log, options);
    }

    history log;

private:
    nanoseconds tick() { return now_ += 1'000'000; }

    nanoseconds now_ = 0;
    std::vector<trouble> troubles_;
    std::vector<name_id> names_;
    std::vector<std::uint32_t> ids_;
};

} // namespace shaddock::bench
