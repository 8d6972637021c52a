#include <shaddock/plugin.hpp>

namespace hello {

struct greet_request {
    std::string name;
    std::optional<std::string> language;
};
BOOST_DESCRIBE_STRUCT(greet_request, (), (name, language))

struct greet_reply {
    std::string text;
    int greeted = 0;
};
BOOST_DESCRIBE_STRUCT(greet_reply, (), (text, greeted))

class hello_handler {
public:
    /// Greets by name. Errors: 500 when the name is missing, no text or empty.
    shaddock::result<greet_reply> greet(const greet_request& request) {
        if (request.name.empty()) {
            return shaddock::error(shaddock::errc::bad_request, "name: empty");
        }
        const bool is_chinese = request.language == "zh";
        return greet_reply{(is_chinese ? "你好, " : "Hello, ") + request.name, ++greeted_};
    }

private:
    int greeted_ = 0; // one loop per server: no lock
};

} // namespace hello

SHADDOCK_PLUGIN("hello", registrar) {
    registrar.handler<hello::hello_handler>("helloHandler")
        .method("greet", &hello::hello_handler::greet);
}
