#include "slips.hpp"

#include "config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <vector>

namespace shaddock::cli {
namespace {

struct other_word {
    std::string_view said;
    std::string_view meant;
};
/// What other programs call our commands.
constexpr auto other_words = std::to_array<other_word>({
    {"status", "list"},    {"ps", "list"},         {"ls", "list"},        {"show", "list"},
    {"top", "list"},       {"servers", "list"},    {"drain", "stop"},     {"shutdown", "stop"},
    {"down", "stop"},      {"quit", "stop"},       {"halt", "stop"},      {"terminate", "stop"},
    {"up", "start"},       {"run", "start"},       {"serve", "start"},    {"delete", "remove"},
    {"rm", "remove"},      {"scale", "add"},       {"update", "reload"},  {"swap", "reload"},
    {"upgrade", "reload"}, {"rollback", "reload"}, {"tail", "logs"},      {"level", "log"},
    {"validate", "check"}, {"test", "check"},      {"lint", "check"},     {"init", "new"},
    {"create", "new"},     {"connect", "client"},  {"console", "client"}, {"shell", "client"},
    {"ping", "health"},    {"page", "admin"},      {"metrics", "admin"},  {"dashboard", "admin"},
});

std::vector<const CLI::App*> nearest_to(const CLI::App& host, const std::string& word) {
    const auto all = host.get_subcommands([](const CLI::App*) { return true; });
    std::vector<std::string> names;
    std::ranges::transform(all, std::back_inserter(names),
                           [](const CLI::App* each) { return each->get_name(); });
    const auto* const other = std::ranges::find(other_words, word, &other_word::said);
    const auto found = other != other_words.end()
                           ? std::vector<std::string>{std::string(other->meant)}
                           : config::nearest(word, names);
    std::vector<const CLI::App*> commands;
    commands.reserve(found.size());
    for (const auto& name : found) {
        commands.push_back(host.get_subcommand(name));
    }
    return commands;
}

std::string unknown_command(const CLI::App& host, const std::string& word) {
    auto text = fmt::format("host: there is no command '{}'. Nearest:\n", word);
    for (const auto* command : nearest_to(host, word)) {
        const auto what = command->get_description();
        text +=
            fmt::format("  host {:<12} {}\n", command->get_name(), what.substr(0, what.find('\n')));
    }
    return text + "`host --help` lists all of them.\n";
}

/// Of a command that lacks something.
std::string incomplete(const CLI::App& command, const CLI::ParseError& why) {
    const auto lacking = command.get_options([](const CLI::Option* each) {
        return each->get_required() && each->get_positional() && each->count() == 0;
    });
    auto text = fmt::format("host {}: ", command.get_name());
    text += lacking.empty() ? fmt::format("{}\n", why.what())
                            : fmt::format("expected {}: {}\n", lacking.front()->get_option_text(),
                                          lacking.front()->get_description());
    const auto help = command.get_footer();
    const auto begin = std::min(help.find("Examples:\n"), help.size());
    text += help.substr(begin, help.find("\n\n", begin) - begin);
    return fmt::format("{}\n`host {} --help` has more.\n", text, command.get_name());
}

} // namespace

std::string text_of(const CLI::App& host, const CLI::ParseError& why) {
    const auto parsed = host.get_subcommands();
    if (!parsed.empty()) {
        const bool is_incomplete =
            why.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError);
        return is_incomplete ? incomplete(*parsed.front(), why)
                             : fmt::format("host {0}: {1}\n`host {0} --help` has more.\n",
                                           parsed.front()->get_name(), why.what());
    }
    const auto extra = host.remaining();
    if (!extra.empty() && !extra.front().starts_with('-')) {
        return unknown_command(host, extra.front());
    }
    return fmt::format("host: {}\n`host --help` has more.\n", why.what());
}

} // namespace shaddock::cli
