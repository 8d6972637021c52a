#pragma once

#include "base/function.hpp"

#include <shaddock/error.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace shaddock::node {

/// What the master may ask a server over its line: the other end of master::asks.
/// Thread: the loop. Lifetime: a reply may outlive it; it is then dropped.
class questions {
public:
    /// A JSON text (the answer's body), or why there is none; once, inline or later.
    using reply_call = base::unique_function<void(result<std::string>)>;
    /// `args` is a JSON object, valid during the call.
    using handler = base::unique_function<void(std::string_view args, reply_call reply)>;
    /// Sends `answer` with these arguments.
    using say_call = base::unique_function<void(std::string_view answer_json)>;

    explicit questions(say_call say) : say_(std::make_shared<say_call>(std::move(say))) {}

    void on(std::string what, handler answer) {
        answers_.emplace(std::move(what), std::move(answer));
    }
    /// What came under `ask`. A question that nobody answers here is answered with an error that
    /// names those that are.
    void serve(std::string_view ask_json);

private:
    std::map<std::string, handler, std::less<>> answers_;
    std::shared_ptr<say_call> say_;
};

} // namespace shaddock::node
