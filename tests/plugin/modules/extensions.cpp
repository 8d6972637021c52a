#include <shaddock/plugin.hpp>

#include <string>

// A plugin that asks its host for more than it has, and says so.

namespace {

/// What no host has.
class tomorrow : public shaddock::door::extension {
public:
    static constexpr std::string_view name = "test.tomorrow";
    static constexpr std::uint32_t version = 3;
    virtual int days() noexcept = 0;

protected:
    ~tomorrow() = default;
};

/// What the host has in another version.
class later_files : public shaddock::door::config_files {
public:
    static constexpr std::uint32_t version = 99;

protected:
    ~later_files() = default;
};

struct ask_reply {
    std::string absent;
    std::string other_version;
    std::string file;
    int days = 0;
};
BOOST_DESCRIBE_STRUCT(ask_reply, (), (absent, other_version, file, days))

class extension_handler {
public:
    explicit extension_handler(shaddock::app& app) : app_(app) {
        const auto forecast = app.extension<tomorrow>();
        if (!forecast) {
            app.log().warn("goes on without a forecast: ", forecast.error());
            absent_ = forecast.error().text();
        } else {
            days_ = (*forecast)->days();
        }
    }

    ask_reply ask() {
        const auto read = app_.extension<shaddock::door::config_files>().value()->read("rooms");
        return {absent_, app_.extension<later_files>().error().text(), read.value().json, days_};
    }

private:
    shaddock::app& app_;
    std::string absent_;
    int days_ = 0;
};

} // namespace

SHADDOCK_PLUGIN("probe", registrar) {
    registrar.handler<extension_handler>("extensionHandler").method("ask", &extension_handler::ask);
}
