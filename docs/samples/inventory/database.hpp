#pragma once

#include <shaddock/app.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <libpq-fe.h>

/// PostgreSQL without a thread: libpq says what it waits for, and Asio waits for it.
namespace inventory {

/// Lets one coroutine in at a time, in the order in which they came.
class turns {
    struct give_back {
        void operator()(turns* of) const { of->is_taken_ = of->next_.cancel_one() == 1; }
    };

public:
    using turn = std::unique_ptr<turns, give_back>;

    explicit turns(shaddock::app& app)
        : app_(app), next_(app.executor(), boost::asio::steady_timer::time_point::max()) {}
    /// It is over when what this returns is destroyed.
    shaddock::awaitable<turn> take() {
        if (std::exchange(is_taken_, true)) {
            // The timer never expires: its wait is cancelled by the turn before it.
            auto handed_on = next_.async_wait(boost::asio::use_awaitable);
            try {
                co_await app_.until_end(std::move(handed_on));
            } catch (const boost::system::system_error&) {
            }
        }
        co_return turn(this);
    }

private:
    shaddock::app& app_;
    boost::asio::steady_timer next_;
    bool is_taken_ = false;
};

/// One connection, opened when it is needed, for one question at a time.
class database {
    template <auto Free>
    struct freed_by {
        void operator()(auto* it) const { Free(it); }
    };
    using line = std::unique_ptr<PGconn, freed_by<PQfinish>>;

public:
    using reply = std::unique_ptr<PGresult, freed_by<PQclear>>;

    /// `where`: as libpq wants it, `host=10.0.0.7 dbname=game`. Not a host's name: libpq blocks the
    /// loop while it looks that up.
    database(shaddock::app& app, std::string where) : app_(app), where_(std::move(where)) {}

    /// Connects, unless it is connected. Takes the lock of this server's rows: the next process or
    /// connection waits until PostgreSQL has ended what a killed process, or a connection that was
    /// lost, had under way here. Otherwise that could overwrite newer rows.
    shaddock::awaitable<void> open() {
        if (line_) {
            co_return;
        }
        auto made = co_await connect();
        std::vector<std::string> values{app_.server_id()};
        co_await talk(made.get(), "select pg_advisory_lock(hashtext($1))", std::move(values));
        line_ = std::move(made);
    }
    /// Lets the lock go, too.
    void close() { line_.reset(); }

    /// Throws what PostgreSQL says. Then, and when this is cancelled half way, the connection is
    /// closed: nobody knows how far the question came.
    shaddock::awaitable<reply> ask(std::string sql, std::vector<std::string> values) {
        co_await open();
        auto mine = std::move(line_); // given back when it has answered
        auto answer = co_await talk(mine.get(), std::move(sql), std::move(values));
        line_ = std::move(mine);
        co_return answer;
    }

private:
    using descriptor = boost::asio::posix::stream_descriptor;

    shaddock::awaitable<line> connect() {
        line made(PQconnectStart(where_.c_str()));
        for (auto next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;
             next = PQconnectPoll(made.get())) {
            if (PQstatus(made.get()) == CONNECTION_BAD) {
                fail(made.get());
            }
            co_await ready(made.get(), next == PGRES_POLLING_READING ? descriptor::wait_read
                                                                     : descriptor::wait_write);
        }
        PQsetnonblocking(made.get(), 1);
        co_return made;
    }

    shaddock::awaitable<reply> talk(PGconn* with, std::string sql,
                                    std::vector<std::string> values) {
        std::vector<const char*> texts;
        for (const auto& value : values) {
            texts.push_back(value.c_str());
        }
        if (PQsendQueryParams(with, sql.c_str(), static_cast<int>(texts.size()), nullptr,
                              texts.data(), nullptr, nullptr, 0) == 0) {
            fail(with);
        }
        for (int left = PQflush(with); left != 0; left = PQflush(with)) {
            if (left < 0) {
                fail(with);
            }
            co_await ready(with, descriptor::wait_write);
        }
        reply last;
        for (;;) {
            while (PQisBusy(with) != 0) {
                co_await ready(with, descriptor::wait_read);
                if (PQconsumeInput(with) == 0) {
                    fail(with);
                }
            }
            reply next(PQgetResult(with));
            if (!next) {
                break; // only now it is ready for the next question
            }
            last = std::move(next);
        }
        const auto status = PQresultStatus(last.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            fail(with);
        }
        co_return last;
    }

    /// libpq closes its socket itself, and takes others while it connects: so it is Asio's for one
    /// wait only.
    struct borrowed {
        descriptor socket;
        ~borrowed() { socket.release(); }
    };
    shaddock::awaitable<void> ready(PGconn* with, descriptor::wait_type what) {
        borrowed now{descriptor(app_.executor(), PQsocket(with))};
        auto wait = now.socket.async_wait(what, boost::asio::use_awaitable);
        co_await app_.until_end(std::move(wait));
    }

    [[noreturn]] static void fail(PGconn* with) {
        std::string said = PQerrorMessage(with);
        said.erase(said.find_last_not_of('\n') + 1);
        throw shaddock::error(shaddock::errc::internal, "PostgreSQL: " + said);
    }

    shaddock::app& app_;
    std::string where_;
    line line_;
};

} // namespace inventory
