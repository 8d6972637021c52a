#include "framing.hpp"

#include <protocol/upgrade.hpp>

#include <gmock/gmock.h>

namespace shaddock::client {
namespace {

using protocol::append_websocket_frame;
using protocol::package_type;
using protocol::websocket_opcode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Notes what comes out.
class noted final : public framing::sink {
public:
    void opened() override { ++openings; }
    bool package(const protocol::package_cut& cut) override {
        packages.emplace_back(cut.body);
        return packages.size() < stop_at;
    }
    void reply(std::string_view bytes) override { replies += bytes; }
    int openings = 0;
    std::vector<std::string> packages;
    std::string replies;
    std::size_t stop_at = 1000;
};

std::string package_of(std::string_view body) {
    return *protocol::encode_package(package_type::data, body);
}

/// The server's half of the opening, after what a client has said.
std::string accepted(const std::string& request) {
    const auto outcome = protocol::answer_upgrade_request(request);
    EXPECT_EQ(outcome.status, protocol::upgrade_status::accepted);
    return outcome.answer;
}

TEST(client_framing, takes_a_stream_however_it_is_cut) {
    const auto bytes = package_of("one") + package_of("") + package_of("three");
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        noted out;
        base::random random(1);
        framing frames(transport::tcp, "h", random, out);
        EXPECT_THAT(frames.start(), IsEmpty());
        EXPECT_EQ(out.openings, 1);
        ASSERT_TRUE(frames.take(bytes.substr(0, cut)));
        ASSERT_TRUE(frames.take(bytes.substr(cut)));
        EXPECT_THAT(out.packages, ElementsAre("one", "", "three")) << cut;
    }
}

TEST(client_framing, takes_frames_however_they_are_cut) {
    std::string frames_of_server;
    append_websocket_frame(frames_of_server, websocket_opcode::binary, package_of("one"));
    append_websocket_frame(frames_of_server, websocket_opcode::ping, "p");
    append_websocket_frame(frames_of_server, websocket_opcode::binary,
                           package_of("two") + package_of("three"));
    for (std::size_t cut = 0; cut <= frames_of_server.size() + 130; ++cut) {
        noted out;
        base::random random(1);
        framing frames(transport::websocket, "h:1", random, out);
        const auto request = frames.start();
        EXPECT_THAT(request, HasSubstr("Host: h:1\r\n"));
        const auto bytes = accepted(request) + frames_of_server;
        ASSERT_TRUE(frames.take(bytes.substr(0, cut)));
        ASSERT_TRUE(frames.take(bytes.substr(std::min(cut, bytes.size()))));
        EXPECT_EQ(out.openings, 1);
        EXPECT_THAT(out.packages, ElementsAre("one", "two", "three")) << cut;
        EXPECT_EQ(out.replies.size(), 7U) << "a masked pong of one byte";
    }
}

TEST(client_framing, masks_what_it_sends) {
    noted out;
    base::random random(1);
    framing frames(transport::websocket, "h", random, out);
    std::string sent;
    frames.put(sent, package_of("x"));
    protocol::websocket_decoder server(protocol::websocket_peer::client, 100);
    const auto event = server.next(sent.data(), sent.size());
    EXPECT_EQ(event.kind, protocol::websocket_event_kind::binary);
    EXPECT_EQ(event.payload, package_of("x"));
}

TEST(client_framing, stops_when_it_is_told) {
    noted out;
    out.stop_at = 1;
    base::random random(1);
    framing frames(transport::tcp, "h", random, out);
    frames.start();
    EXPECT_TRUE(frames.take(package_of("one") + package_of("two")));
    EXPECT_THAT(out.packages, ElementsAre("one"));
}

std::string failure_of(transport over, const std::string& bytes) {
    noted out;
    base::random random(1);
    framing frames(over, "h", random, out);
    const auto request = frames.start();
    const auto taken =
        frames.take(over == transport::websocket ? accepted(request) + bytes : bytes);
    return taken ? std::string("none") : taken.error().text();
}

std::string frame_of(websocket_opcode opcode, std::string_view payload) {
    std::string out;
    append_websocket_frame(out, opcode, payload);
    return out;
}

TEST(client_framing, says_what_no_server_should_send) {
    EXPECT_THAT(failure_of(transport::tcp, "\x09"), HasSubstr("a package of type 9"));
    EXPECT_THAT(failure_of(transport::websocket, frame_of(websocket_opcode::text, "x")),
                HasSubstr("a text frame"));
    EXPECT_THAT(failure_of(transport::websocket,
                           frame_of(websocket_opcode::binary, package_of("x").substr(0, 4))),
                HasSubstr("cut off"));
    EXPECT_THAT(failure_of(transport::websocket, "\x83\x01x"), HasSubstr("broke the protocol"));
}

TEST(client_framing, says_how_a_server_closes) {
    EXPECT_EQ(
        failure_of(transport::websocket, frame_of(websocket_opcode::close,
                                                  protocol::websocket_close_payload(1008, "slow"))),
        "closed by the server (1008: slow)");
    EXPECT_EQ(failure_of(transport::websocket, frame_of(websocket_opcode::close, "")),
              "closed by the server (without a code)");
}

TEST(client_framing, says_that_a_server_speaks_something_else) {
    noted out;
    base::random random(1);
    framing frames(transport::websocket, "h", random, out);
    frames.start();
    const auto taken = frames.take("HTTP/1.1 200 OK\r\n\r\n");
    ASSERT_FALSE(taken);
    EXPECT_THAT(taken.error().text(), HasSubstr("does not speak WebSocket"));
    EXPECT_EQ(out.openings, 0);
}

} // namespace
} // namespace shaddock::client
