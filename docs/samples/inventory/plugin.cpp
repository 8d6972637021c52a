#include "database.hpp"

#include <shaddock/plugin.hpp>

#include <algorithm>

namespace inventory {

using shaddock::errc;
using shaddock::error;

/// config/inventory.json: `{"database": "host=/run/postgresql dbname=game", "flush_ms": 1000}`
struct inventory_options {
    std::string database;
    int flush_ms = 1000;
};
BOOST_DESCRIBE_STRUCT(inventory_options, (), (database, flush_ms))

struct enter_request {
    std::string player;
};
BOOST_DESCRIBE_STRUCT(enter_request, (), (player))

struct enter_reply {
    std::map<std::string, std::int64_t> items;
};
BOOST_DESCRIBE_STRUCT(enter_reply, (), (items))

/// A count below zero gives items away.
struct take_request {
    std::string item;
    std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(take_request, (), (item, count))

/// How many the player has now.
struct take_reply {
    std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(take_reply, (), (count))

/// `written`: what the database has for sure; absent while nobody knows, as during a write.
struct stack {
    std::int64_t count = 0;
    std::optional<std::int64_t> written;

    bool is_dirty() const { return written != count; }
};
BOOST_DESCRIBE_STRUCT(stack, (), (count, written))

/// What a player has, and how many sessions of theirs are here.
struct bag {
    int sessions = 0;
    std::map<std::string, stack> items;
};
BOOST_DESCRIBE_STRUCT(bag, (), (sessions, items))

/// A row of the table (schema.sql).
struct row {
    std::string player;
    std::string item;
    std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(row, (), (player, item, count))

/// What all players have. Memory is the truth; the database follows it, one write at a time.
class store {
public:
    explicit store(shaddock::app& app)
        : app_(app), options_(app.load_config<inventory_options>("inventory").value()), turns_(app),
          database_(app, options_.database) {
        if (options_.database.empty()) {
            throw error(errc::config, "config/inventory.json: database: missing");
        }
    }

    std::chrono::milliseconds flush_every() const {
        return std::chrono::milliseconds(options_.flush_ms);
    }

    /// Reads the player's rows, unless they are in memory still.
    shaddock::awaitable<enter_reply> enter(std::string player) {
        const auto turn = co_await turns_.take();
        auto found = bags_.find(player);
        if (found == bags_.end()) {
            auto kept = co_await read(player);
            found = bags_.emplace(player, std::move(kept)).first;
        }
        ++found->second.sessions;
        enter_reply has;
        for (const auto& [item, is] : found->second.items) {
            has.items[item] = is.count;
        }
        co_return has;
    }
    /// Writes their rows; then their bag may go.
    void leave(const std::string& player) {
        --bags_.at(player).sessions;
        flush_soon();
    }
    shaddock::result<take_reply> take(const std::string& player, const take_request& wanted) {
        constexpr std::int64_t most = 1'000'000'000;
        auto& items = bags_.at(player).items;
        const auto found = items.find(wanted.item);
        const auto has = found == items.end() ? 0 : found->second.count;
        if (wanted.count < -has || wanted.count > most - has) {
            return shaddock::application_error("not so many", 409);
        }
        return take_reply{items[wanted.item].count += wanted.count};
    }

    shaddock::awaitable<void> open() {
        const auto turn = co_await turns_.take();
        co_await database_.open();
    }
    void close() { database_.close(); }

    /// Writes what has changed, all of it or, with an exception, none: it is one statement. Rows
    /// are whole counts, so that one whose fate is unknown may be written again.
    shaddock::awaitable<void> flush() {
        const auto turn = co_await turns_.take();
        is_due_ = false;
        std::vector<row> rows;
        for (auto& [player, bag] : bags_) {
            for (auto& [item, is] : bag.items) {
                if (is.is_dirty()) {
                    is.written.reset();
                    rows.push_back({player, item, is.count});
                }
            }
        }
        if (!rows.empty()) {
            auto text = shaddock::json::encode(rows);
            std::vector<std::string> values{std::move(text)};
            co_await database_.ask(
                "insert into items select * from jsonb_to_recordset($1::jsonb) "
                "as row(player text, item text, count bigint) "
                "on conflict (player, item) do update set count = excluded.count",
                std::move(values));
        }
        for (const auto& [player, item, count] : rows) {
            bags_.at(player).items.at(item).written = count; // they may have more by now
        }
        std::erase_if(bags_, [](const auto& each) { return can_go(each.second); });
    }
    /// Unless one waits for its turn already: a slow database gets no queue.
    void flush_soon() {
        if (!std::exchange(is_due_, true)) {
            app_.spawn("inventory.flush", flush());
        }
    }

    // Over a reload: who is here goes on with what they have.
    static constexpr std::string_view state_name = "store";
    std::string save_state() const { return shaddock::json::encode(bags_); }
    shaddock::result<void> restore_state(std::string_view bytes, std::string_view /*version*/) {
        auto bags = shaddock::json::decode_tolerant<std::map<std::string, bag>>(bytes, "bags");
        if (!bags) {
            return bags.error();
        }
        bags_ = std::move(*bags);
        return {};
    }

private:
    shaddock::awaitable<bag> read(std::string player) {
        std::vector<std::string> values{std::move(player)};
        const auto rows = co_await database_.ask("select item, count from items where player = $1",
                                                 std::move(values));
        bag has;
        for (int i = 0; i < PQntuples(rows.get()); ++i) {
            const auto count = std::stoll(PQgetvalue(rows.get(), i, 1));
            has.items[PQgetvalue(rows.get(), i, 0)] = {count, count};
        }
        co_return has;
    }
    static bool can_go(const bag& one) {
        return one.sessions == 0 && std::ranges::none_of(one.items, [](const auto& each) {
                   return each.second.is_dirty();
               });
    }

    shaddock::app& app_;
    inventory_options options_;
    turns turns_;
    database database_;
    std::map<std::string, bag> bags_;
    bool is_due_ = false;
};

/// When the store is written: all the time, before a reload, and at the end.
class keeper {
public:
    keeper(shaddock::app& app, store& store) : app_(app), store_(store) {}

    void start() {
        app_.every("inventory.flush", store_.flush_every(), [this] { store_.flush_soon(); });
    }
    shaddock::awaitable<void> on_serving() { return store_.open(); }
    shaddock::awaitable<void> on_replacing() {
        co_await store_.flush();
        store_.close(); // with it the lock
    }
    /// In all other cases the rows are in the next generation's hands, or none were taken.
    shaddock::awaitable<void> stop(shaddock::stop_reason why) {
        if (why == shaddock::stop_reason::server_stops) {
            co_await store_.flush();
        }
    }

private:
    shaddock::app& app_;
    store& store_;
};

class inventory_handler {
public:
    explicit inventory_handler(store& store) : store_(store) {}

    /// Says who the client is. A real game asks for a password here.
    shaddock::awaitable<enter_reply> enter(enter_request request, shaddock::session& session) {
        check_name(request.player).value();
        if (session.is_bound()) {
            throw error(errc::duplicate, "entered already");
        }
        auto has = co_await store_.enter(request.player);
        if (const auto bound = co_await session.bind(request.player); !bound) {
            store_.leave(request.player); // the client has gone
            throw bound.error();
        }
        co_return has;
    }
    /// In memory; the database has it a little later.
    shaddock::result<take_reply> take(const take_request& request, shaddock::session& session) {
        if (!session.is_bound()) {
            return error(errc::refused, "enter first");
        }
        if (auto good = check_name(request.item); !good) {
            return good.error();
        }
        return store_.take(session.uid(), request);
    }
    /// Answered when the database has all that was taken before.
    shaddock::awaitable<void> save() { return store_.flush(); }

private:
    /// A text that the database refuses would hold up everybody's rows.
    static shaddock::result<void> check_name(std::string_view name) {
        constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
        if (name.empty() || name.size() > 40 || name.find_first_not_of(allowed) != name.npos) {
            return error(errc::bad_request, "a name is 1 to 40 of a-z, 0-9 and _");
        }
        return {};
    }

    store& store_;
};

} // namespace inventory

SHADDOCK_PLUGIN("inventory", registrar) {
    const auto store = registrar.state<inventory::store>();
    registrar.handler<inventory::inventory_handler>("inventoryHandler", store)
        .method("enter", &inventory::inventory_handler::enter)
        .serial()
        .method("take", &inventory::inventory_handler::take)
        .method("save", &inventory::inventory_handler::save);
    registrar.component<inventory::keeper>("keeper", store);
    registrar.on_session_closed(
        [store](shaddock::app&, const shaddock::session& who, std::string_view) {
            if (who.is_bound()) {
                store->leave(who.uid());
            }
        });
}
