#include "client_prompt.hpp"

#include <fmt/format.h>
#include <histedit.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <stdexcept>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace shaddock::cli {
namespace {

/// Letters beyond ASCII are UTF-8, also where the environment says nothing.
void use_utf8() {
    std::setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1) {
        std::setlocale(LC_CTYPE, "C.UTF-8");
    }
}

bool knows_sequences() {
    const char* terminal = std::getenv("TERM");
    return terminal != nullptr && *terminal != '\0' && std::strcmp(terminal, "dumb") != 0;
}

std::size_t columns() {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// Characters of UTF-8.
std::size_t count(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char byte) { return (byte & '\xc0') != '\x80'; }));
}

void write_out(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

/// What all of them begin with.
std::string common_start(const std::vector<std::string>& all) {
    std::string start = all.front();
    for (const auto& one : all) {
        const auto [end, unused] =
            std::mismatch(start.begin(), start.end(), one.begin(), one.end());
        start.erase(end, start.end());
    }
    return start;
}

} // namespace

struct client_prompt::editor {
    editor(boost::asio::io_context& io, client_history kept, complete_call completions)
        : loop(io), keys(io, STDIN_FILENO), history_file(std::move(kept)),
          complete(std::move(completions)) {
        use_utf8();
        el = el_init("host", stdin, stdout, stderr);
        lines = history_init();
        if (el == nullptr || lines == nullptr) {
            throw std::runtime_error("no line editor for this terminal");
        }
        HistEvent event{};
        ::history(lines, &event, H_SETSIZE, static_cast<int>(client_history::limit));
        ::history(lines, &event, H_SETUNIQUE, 1);
        for (const auto& line : history_file.lines()) {
            ::history(lines, &event, H_ENTER, line.c_str());
        }
        el_set(el, EL_CLIENTDATA, this);
        el_set(el, EL_PROMPT, &editor::prompt_of);
        el_set(el, EL_EDITOR, "emacs");
        el_set(el, EL_HIST, &::history, lines);
        el_set(el, EL_GETCFN, &editor::read_key);
        // The narrow call keeps copies of its texts for ever.
        el_wset(el, EL_ADDFN, L"complete", L"Complete words and routes", &editor::complete_word);
        el_set(el, EL_BIND, "^I", "complete", nullptr);
        el_set(el, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    }
    editor(const editor&) = delete;
    editor& operator=(const editor&) = delete;
    ~editor() {
        keys.stop();
        if (lines != nullptr) {
            history_end(lines);
        }
        if (el != nullptr) {
            el_end(el);
        }
        history_file.close();
    }

    static editor& of(EditLine* el) {
        void* self = nullptr;
        el_get(el, EL_CLIENTDATA, &self);
        return *static_cast<editor*>(self);
    }
    static char* prompt_of(EditLine* el) { return of(el).prompt.data(); }

    /// The editor's source of characters: runs the loop until one has come. 1, 0 at the end, -1.
    static int read_key(EditLine* el, wchar_t* key) {
        auto& self = of(el);
        for (;;) {
            if (self.is_interrupted || self.is_over) {
                return 0;
            }
            if (self.take_key(key)) {
                return 1;
            }
            self.wait_for_keys();
        }
    }

    /// A character out of the bytes that have come; stray bytes are left out.
    bool take_key(wchar_t* key) {
        while (!typed.empty()) {
            std::mbstate_t state{};
            const auto size = std::mbrtowc(key, typed.data(), typed.size(), &state);
            if (size == static_cast<std::size_t>(-2)) {
                return false;
            }
            const bool is_stray = size == static_cast<std::size_t>(-1);
            typed.erase(0, is_stray || size == 0 ? 1 : size);
            if (!is_stray) {
                return true;
            }
        }
        return false;
    }

    void wait_for_keys() {
        if (!is_waiting) {
            is_waiting = true;
            keys.wait([this] {
                is_waiting = false;
                const auto more = keys.read();
                is_over = !more || more->empty();
                typed += more ? *more : std::string();
            });
        }
        loop.run_one();
    }

    static unsigned char complete_word(EditLine* el, int) {
        auto& self = of(el);
        const auto* line = el_line(el);
        const std::string_view before(line->buffer,
                                      static_cast<std::size_t>(line->cursor - line->buffer));
        const auto found = self.complete(before);
        if (found.empty()) {
            return CC_REFRESH_BEEP;
        }
        const auto start = before.size() - (before.find_last_of(" \t") + 1);
        auto whole = common_start(found);
        if (found.size() == 1) {
            whole += ' ';
        } else if (whole.size() == start) {
            self.list(found);
            return CC_NORM;
        }
        return el_insertstr(el, whole.c_str() + start) == 0 ? CC_REFRESH : CC_REFRESH_BEEP;
    }

    void list(const std::vector<std::string>& all) {
        std::string text;
        for (const auto& one : all) {
            text += "  " + one + "\n";
        }
        print_above(text);
    }

    void print_above(std::string_view text) const {
        if (!is_editing) {
            write_out(text);
            return;
        }
        if (knows_sequences()) {
            // Up to the first row of what is being edited, and everything below goes.
            const auto* line = el_line(el);
            const std::string_view before(line->buffer,
                                          static_cast<std::size_t>(line->cursor - line->buffer));
            const auto rows = (count(prompt) + count(before)) / columns();
            write_out(rows > 0 ? fmt::format("\x1b[{}A\r\x1b[J", rows) : "\r\x1b[J");
        } else {
            write_out("\n");
        }
        write_out(text);
        el_set(el, EL_REFRESH);
    }

    boost::asio::io_context& loop;
    input keys;
    client_history history_file;
    complete_call complete;
    EditLine* el = nullptr;
    History* lines = nullptr;
    std::string prompt;
    std::string typed;
    bool is_waiting = false;
    bool is_editing = false;
    bool is_interrupted = false;
    bool is_over = false;
};

client_prompt::client_prompt(boost::asio::io_context& loop, client_history history,
                             complete_call complete)
    : editor_(std::make_unique<editor>(loop, std::move(history), std::move(complete))) {}

client_prompt::~client_prompt() = default;

client_prompt::answer client_prompt::read(const std::string& prompt) {
    editor_->prompt = prompt;
    editor_->is_editing = true;
    int size = 0;
    const char* got = el_gets(editor_->el, &size);
    editor_->is_editing = false;
    if (std::exchange(editor_->is_interrupted, false)) {
        write_out("^C\n");
        return {ending::interrupted, {}};
    }
    if (got == nullptr || size <= 0) {
        write_out("\n");
        return {ending::over, {}};
    }
    std::string line(got, static_cast<std::size_t>(size));
    line.erase(line.find_last_not_of("\r\n") + 1);
    if (line.find_first_not_of(" \t") != std::string::npos) {
        HistEvent event{};
        history(editor_->lines, &event, H_ENTER, line.c_str());
        editor_->history_file.add(line);
    }
    return {ending::line, std::move(line)};
}

void client_prompt::interrupt() {
    editor_->is_interrupted = true;
}

void client_prompt::end() {
    editor_->is_over = true;
}

void client_prompt::print(std::string_view lines) {
    editor_->print_above(lines);
}

void client_prompt::resize() {
    el_resize(editor_->el);
}

} // namespace shaddock::cli
