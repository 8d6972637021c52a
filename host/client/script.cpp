#include "client/script.hpp"

#include <fmt/format.h>

#include <utility>

namespace shaddock::client {

script_run::script_run(session& runs, line_source& lines, std::string name)
    : runs_(runs), lines_(lines), name_(std::move(name)) {}

void script_run::start(base::unique_function<void(const result<void>& outcome)> ended) {
    ended_ = std::move(ended);
    next();
}

void script_run::next() {
    lines_.next([this](const result<std::optional<std::string>>& line) {
        if (!ended_) {
            return; // the connection has ended meanwhile
        }
        ++line_;
        if (!line) {
            fail(line.error());
        } else if (!*line) {
            end({});
        } else {
            take(**line);
        }
    });
}

void script_run::take(const std::string& line) {
    const auto wanted = parse_line(line);
    if (!wanted) {
        fail(wanted.error());
    } else if (std::holds_alternative<quit>(*wanted)) {
        end({});
    } else {
        runs_.run(*wanted, [this](const result<void>& outcome) { ran(outcome); });
    }
}

/// Source::next answers later, so this is no recursion.
void script_run::ran(const result<void>& outcome) {
    if (outcome) {
        next();
    } else {
        fail(outcome.error());
    }
}

void script_run::closed(const error& why) {
    if (ended_) {
        fail(why);
    }
}

void script_run::fail(const error& why) {
    end(error(why.code(), fmt::format("{}:{}: {}", name_, line_, why.text())));
}

void script_run::end(const result<void>& outcome) {
    if (auto ended = std::exchange(ended_, nullptr)) {
        ended(outcome);
    }
}

} // namespace shaddock::client
