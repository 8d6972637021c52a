#include "base/log.hpp"
#include "dispatcher.hpp"
#include "made_generation.hpp"
#include "wire.hpp"

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace shaddock::server {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using texts = std::vector<std::string>;

class contract_call final : public pending_call {
public:
    contract_call(texts& notes, std::string name, std::uint64_t contract, base::time_point deadline)
        : pending_call(nullptr, name, deadline, contract, false), notes_(notes),
          name_(std::move(name)) {}
    ~contract_call() override { abandon(); }

private:
    void answer(result<door::body> outcome) noexcept override {
        notes_.push_back(name_ + (outcome ? "=" + *outcome : ": " + outcome.error().text()));
    }
    texts& notes_;
    std::string name_;
};

/// A remote `t.r.find` with the types and the hash that the test says.
struct finder final : door::plugin {
    struct method final : door::callable {
        void invoke(std::unique_ptr<door::invocation> call) noexcept override {
            call->finish(door::body("ok"));
        }
    };
    static inline std::uint64_t hash = 1;
    static inline std::string request;
    method find;
};

const door::plugin_door& finder_door() {
    const auto enter = [](door::registration& into, door::callable* target) {
        into.remote({.object = "r",
                     .method = "find",
                     .contract = finder::hash,
                     .request_shape = finder::request,
                     .reply_shape = "{}"},
                    target);
    };
    static const door::plugin_door door{
        sizeof(door::plugin_door),
        door::sdk_abi,
        "",
        "t",
        "2",
        "b",
        [](door::registration& into) {
            decltype(enter)()(into, nullptr);
            into.call("other.r.ask", 7, "[string] -> {}");
        },
        [](door::host&, door::registration& into, std::string*) -> door::plugin* {
            auto* made = new finder;
            decltype(enter)()(into, &made->find);
            return made;
        },
        [](door::plugin* gone) { delete static_cast<finder*>(gone); }};
    return door;
}

struct contracts_test : ::testing::Test {
    contracts_test() {
        use(1, "[{text: string, limit: int32 = default}]");
        calls.types().ask_by([this](const bus::peer& to, std::string_view routes, auto done) {
            asked.push_back(to.id + " " + std::string(routes));
            answers.push_back(std::move(done));
        });
    }
    ~contracts_test() override {
        calls.cancel_all();
        calls.use(nullptr);
        base::log::start("test", {});
    }
    void use(std::uint64_t hash, std::string request) {
        finder::hash = hash;
        finder::request = std::move(request);
        served.push_back(make_generation({&finder_door(), "t.so"}, "t", 1));
        calls.use(served.back());
    }
    void call(std::string name, std::uint64_t contract, std::string from = "c-1") {
        auto made =
            std::make_unique<contract_call>(notes, std::move(name), contract, clock.now() + 5s);
        made->comes_from({std::move(from), incarnation{1}}, "c.so 1");
        calls.run_remote("t.r.find", std::move(made));
    }
    void tell(std::uint64_t hash, std::string request) {
        auto answer = std::move(answers.front());
        answers.erase(answers.begin());
        answer(wire::encode({{contract_row::role::called, "t.r.find", 99, "[] -> {}"},
                             {contract_row::role::called, "t.r.find", hash, request + " -> {}"}}));
    }

    boost::asio::io_context loop;
    base::manual_clock clock;
    texts notes;
    texts asked;
    std::vector<base::unique_function<void(result<std::string>)>> answers;
    std::vector<std::shared_ptr<generation>> served;
    dispatcher calls{loop.get_executor(), clock, 3};
};

TEST_F(contracts_test, equal_hashes_and_calls_without_one_ask_nobody) {
    call("a", 1);
    call("b", 0);
    EXPECT_THAT(notes, ElementsAre("a=ok", "b=ok"));
    EXPECT_THAT(asked, IsEmpty());
}

TEST_F(contracts_test, types_that_fit_are_asked_for_once_and_the_calls_keep_their_order) {
    call("a", 2);
    call("b", 2);
    EXPECT_THAT(notes, IsEmpty()) << "nothing is called before the types are known";
    EXPECT_THAT(asked, ElementsAre("c-1 t.r.find"));
    tell(2, "[{text: string}]");
    call("c", 2);
    call("d", 2);
    EXPECT_THAT(notes, ElementsAre("a=ok", "b=ok", "c=ok", "d=ok"));
    EXPECT_EQ(asked.size(), 1U);
}

TEST_F(contracts_test, types_that_do_not_fit_are_refused_by_name) {
    call("a", 2);
    tell(2, "[{text: int32}]");
    call("b", 2);
    const std::string why = ": t.r.find: argument 1: member 'text' is a number there, a text here; "
                            "there is c-1 (c.so 1), here t.so 2";
    EXPECT_THAT(notes, ElementsAre("a" + why, "b" + why));
    EXPECT_EQ(asked.size(), 1U);
}

TEST_F(contracts_test, a_generation_of_other_types_is_compared_anew_without_asking_again) {
    call("a", 2);
    tell(2, "[{text: int32}]");
    use(3, "[{text: int32, note?: string}]");
    call("b", 2);
    use(2, "[{text: int32}]");
    call("c", 2);
    notes.erase(notes.begin());
    EXPECT_THAT(notes, ElementsAre("b=ok", "c=ok"));
    EXPECT_EQ(asked.size(), 1U);
}

TEST_F(contracts_test, a_generation_that_serves_by_the_time_of_the_answer_is_what_counts) {
    call("a", 2);
    use(2, "[{text: int32}]");
    EXPECT_EQ(served.front()->leases(), 0U) << "who waits for types holds no generation";
    tell(2, "[{text: int32}]");
    EXPECT_THAT(notes, ElementsAre("a=ok"));
}

TEST_F(contracts_test, types_that_are_not_told_refuse_and_are_asked_for_again) {
    call("a", 2);
    answers.front()(error(errc::contract, "its host is old"));
    answers.clear();
    call("b", 2);
    tell(98, "[{text: string}]");
    call("c", 2);
    tell(2, "[{text: string}]");
    EXPECT_THAT(notes, ElementsAre(HasSubstr("cannot be compared: its host is old"),
                                   HasSubstr("the caller does not tell them"), "c=ok"));
}

TEST_F(contracts_test, who_waits_for_types_is_answered_in_time_and_at_the_end) {
    call("a", 2);
    clock.advance(6s);
    tell(2, "[{text: string}]");
    EXPECT_THAT(notes, ElementsAre(HasSubstr("waited too long for the types of its caller")));
    call("b", 3);
    calls.cancel_all();
    EXPECT_THAT(notes.back(), HasSubstr("stopping"));
    tell(3, "[{text: string}]");
    EXPECT_EQ(notes.size(), 2U);
}

TEST_F(contracts_test, a_refused_pair_is_named_in_the_log_once_a_minute) {
    const auto file = std::filesystem::path(::testing::TempDir()) / "contracts_test.log";
    base::log::options wanted;
    wanted.console = false;
    wanted.file = file;
    std::filesystem::remove(file);
    base::log::start("t-1", wanted);
    const auto lines = [&] {
        std::ifstream in(file);
        texts all;
        for (std::string line; std::getline(in, line);) {
            if (line.find("are refused") != std::string::npos) {
                all.push_back(line.substr(line.find("calls of")));
            }
        }
        return all;
    };
    call("a", 2);
    tell(2, "[]");
    call("b", 2);
    call("c", 2, "c-2");
    clock.advance(61s);
    call("d", 2);
    base::log::start("test", {});
    const std::string why = " are refused: t.r.find: its number of arguments is 0 there, 1 here; "
                            "there is ";
    EXPECT_THAT(lines(), ElementsAre("calls of c-1" + why + "c-1 (c.so 1), here t.so 2",
                                     "calls of c-2" + why + "c-2 (c.so 1), here t.so 2",
                                     "calls of c-1" + why +
                                         "c-1 (c.so 1), here t.so 2; 1 more since the last such "
                                         "line"));
    std::filesystem::remove(file);
}

TEST_F(contracts_test, tell_what_is_called_the_last_one_last_and_what_is_served) {
    calls.types().note_call("x.r.a", 1, []() noexcept { return std::string("[] -> {}"); });
    calls.types().note_call("x.r.a", 2, []() noexcept { return std::string("[bool] -> {}"); });
    calls.types().note_call("x.r.a", 1, []() noexcept { return std::string("never asked for"); });
    const auto own = calls.types().of_routes("", served.back()->registered());
    const auto called = calls.types().of_routes("x.r.a", served.back()->registered());
    ASSERT_EQ(called.size(), 2U);
    EXPECT_EQ(called[0].shape, "[bool] -> {}");
    EXPECT_EQ(called[1].shape, "[] -> {}");
    ASSERT_EQ(own.size(), 3U);
    EXPECT_EQ(own.back().as, contract_row::role::served)
        << "also what its build says that it calls";
    EXPECT_EQ(own.back().shape, "[{text: string, limit: int32 = default}] -> {}");
}

TEST_F(contracts_test, a_look_ahead_names_whom_a_new_build_would_cut_off_both_ways) {
    finder::hash = 5;
    finder::request = "[{text: bool}]";
    const std::vector<plugin_source> next{{&finder_door(), "t.so"}};
    texts said{"nothing"};
    calls.types().look_ahead("t", next, {{"c-1", incarnation{1}}, {"c-2", incarnation{1}}},
                             [&](texts found) { said = std::move(found); });
    EXPECT_THAT(asked, ElementsAre("c-1 ", "c-2 "));
    answers[0](wire::encode({{contract_row::role::called, "t.r.find", 4, "[] -> {}"},
                             {contract_row::role::called, "t.r.find", 2, "[{text: string}] -> {}"},
                             {contract_row::role::called, "t.r.lost", 2, "[] -> {}"},
                             {contract_row::role::called, "tt.r.others", 2, "[] -> {}"},
                             {contract_row::role::served, "other.r.ask", 8, "[int32] -> {}"}}));
    EXPECT_THAT(said, ElementsAre("nothing"));
    answers[1](error(errc::disconnected, "gone"));
    EXPECT_THAT(
        said,
        ElementsAre("cuts off calls of c-1: t.r.find: argument 1: member 'text' is a text there, "
                    "true or false here; there is c-1, here the new build",
                    "cuts off calls of c-1: t.r.lost: the new build does not serve it",
                    "cuts off its calls to c-1: other.r.ask: argument 1 is a text there, a number "
                    "here; there is the new build, here c-1"));
    calls.types().look_ahead("t", next, {}, [&](texts found) { said = std::move(found); });
    EXPECT_THAT(said, IsEmpty());
}

} // namespace
} // namespace shaddock::server
