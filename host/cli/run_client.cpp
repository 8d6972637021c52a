#include "base/clock.hpp"
#include "base/log.hpp"
#include "cli/run.hpp"
#include "client/script.hpp"
#include "client_input.hpp"
#include "client_prompt.hpp"

#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace shaddock::cli {
namespace {

void print_out(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

/// The first gate of the config that clients can reach.
result<client::address> find_gate(const place& where) {
    const auto found = resolve(where);
    if (!found) {
        return found.error();
    }
    for (const auto& server : found->system.of_type("gate")) {
        if (server.client_port != 0) {
            return client::address{config::is_every_address(server.host) ? "127.0.0.1"
                                                                         : server.host,
                                   server.client_port};
        }
    }
    return error(errc::config,
                 fmt::format("servers.json ({}) has no server of the type gate with a clientPort: "
                             "name one with --gate HOST:PORT, or a frontend with --connect",
                             found->system.env));
}

result<client::session_options> session_options_of(const client_command& wanted) {
    client::session_options options;
    if (wanted.connect) {
        options.frontend = *wanted.connect;
    } else if (wanted.gate) {
        options.gate = *wanted.gate;
    } else {
        auto gate = find_gate(wanted.where);
        if (!gate) {
            return gate.error();
        }
        options.gate = std::move(*gate);
    }
    options.over = wanted.over_tcp ? client::transport::tcp : client::transport::websocket;
    options.uid = wanted.uid.empty() ? fmt::format("client-{}", getpid()) : wanted.uid;
    options.timeout = wanted.timeout;
    options.as_json = wanted.as_json;
    return {boost::system::in_place_value, std::move(options)};
}

/// What to do about a connection that could not be opened.
int complain_unopened(const error& why) {
    return complain(why.code() == errc::no_server
                        ? why.text() + "; is the system started? host list shows who runs"
                        : why.text());
}

/// Runs a script to its end.
class script_client final : client::session_events {
public:
    script_client(const client::session_options& options, int fd, const std::string& name)
        : session_(loop_, clock_, random_, options, *this), lines_(loop_, fd),
          script_(session_, lines_, name) {}

    int run() {
        session_.open([this] {
            script_.start([this](const result<void>& outcome) {
                if (!outcome) {
                    status_ = complain(outcome.error().text());
                }
                stop();
            });
            is_open_ = true;
        });
        loop_.run();
        return status_;
    }

private:
    void on_text(std::string_view lines) override { print_out(lines); }
    void on_closed(const error& why) override {
        if (is_open_) {
            script_.closed(why);
        } else {
            status_ = complain_unopened(why);
            stop();
        }
    }
    void stop() {
        session_.close();
        lines_.stop();
        loop_.stop();
    }

    boost::asio::io_context loop_{1};
    base::steady_clock clock_{loop_.get_executor()};
    base::random random_{base::random_seed()};
    client::session session_;
    line_input lines_;
    client::script_run script_;
    bool is_open_ = false;
    int status_ = 0;
};

/// A conversation on a terminal.
class terminal_client final : client::session_events {
public:
    explicit terminal_client(const client::session_options& options)
        : session_(loop_, clock_, random_, options, *this),
          prompt_(loop_, client_history(client_history_file()),
                  [this](std::string_view line) {
                      return client::completions(line, session_.known_routes());
                  }),
          signals_(loop_, SIGINT, SIGTERM, SIGHUP) {
        signals_.add(SIGWINCH);
        wait_for_signals();
    }

    int run() {
        session_.open([this] { is_open_ = true; });
        run_until([this] { return is_open_ || is_over_; });
        if (!is_over_) {
            prompt_.print(fmt::format("connected to {}; help says what to type, ctrl-d ends\n",
                                      session_.frontend().text()));
        }
        while (!is_over_ && read()) {
        }
        session_.close();
        return status_;
    }

private:
    /// False: that was all.
    bool read() {
        const auto got = prompt_.read(session_.frontend().text() + "> ");
        if (got.how != client_prompt::ending::line) {
            return got.how == client_prompt::ending::interrupted;
        }
        const auto wanted = client::parse_line(got.line);
        if (!wanted) {
            prompt_.print(base::log::printable(wanted.error().text()) + "\n");
            return true;
        }
        if (std::holds_alternative<client::quit>(*wanted)) {
            return false;
        }
        is_done_ = false;
        session_.run(*wanted, [this](const result<void>& outcome) {
            is_done_ = true;
            if (!outcome && outcome.error().code() != errc::closed) {
                prompt_.print(base::log::printable(outcome.error().text()) + "\n");
            }
        });
        run_until([this] { return is_done_ || is_over_; });
        return true;
    }

    template <class Condition>
    void run_until(Condition is_true) {
        while (!is_true() && loop_.run_one() != 0) {
        }
    }

    void wait_for_signals() {
        signals_.async_wait([this](const boost::system::error_code& failed, int number) {
            if (failed) {
                return;
            }
            if (number == SIGWINCH) {
                prompt_.resize();
            } else if (number != SIGINT) {
                is_over_ = true;
                prompt_.end();
            } else if (!is_open_) {
                is_over_ = true;
                status_ = exit_failed;
            } else if (!is_done_) {
                session_.cancel();
            } else {
                prompt_.interrupt();
            }
            wait_for_signals();
        });
    }

    void on_text(std::string_view lines) override { prompt_.print(lines); }
    void on_closed(const error& why) override {
        is_over_ = true;
        prompt_.end();
        prompt_.print("");
        status_ = is_open_ ? complain(why.text()) : complain_unopened(why);
    }

    boost::asio::io_context loop_{1};
    base::steady_clock clock_{loop_.get_executor()};
    base::random random_{base::random_seed()};
    client::session session_;
    client_prompt prompt_;
    boost::asio::signal_set signals_;
    bool is_open_ = false;
    /// No statement waits.
    bool is_done_ = true;
    bool is_over_ = false;
    int status_ = 0;
};

int run_script(const client::session_options& options, const client_command& wanted) {
    if (!wanted.script || *wanted.script == "-") {
        return script_client(options, STDIN_FILENO, "stdin").run();
    }
    const int fd = open(wanted.script->c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return complain(fmt::format("--script {}: {}", wanted.script->string(),
                                    std::generic_category().message(errno)));
    }
    const int status = script_client(options, fd, wanted.script->string()).run();
    close(fd);
    return status;
}

} // namespace

int run_command(const client_command& wanted) {
    const auto options = session_options_of(wanted);
    if (!options) {
        return complain(options.error().text());
    }
    const bool is_conversation =
        !wanted.script && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
    return is_conversation ? terminal_client(*options).run() : run_script(*options, wanted);
}

} // namespace shaddock::cli
