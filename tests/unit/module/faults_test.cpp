#include "module/module.hpp"

#include <shaddock/testing/fake_host.hpp>

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// The modules of tests/plugin/modules that are sound as files: that each has its fault, and no
// other.

namespace {

namespace door = shaddock::door;
namespace fs = std::filesystem;
namespace module = shaddock::module;
using testing::ElementsAre;
using testing::HasSubstr;

class parts_and_routes final : public door::registration {
public:
    void handler(const door::method_info& info, door::callable*) noexcept override {
        routes.push_back(std::string(info.object) + "." + std::string(info.method));
    }
    void remote(const door::method_info&, door::callable*) noexcept override {}
    void route(std::string_view, door::router*) noexcept override {}
    void filter(door::global_filter*) noexcept override {}
    void hook(door::hooks*) noexcept override {}
    void part(door::component* one) noexcept override { parts.push_back(one); }
    void handshake(door::handshake_hook*) noexcept override {}
    void call(std::string_view, std::uint64_t, std::string_view) noexcept override {}

    std::vector<std::string> routes;
    std::vector<door::component*> parts;
};

class outcome final : public door::completion {
public:
    explicit outcome(std::string& into) : into_(into) {}
    void done(shaddock::result<door::body> with) noexcept override {
        into_ = with ? "done" : std::string(with.error().text());
    }

private:
    std::string& into_;
};

class module_fault : public testing::Test {
protected:
    module_fault() {
        std::string pattern = (fs::temp_directory_path() / "shaddock-fault-XXXXXX").string();
        run_ = mkdtemp(pattern.data());
        loader_ = std::make_unique<module::loader>(run_, "s-1");
    }
    ~module_fault() override {
        if (made != nullptr) {
            door_->destroy(made);
        }
        loader_.reset();
        fs::remove_all(run_);
    }

    /// Opens and creates.
    const door::plugin_door& open(const std::string& name) {
        const auto file = fs::path(SHADDOCK_TEST_MODULES) / (name + ".so");
        const auto opened = loader_->load(file, "chat");
        EXPECT_TRUE(opened) << opened.error().text();
        door_ = &opened.value().door();
        std::string failed;
        made = door_->create(host, registered, &failed);
        EXPECT_EQ(failed, "");
        return *door_;
    }
    std::string set_up() {
        std::string told = "nothing";
        registered.parts.at(0)->start(std::make_unique<outcome>(told));
        host.run();
        return told;
    }

    shaddock::testing::fake_host host;
    parts_and_routes registered;
    door::plugin* made = nullptr;

private:
    fs::path run_;
    std::unique_ptr<module::loader> loader_;
    const door::plugin_door* door_ = nullptr;
};

TEST_F(module_fault, the_healthy_one_has_none) {
    const auto& door = open("module_probe");
    EXPECT_EQ(set_up(), "done");
    EXPECT_THAT(registered.routes, ElementsAre("probeHandler.ask"));
    const std::vector<door::saved_state> states{{"handler probeHandler", "7"}};
    ASSERT_TRUE(door.restore(made, states, "1"));
    const auto saved = door.save(made);
    ASSERT_EQ(saved.value().size(), 1U);
    EXPECT_EQ(saved->front().name, "handler probeHandler");
    EXPECT_EQ(saved->front().bytes, "7");
}

TEST_F(module_fault, the_next_one_is_another_version) {
    EXPECT_EQ(std::string(open("module_probe_next").version), "2.0.0");
    EXPECT_EQ(set_up(), "done");
}

TEST_F(module_fault, throws_in_setup) {
    open("module_throws_setup");
    EXPECT_THAT(set_up(), HasSubstr("no luck in setup"));
}

TEST_F(module_fault, refuses_state) {
    const auto& door = open("module_refuses_state");
    EXPECT_EQ(set_up(), "done");
    const std::vector<door::saved_state> states{{"handler probeHandler", "7"}};
    const auto restored = door.restore(made, states, "1.9");
    ASSERT_FALSE(restored);
    EXPECT_THAT(restored.error().text(), HasSubstr("cannot read the state of version 1.9"));
}

TEST_F(module_fault, doubles_a_route) {
    open("module_doubles_route");
    EXPECT_EQ(set_up(), "done");
    EXPECT_THAT(registered.routes, ElementsAre("probeHandler.ask", "probeHandler.ask"));
}

TEST_F(module_fault, crashes_in_setup) {
    open("module_crashes");
    EXPECT_EXIT(
        set_up(),
        [](int status) {
            // A sanitizer answers the signal by ending the process itself.
            return WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
        },
        "");
}

TEST_F(module_fault, spins_in_setup) {
    open("module_spins");
    const auto spin = [this] {
        alarm(1);
        set_up();
    };
    EXPECT_EXIT(spin(), testing::KilledBySignal(SIGALRM), "");
}

} // namespace
