#include <shaddock/plugin.hpp>

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>

/// A plugin of the size that people write: what `bench/plugin_loop/run.mjs` builds again and again.
namespace arena {

using namespace std::chrono_literals;
using shaddock::app;
using shaddock::errc;
using shaddock::error;
using shaddock::result;
using shaddock::session;

struct item {
    std::string name;
    int count = 0;
};
BOOST_DESCRIBE_STRUCT(item, (), (name, count))

struct position {
    double x = 0;
    double y = 0;
};
BOOST_DESCRIBE_STRUCT(position, (), (x, y))

struct arena_options {
    int most_players = 0;
    double width = 0;
    std::vector<item> starting_items;
};
BOOST_DESCRIBE_STRUCT(arena_options, (), (most_players, width, starting_items))

struct player {
    std::string uid;
    std::string nickname;
    int level = 1;
    int health = 100;
    position at;
    std::vector<item> bag;
    std::optional<std::string> guild;
};
BOOST_DESCRIBE_STRUCT(player, (), (uid, nickname, level, health, at, bag, guild))

struct enter_request {
    std::string uid;
    std::string nickname;
};
BOOST_DESCRIBE_STRUCT(enter_request, (), (uid, nickname))

struct enter_reply {
    player you;
    std::vector<player> others;
};
BOOST_DESCRIBE_STRUCT(enter_reply, (), (you, others))

struct move_request {
    position to;
};
BOOST_DESCRIBE_STRUCT(move_request, (), (to))

struct use_request {
    std::string item;
    std::optional<std::string> target;
};
BOOST_DESCRIBE_STRUCT(use_request, (), (item, target))

struct use_reply {
    int health = 0;
    int left = 0;
};
BOOST_DESCRIBE_STRUCT(use_reply, (), (health, left))

struct give_request {
    std::string to;
    std::string item;
    int count = 0;
};
BOOST_DESCRIBE_STRUCT(give_request, (), (to, item, count))

struct say_request {
    std::string text;
};
BOOST_DESCRIBE_STRUCT(say_request, (), (text))

struct said_message {
    std::string from;
    std::string text;
};
BOOST_DESCRIBE_STRUCT(said_message, (), (from, text))

struct moved_message {
    std::string uid;
    position to;
};
BOOST_DESCRIBE_STRUCT(moved_message, (), (uid, to))

struct left_message {
    std::string uid;
};
BOOST_DESCRIBE_STRUCT(left_message, (), (uid))

struct top_reply {
    std::vector<player> players;
    std::map<std::string, int> by_guild;
};
BOOST_DESCRIBE_STRUCT(top_reply, (), (players, by_guild))

inline constexpr shaddock::remote_method<std::int64_t()> population{"arena.arenaRemote.population"};
inline constexpr shaddock::remote_method<bool(std::string uid, item gift)> grant{
    "arena.arenaRemote.grant"};
inline constexpr shaddock::remote_method<std::vector<player>(int least_level)> find{
    "arena.arenaRemote.find"};

constexpr std::string_view everybody = "arena";

/// All that the arena knows; a reload carries it over.
class world {
public:
    explicit world(app& app) : app_(app) {
        options_.most_players = 100;
        options_.width = 1000;
        options_.starting_items = {{"potion", 3}, {"sword", 1}};
        if (auto loaded = app.load_config<arena_options>("arena")) {
            options_ = std::move(*loaded);
        }
    }

    result<player*> enter(const std::string& uid, const std::string& nickname) {
        if (players_.size() >= static_cast<std::size_t>(options_.most_players)) {
            return shaddock::application_error("the arena is full", 503);
        }
        auto& made = players_[uid];
        if (made.uid.empty()) {
            made = {.uid = uid,
                    .nickname = nickname,
                    .level = 1,
                    .health = 100,
                    .at = {options_.width / 2, options_.width / 2},
                    .bag = options_.starting_items,
                    .guild = {}};
        }
        return &made;
    }
    player& find(const std::string& uid) {
        const auto found = players_.find(uid);
        if (found == players_.end()) {
            throw error(errc::not_found, "no player " + uid);
        }
        return found->second;
    }
    bool leave(const std::string& uid) { return players_.erase(uid) > 0; }
    const std::unordered_map<std::string, player>& players() const { return players_; }
    const arena_options& options() const { return options_; }

    void heal_all() {
        for (auto& [uid, each] : players_) {
            each.health = std::min(100, each.health + 1);
        }
    }
    static int take(player& from, const std::string& name, int count) {
        const auto found = std::ranges::find(from.bag, name, &item::name);
        if (found == from.bag.end() || found->count < count) {
            throw error(errc::bad_request, "you have too few of " + name);
        }
        return found->count -= count;
    }
    static void put(player& to, const item& gift) {
        const auto found = std::ranges::find(to.bag, gift.name, &item::name);
        if (found == to.bag.end()) {
            to.bag.push_back(gift);
        } else {
            found->count += gift.count;
        }
    }

    static constexpr std::string_view state_name = "world";
    std::string save_state() const {
        std::vector<player> all;
        for (const auto& [uid, each] : players_) {
            all.push_back(each);
        }
        return shaddock::json::encode(all);
    }
    void restore_state(std::string_view bytes, std::string_view /*version*/) {
        // Strict, for hosts that have no decode_tolerant yet: a plugin of your own reads with that.
        for (auto& each : shaddock::json::decode<std::vector<player>>(bytes, "players").value()) {
            players_[each.uid] = std::move(each);
        }
    }

private:
    app& app_;
    arena_options options_;
    std::unordered_map<std::string, player> players_;
};

class arena_handler {
public:
    arena_handler(app& app, world& world) : app_(app), world_(world) {}

    shaddock::awaitable<enter_reply> enter(enter_request request, session& who) {
        (co_await who.bind(request.uid)).value();
        auto* you = world_.enter(request.uid, request.nickname).value();
        who.set("level", you->level);
        (co_await who.push("level")).value();
        app_.channels().create(everybody).add(who.ref()).value();
        enter_reply reply{*you, {}};
        for (const auto& [uid, each] : world_.players()) {
            if (uid != request.uid) {
                reply.others.push_back(each);
            }
        }
        co_return reply;
    }
    player me(session& who) { return world_.find(who.uid()); }
    void move(const move_request& request, session& who) {
        if (request.to.x < 0 || request.to.x > world_.options().width) {
            throw error(errc::bad_request, "to: outside of the arena");
        }
        world_.find(who.uid()).at = request.to;
        tell("onMoved", moved_message{who.uid(), request.to});
    }
    result<use_reply> use(const use_request& request, session& who) {
        auto& from = world_.find(who.uid());
        auto& to = request.target ? world_.find(*request.target) : from;
        const int left = world::take(from, request.item, 1);
        to.health += request.item == "potion" ? 10 : -10;
        return use_reply{to.health, left};
    }
    shaddock::awaitable<result<use_reply>> give(give_request request, session& who) {
        auto& from = world_.find(who.uid());
        const int left = world::take(from, request.item, request.count);
        const auto given = co_await app_.call(grant, shaddock::routing(request.to), request.to,
                                              item{request.item, request.count});
        if (!given) {
            world::put(from, {request.item, request.count});
            co_return given.error();
        }
        co_return use_reply{from.health, left};
    }
    void say(const say_request& request, session& who) {
        tell("onSaid", said_message{world_.find(who.uid()).nickname, request.text});
    }
    shaddock::awaitable<top_reply> top(session&) {
        std::vector<player> all;
        for (const auto& [uid, each] : world_.players()) {
            all.push_back(each);
        }
        auto work = [all = std::move(all)]() mutable {
            std::ranges::sort(all, std::greater{}, &player::level);
            all.resize(std::min<std::size_t>(all.size(), 10));
            return std::move(all);
        };
        all = co_await app_.blocking(std::move(work));
        top_reply reply{std::move(all), {}};
        for (const auto& each : reply.players) {
            reply.by_guild[each.guild.value_or("none")] += each.level;
        }
        co_return reply;
    }
    said_message version() { return {"arena", "edit 0"}; }

private:
    template <class T>
    void tell(std::string_view route, const T& message) {
        if (auto channel = app_.channels().find(everybody)) {
            channel->push(route, message).value();
        }
    }

    app& app_;
    world& world_;
};

class arena_remote {
public:
    explicit arena_remote(world& world) : world_(world) {}
    std::int64_t population() const { return static_cast<std::int64_t>(world_.players().size()); }
    bool grant(const std::string& uid, const item& gift) {
        world::put(world_.find(uid), gift);
        return true;
    }
    std::vector<player> find(int least_level) const {
        std::vector<player> found;
        for (const auto& [uid, each] : world_.players()) {
            if (each.level >= least_level) {
                found.push_back(each);
            }
        }
        return found;
    }

private:
    world& world_;
};

/// Heals all players, and says how many there are.
class healer {
public:
    healer(app& app, world& world) : app_(app), world_(world) {}
    shaddock::awaitable<void> start() {
        app_.every("arena.heal", 1s, [this] { world_.heal_all(); });
        co_await app_.sleep(1ms);
        app_.log().info("the arena has ", world_.players().size(), " players");
    }
    void stop() { app_.cancel("arena.heal"); }

private:
    app& app_;
    world& world_;
};

/// Only who has entered may act.
class entered_filter {
public:
    result<void> before(std::string_view route, session& who) {
        if (!who.is_bound() && !route.ends_with(".enter") && !route.ends_with(".version")) {
            return error(errc::refused, "enter first");
        }
        return {};
    }
};

} // namespace arena

SHADDOCK_PLUGIN("arena", registrar) {
    const auto world = registrar.state<arena::world>();
    registrar.filter<arena::entered_filter>();
    registrar.component<arena::healer>("healer", world);
    registrar.handler<arena::arena_handler>("arenaHandler", world)
        .method("enter", &arena::arena_handler::enter)
        .serial()
        .method("me", &arena::arena_handler::me)
        .method("move", &arena::arena_handler::move)
        .method("use", &arena::arena_handler::use)
        .method("give", &arena::arena_handler::give)
        .method("say", &arena::arena_handler::say)
        .method("top", &arena::arena_handler::top)
        .method("version", &arena::arena_handler::version);
    registrar.remote<arena::arena_remote>("arenaRemote", world)
        .method(arena::population, &arena::arena_remote::population)
        .method(arena::grant, &arena::arena_remote::grant)
        .method(arena::find, &arena::arena_remote::find);
    registrar.on_member_lost([](arena::app& app, std::string_view, const shaddock::member& gone) {
        app.channels()
            .create(arena::everybody)
            .push("onLeft", arena::left_message{gone.ref.uid})
            .value();
    });
}
