#include <shaddock/testing/fake_app.hpp>

#include <gmock/gmock.h>

namespace {

using namespace std::chrono_literals;
using shaddock::errc;
using shaddock::session;
using shaddock::testing::fake_app;
using testing::ElementsAre;
using testing::IsEmpty;

inline constexpr shaddock::remote_method<int(std::string room, int seats)> book{
    "rooms.roomRemote.book"};

struct news {
    std::string text;
    int number = 0;
};
BOOST_DESCRIBE_STRUCT(news, (), (text, number))

/// As a plugin's author writes one.
class desk {
public:
    explicit desk(shaddock::app& app) : app_(app) {}

    int add(int by) { return sum_ += by; }
    shaddock::awaitable<int> reserve(std::string room, session& who) {
        auto booked = co_await app_.call(book, who, room, 2);
        if (!booked) {
            throw booked.error();
        }
        who.set("room", room);
        (co_await who.bind("guest")).value();
        (co_await who.push("room")).value();
        app_.channels().create(room).add(who.ref()).value();
        app_.channels().create(room).push("onNews", news{"welcome", *booked}).value();
        co_return *booked;
    }
    shaddock::awaitable<int> later() {
        co_await app_.sleep(10s);
        co_return add(1);
    }
    shaddock::awaitable<int> count_elsewhere() {
        auto work = [] { return 41; };
        const auto counted = co_await app_.blocking(work);
        co_return add(counted);
    }
    shaddock::awaitable<shaddock::result<void>> kick(session& who) {
        co_return co_await who.kick("closing time");
    }
    void tick() {
        app_.every("desk.tick", 1s, [this] { add(1); });
    }

private:
    shaddock::app& app_;
    int sum_ = 0;
};

class desk_alone : public testing::Test {
protected:
    fake_app fake;
    desk object{fake.app};
};

template <class F>
errc code_of(F work) {
    try {
        work();
    } catch (const shaddock::error& failed) {
        return failed.code();
    }
    return errc{};
}

TEST_F(desk_alone, is_called_like_any_object) {
    EXPECT_EQ(object.add(2), 2);
    EXPECT_EQ(object.add(3), 5);
}

TEST_F(desk_alone, gets_scripted_answers_and_leaves_its_calls_and_pushes) {
    fake.answer(book, 7);
    auto ann = fake.session(1);
    EXPECT_EQ(fake.run(object.reserve("red", ann)), 7);
    EXPECT_THAT(fake.calls(book), ElementsAre(std::tuple(std::string("red"), 2)));
    const auto pushed = fake.pushed<news>("onNews");
    ASSERT_EQ(pushed.size(), 1U);
    EXPECT_EQ(pushed[0].text, "welcome");
    EXPECT_EQ(pushed[0].number, 7);
    EXPECT_THAT(fake.host.pushes[0].uids(), ElementsAre("guest"));
    EXPECT_THAT(fake.pushed<news>("onOther"), IsEmpty());
}

TEST_F(desk_alone, changes_the_session_that_its_client_has) {
    fake.answer(book, 7);
    auto ann = fake.session(1);
    fake.run(object.reserve("red", ann));
    EXPECT_EQ(fake.session_now(1).uid(), "guest");
    EXPECT_EQ(fake.session_now(1).get<std::string>("room"), "red");
    EXPECT_TRUE(fake.run(object.kick(ann)));
    EXPECT_EQ(fake.host.changes.back().change.text, "closing time");
    EXPECT_EQ(code_of([&] { fake.session_now(1); }), errc::not_found);
    EXPECT_EQ(fake.run(object.kick(ann)).error().code(), errc::closed);
}

TEST_F(desk_alone, writes_all_settings_of_a_snapshot_into_the_session) {
    auto ann = fake.session(1);
    EXPECT_TRUE(fake.run(ann.bind("ann")));
    ann.set("room", std::string("red"));
    ann.set("level", 3);
    EXPECT_FALSE(fake.session_now(1).has("room")) << "it stands in the snapshot only";
    EXPECT_TRUE(fake.run(ann.push_all()));
    EXPECT_EQ(fake.session_now(1).get<std::string>("room"), "red");
    EXPECT_EQ(fake.session_now(1).get<int>("level"), 3);
    EXPECT_TRUE(fake.run(ann.unbind()));
    EXPECT_FALSE(fake.session_now(1).is_bound());
}

TEST_F(desk_alone, sees_the_errors_that_a_test_wants) {
    auto ann = fake.session(1);
    EXPECT_EQ(code_of([&] { fake.run(object.reserve("red", ann)); }), errc::no_server);
    fake.fail(book, shaddock::error(errc::timeout, "too late"));
    EXPECT_EQ(code_of([&] { fake.run(object.reserve("red", ann)); }), errc::timeout);
    fake.answer(book, 1);
    auto bound = fake.session(2, "somebody");
    EXPECT_EQ(code_of([&] { fake.run(object.reserve("red", bound)); }), errc::duplicate);
    fake.host.clients.close(ann.ref());
    EXPECT_EQ(code_of([&] { fake.run(object.reserve("red", ann)); }), errc::closed);
}

TEST_F(desk_alone, waits_for_an_answer_that_is_held) {
    fake.host.holds_calls = true;
    auto ann = fake.session(1);
    const auto reserved = fake.start(object.reserve("red", ann));
    EXPECT_FALSE(reserved.is_done());
    EXPECT_EQ(code_of([&] { reserved.value(); }), errc::internal);
    EXPECT_TRUE(fake.host.answer_held("3"));
    EXPECT_EQ(reserved.value(), 3);
    EXPECT_FALSE(fake.host.answer_held("3"));
}

TEST_F(desk_alone, lives_in_time_that_the_test_moves) {
    const auto slept = fake.start(object.later());
    fake.host.advance(9s);
    EXPECT_FALSE(slept.is_done());
    fake.host.advance(1s);
    EXPECT_EQ(slept.value(), 1);
    object.tick();
    EXPECT_THAT(fake.host.timers(), ElementsAre("desk.tick"));
    fake.host.advance(3s);
    EXPECT_EQ(object.add(0), 4);
}

TEST_F(desk_alone, does_blocking_work_with_the_loop_or_when_the_test_says) {
    EXPECT_EQ(fake.run(object.count_elsewhere()), 41);
    fake.host.holds_blocking = true;
    const auto counted = fake.start(object.count_elsewhere());
    EXPECT_FALSE(counted.is_done());
    EXPECT_EQ(fake.host.run_blocking(), 1U);
    EXPECT_EQ(counted.value(), 82);
    EXPECT_EQ(fake.host.run_blocking(), 0U);
}

} // namespace
