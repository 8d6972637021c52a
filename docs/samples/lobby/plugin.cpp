#include "lobby/lobby_api.hpp"

#include <shaddock/plugin.hpp>

#include <fstream>

namespace lobby {

using namespace std::chrono_literals;

/// config/lobby.json: `{"seats": 4, "words_file": "words.txt"}`
struct lobby_options {
    int seats = 0;
    std::optional<std::string> words_file;
};
BOOST_DESCRIBE_STRUCT(lobby_options, (), (seats, words_file))

/// A lobby server's own record in servers.json may say `"seats": 8`.
struct lobby_record {
    std::optional<int> seats;
};
BOOST_DESCRIBE_STRUCT(lobby_record, (), (seats))

struct sit_request {
    std::string name;
    std::string table;
};
BOOST_DESCRIBE_STRUCT(sit_request, (), (name, table))

struct sit_reply {
    names guests;
};
BOOST_DESCRIBE_STRUCT(sit_reply, (), (guests))

struct say_request {
    std::string text;
};
BOOST_DESCRIBE_STRUCT(say_request, (), (text))

struct say_message {
    std::string from;
    std::string text;
};
BOOST_DESCRIBE_STRUCT(say_message, (), (from, text))

struct guests_message {
    names guests;
};
BOOST_DESCRIBE_STRUCT(guests_message, (), (guests))

/// What handler, remote and hook share: one channel per table.
class tables {
public:
    /// Throws what is wrong with the file; the server then does not start.
    explicit tables(shaddock::app& app) : app_(app), seats_(seats_of(app)) {}

    shaddock::result<names> sit(const shaddock::session_ref& who, std::string_view table) {
        auto channel = app_.channels().create(table);
        if (channel.size() >= static_cast<std::size_t>(seats_)) {
            return shaddock::application_error("the table is full", 503);
        }
        if (auto added = channel.add(who); !added) {
            return added.error();
        }
        tell(channel);
        return guests(table);
    }

    names guests(std::string_view table) const {
        names found;
        if (const auto channel = app_.channels().find(table)) {
            for (const auto& member : channel->members()) {
                found.push_back(member.ref.uid);
            }
        }
        return found;
    }

    shaddock::result<void> say(std::string_view table, const say_message& message) {
        auto channel = app_.channels().find(table);
        if (!channel) {
            return shaddock::error(shaddock::errc::not_found, "no such table");
        }
        return channel->push("onSay", message);
    }

    /// The host has taken the guest off the channel already.
    void lost(std::string_view table) {
        if (auto channel = app_.channels().find(table)) {
            tell(*channel);
        }
        // Later: the host is still at work on this channel.
        app_.post([this, table = std::string(table)] { clear(table); });
    }

private:
    static int seats_of(const shaddock::app& app) {
        const auto own = shaddock::record_as<lobby_record>(app.self()).value();
        return own.seats ? *own.seats : app.load_config<lobby_options>("lobby").value().seats;
    }
    void tell(shaddock::channel& channel) {
        channel.push("onGuests", guests_message{guests(channel.name())});
    }
    void clear(std::string_view table) {
        if (const auto channel = app_.channels().find(table); channel && channel->empty()) {
            app_.channels().destroy(table);
        }
    }

    shaddock::app& app_;
    int seats_;
};

class lobby_handler {
public:
    explicit lobby_handler(tables& tables) : tables_(tables) {}

    /// Takes a seat. Errors: 503 when the table is full; 500 when the name is at it already.
    shaddock::awaitable<sit_reply> sit(sit_request request, shaddock::session& session) {
        (co_await session.bind(request.name)).value();
        auto seated = tables_.sit(session.ref(), request.table).value();
        session.set("table", request.table);
        (co_await session.push("table")).value();
        co_return sit_reply{std::move(seated)};
    }

    /// The filter has seen to it that there is a table.
    shaddock::result<void> say(const say_request& request, shaddock::session& session) {
        return tables_.say(session.get<std::string>("table").value(),
                           {session.uid(), request.text});
    }

private:
    tables& tables_;
};

class lobby_remote {
public:
    explicit lobby_remote(tables& tables) : tables_(tables) {}
    names guests(const std::string& table) { return tables_.guests(table); }

private:
    tables& tables_;
};

/// Runs before every handler of this type.
class seated_only {
public:
    shaddock::result<void> before(std::string_view route, shaddock::session& who) {
        if (route != "lobby.lobbyHandler.sit" && !who.has("table")) {
            return shaddock::error(shaddock::errc::refused, "sit down first");
        }
        return {};
    }
};

/// Words that are not said here.
struct word_list {
    names words;
};

/// Runs before handlers that take a say_request, and may change it.
class clean_language {
public:
    explicit clean_language(word_list& list) : list_(list) {}
    void before(std::string_view, shaddock::session&, say_request& message) {
        for (const auto& word : list_.words) {
            if (const auto at = message.text.find(word); at != std::string::npos) {
                message.text.replace(at, word.size(), "***");
            }
        }
    }

private:
    word_list& list_;
};

names read_words(const std::string& file) {
    std::ifstream in(file);
    if (!in) {
        throw shaddock::error(shaddock::errc::config, file + " cannot be read");
    }
    names words;
    for (std::string word; in >> word;) {
        words.push_back(word);
    }
    return words;
}

/// Reads the words before the server serves, and again every minute.
class word_reader {
public:
    word_reader(shaddock::app& app, word_list& list)
        : app_(app), list_(list), file_(app.load_config<lobby_options>("lobby")->words_file) {}

    shaddock::awaitable<void> start() {
        if (!file_) {
            co_return;
        }
        co_await read(); // an error here stops the server's start
        app_.every("lobby.words", 60s, [this] { app_.spawn("reading words", read()); });
    }

private:
    shaddock::awaitable<void> read() {
        // On a thread of the pool: it must not touch this object. Named before it is awaited: g++
        // 12 destroys a lambda with captures twice when it stands in the co_await expression
        // itself.
        auto work = [file = *file_] { return read_words(file); };
        list_.words = co_await app_.blocking(std::move(work));
    }

    shaddock::app& app_;
    word_list& list_;
    std::optional<std::string> file_;
};

} // namespace lobby

SHADDOCK_PLUGIN("lobby", registrar) {
    const auto tables = registrar.state<lobby::tables>();
    const auto words = registrar.state<lobby::word_list>();
    registrar.handler<lobby::lobby_handler>("lobbyHandler", tables)
        .method("sit", &lobby::lobby_handler::sit)
        .serial()
        .method("say", &lobby::lobby_handler::say);
    registrar.remote<lobby::lobby_remote>("lobbyRemote", tables)
        .method(lobby::guests, &lobby::lobby_remote::guests);
    registrar.filter<lobby::seated_only>();
    registrar.filter<lobby::clean_language, lobby::say_request>(words);
    registrar.filter<shaddock::timeout_filter>();
    registrar.component<lobby::word_reader>("words", words);
    registrar.on_member_lost([tables](shaddock::app&, std::string_view table,
                                      const shaddock::member&) { tables->lost(table); });
}
