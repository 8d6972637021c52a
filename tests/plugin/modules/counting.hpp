#pragma once

#include <shaddock/plugin.hpp>

#include <map>
#include <string>
#include <string_view>

/// A plugin of type `probe` that knows something of its rooms.
namespace counting {

struct counted {
    std::string server;
    int count = 0;
};
BOOST_DESCRIBE_STRUCT(counted, (), (server, count))

/// One room for each uid, and how often its owner has counted.
class rooms {
public:
    static constexpr std::string_view state_name = "rooms";
    explicit rooms(shaddock::app& app) : app_(app) {}
    counted count(const std::string& room) {
        app_.channels().create(room);
        return {app_.server_id(), ++counts_[room]};
    }
    void join(shaddock::session& who) { app_.channels().create(who.uid()).add(who.ref()).value(); }
    std::string save_room(std::string_view room) {
        const auto count = counts_[std::string(room)];
        counts_.erase(std::string(room));
        return std::to_string(count);
    }
    void restore_room(std::string_view room, std::string_view bytes) {
        counts_[std::string(room)] = std::stoi(std::string(bytes));
    }

private:
    shaddock::app& app_;
    std::map<std::string, int> counts_;
};

class handler {
public:
    explicit handler(rooms& all) : all_(all) {}
    counted count(shaddock::session& who) { return all_.count(who.uid()); }
    void join(shaddock::session& who) { all_.join(who); }

private:
    rooms& all_;
};

/// `probe.probeHandler.count` and `join`.
inline void setup(shaddock::registrar& into) {
    const auto all = into.state<rooms>();
    into.handler<handler>("probeHandler", all)
        .method("count", &handler::count)
        .method("join", &handler::join);
}

} // namespace counting
