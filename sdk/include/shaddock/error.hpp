#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace shaddock {

/// Why something did not succeed. The numbers travel on the bus: they never change and are never
/// reused.
enum class errc : std::uint16_t {
    /// A bug or an exception without a better name; also a handler that never answered.
    internal = 1,
    /// The route is not `type.handler.method`, or its handler or method does not exist.
    unknown_route = 2,
    /// No server of the type, or the named server, is up.
    no_server = 3,
    /// The deadline passed before the answer came.
    timeout = 4,
    /// The link broke before the answer came; the call may or may not have been executed.
    disconnected = 5,
    /// A bounded queue or count is full; the call was not executed.
    overloaded = 6,
    /// The work was taken back: its server or module generation is stopping.
    cancelled = 7,
    /// Caller and callee were built with different types for this remote.
    contract = 8,
    /// The body is not JSON, or a field is missing or of the wrong type; the text names its path.
    bad_request = 9,
    /// The session (client connection) is gone.
    closed = 10,
    /// A join for a session that its frontend no longer has.
    lost = 11,
    /// The name, uid or binding is already taken.
    duplicate = 12,
    /// The channel, member, session, file, setting or extension does not exist.
    not_found = 13,
    /// The owner of the rooms is back but has not heard from every frontend yet.
    recovering = 14,
    /// Not allowed, or refused by a filter or a hook.
    refused = 15,
    /// An error that application code raised with its own text.
    application = 16,
    /// Wrong configuration.
    config = 17,
};

/// The name of a code as it stands in logs: `no_server`, `timeout`, ...
constexpr std::string_view to_string(errc code) {
    switch (code) {
    case errc::internal:
        return "internal";
    case errc::unknown_route:
        return "unknown_route";
    case errc::no_server:
        return "no_server";
    case errc::timeout:
        return "timeout";
    case errc::disconnected:
        return "disconnected";
    case errc::overloaded:
        return "overloaded";
    case errc::cancelled:
        return "cancelled";
    case errc::contract:
        return "contract";
    case errc::bad_request:
        return "bad_request";
    case errc::closed:
        return "closed";
    case errc::lost:
        return "lost";
    case errc::duplicate:
        return "duplicate";
    case errc::not_found:
        return "not_found";
    case errc::recovering:
        return "recovering";
    case errc::refused:
        return "refused";
    case errc::application:
        return "application";
    case errc::config:
        return "config";
    }
    return "unknown";
}

/// An expected failure as a value, and what a handler may throw. Clients see only `client_code`;
/// the text is for logs and callers.
class error : public std::exception {
public:
    /// `internal` without a text: what result::error() answers for a result that has a value.
    error() : error(errc::internal, std::string()) {}
    error(errc code, std::string text, int client_code = 500)
        : code_(code), client_code_(client_code), text_(std::move(text)) {}

    errc code() const { return code_; }
    /// The `code` of the answer `{"code":N}` that the client gets; 500 unless the application chose
    /// another.
    int client_code() const { return client_code_; }
    const std::string& text() const { return text_; }
    const char* what() const noexcept override { return text_.c_str(); }

private:
    errc code_;
    int client_code_;
    std::string text_;
};

/// What application code throws or returns: `throw shaddock::application_error("the shop is
/// closed")`; with its own code for the client as second argument. (No constructor from text alone:
/// result<std::string> could not tell a value from an error.)
inline error application_error(std::string text, int client_code = 500) {
    return {errc::application, std::move(text), client_code};
}

/// For boost::system::result: `value()` of a failed result throws the error itself.
[[noreturn]] inline void throw_exception_from_error(const error& failed,
                                                    const boost::source_location&) {
    throw failed;
}

/// A value or an error.
template <class T>
using result = boost::system::result<T, error>;

} // namespace shaddock
