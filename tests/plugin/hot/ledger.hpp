#pragma once

#include <shaddock/plugin.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

namespace hot {

/// config/ledger.json: `{"folder": "..."}`. Without the file nothing is written.
struct ledger_options {
    std::string folder;
};
BOOST_DESCRIBE_STRUCT(ledger_options, (), (folder))

/// Write-behind as a game has it: what each user said is counted in memory, and written a little
/// later by a database that takes its time. The database is a file per user; a row is a line
/// `COUNT SUM` at its end, so that each row ever written can be read there.
class ledger {
public:
    static constexpr std::string_view state_name = "ledger";

    explicit ledger(shaddock::app& app)
        : app_(app), random_(static_cast<unsigned>(app.now().time_since_epoch().count())) {
        if (auto options = app.load_config<ledger_options>("ledger")) {
            folder_ = std::move(options->folder);
        }
    }

    void note(const std::string& user, std::uint32_t n) {
        auto& mine = rows_[user];
        ++mine.count;
        mine.sum += n;
        dirty_.insert(user);
    }
    /// Writes what has changed; whoever awaits it knows that all of it is written.
    shaddock::awaitable<void> flush() {
        while (is_writing_) {
            co_await app_.sleep(std::chrono::milliseconds(1));
        }
        is_writing_ = true;
        std::map<std::string, row> written;
        for (const auto& user : std::exchange(dirty_, {})) {
            written.emplace(user, rows_[user]);
        }
        co_await app_.sleep(std::chrono::milliseconds(random_() % 100));
        for (const auto& [user, is] : written) {
            std::ofstream(folder_ + "/" + user, std::ios::app) << is.count << ' ' << is.sum << '\n';
        }
        is_writing_ = false;
    }
    bool is_kept() const { return !folder_.empty(); }
    bool is_writing() const { return is_writing_; }

    /// Form: user, count and sum of each, by spaces.
    std::string save_state() const {
        std::ostringstream out;
        for (const auto& [user, is] : rows_) {
            out << user << ' ' << is.count << ' ' << is.sum << ' ';
        }
        return out.str();
    }
    void restore_state(std::string_view bytes, std::string_view /*version*/) {
        std::istringstream in{std::string(bytes)};
        std::string user;
        for (row is; in >> user >> is.count >> is.sum;) {
            rows_[user] = is;
        }
    }

private:
    struct row {
        std::uint64_t count = 0;
        std::uint64_t sum = 0;
    };

    shaddock::app& app_;
    std::string folder_;
    std::map<std::string, row> rows_;
    std::set<std::string> dirty_;
    bool is_writing_ = false;
    /// A write that began earlier may end later.
    std::minstd_rand random_;
};

/// Writes the ledger while the server serves, and before the next generation takes it over.
class ledger_writer {
public:
    ledger_writer(shaddock::app& app, ledger& rows) : app_(app), rows_(rows) {}

    void start() {
        if (rows_.is_kept()) {
            app_.every("ledger", std::chrono::milliseconds(10), [this] {
                if (!rows_.is_writing()) {
                    app_.spawn("the ledger", rows_.flush());
                }
            });
        }
    }
    shaddock::awaitable<void> on_replacing() {
        if (rows_.is_kept()) {
            co_await rows_.flush();
        }
    }

private:
    shaddock::app& app_;
    ledger& rows_;
};

} // namespace hot
