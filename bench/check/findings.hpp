#pragma once

#include "check/rules.hpp"
#include "timeline.hpp"

#include <fmt/format.h>

namespace shaddock::bench {

/// Collects violations; each rule file reports here.
class findings {
public:
    findings(const history& log, const timeline& line, const check_options& options,
             check_report& report)
        : log_(log), line_(line), options_(options), report_(report) {}

    template <class... Args>
    void add(violation_kind kind, fmt::format_string<Args...> format, Args&&... args) {
        if (count(kind)) {
            report_.explained.push_back({kind, fmt::format(format, std::forward<Args>(args)...)});
        }
    }

    /// A time as it stands in explanations: seconds since the first event.
    std::string at(nanoseconds t) const {
        return t == never ? "never"
                          : fmt::format("{:.6f} s", static_cast<double>(t - line_.start) / 1e9);
    }
    const std::string& client(client_id id) const { return log_.label(id); }
    const std::string& name(name_id id) const { return log_.name_text(id); }
    const std::string& text(message_id id) const { return log_.message_text(id); }

private:
    /// Whether the violation is to be explained.
    bool count(violation_kind kind) {
        const auto place = static_cast<std::size_t>(kind);
        ++report_.counts[place];
        if (options_.allowed[place]) {
            return false;
        }
        ++report_.failures;
        return report_.explained.size() < options_.explain;
    }

    const history& log_;
    const timeline& line_;
    const check_options& options_;
    check_report& report_;
};

/// What every rule reads, and where it writes.
struct examination {
    const history& log;
    const timeline& line;
    findings& found;
    check_report& report;
};

void check_answers(const examination& all);
void check_users_lists(const examination& all);
void check_messages(const examination& all);
void check_order(const examination& all);
void check_notices(const examination& all);
void check_connections(const examination& all);

/// The rooms, as indices of memberships, in which the sender of a message may have been while he
/// sent it.
std::vector<std::size_t> possible_memberships(const timeline& line, client_id client,
                                              nanoseconds from, nanoseconds to);

} // namespace shaddock::bench
