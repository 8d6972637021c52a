#pragma once

#include "client_history.hpp"
#include "client_input.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shaddock::cli {

/// A line editor on the terminal of stdin and stdout: history, completion, and output that comes
/// while a line is being edited. Thread: the loop's, which it runs while it reads.
class client_prompt {
public:
    /// What could stand at the end of this beginning of a line.
    using complete_call = std::function<std::vector<std::string>(std::string_view)>;

    client_prompt(boost::asio::io_context& loop, client_history history, complete_call complete);
    client_prompt(const client_prompt&) = delete;
    client_prompt& operator=(const client_prompt&) = delete;
    ~client_prompt();

    enum class ending { line, interrupted, over };
    struct answer {
        ending how = ending::over;
        /// Without its end.
        std::string line;
    };
    /// Reads a line, running the loop meanwhile. `over`: ctrl-d, the terminal has gone, or end().
    answer read(const std::string& prompt);
    /// Ends the read() that is under way, or else the next one: `interrupted`.
    void interrupt();
    /// Ends this read() and all later ones: `over`.
    void end();
    /// Prints whole lines, above the line that is being edited.
    void print(std::string_view lines);
    /// The terminal has another size.
    void resize();

private:
    struct editor;

    std::unique_ptr<editor> editor_;
};

} // namespace shaddock::cli
