#include "test_system.hpp"
#include "texts.hpp"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

namespace shaddock::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

const fs::path sources = SHADDOCK_TEST_SOURCE_DIR;

/// What the original answered, as hex, in the entry of tests/vectors/handshake.json that is named
/// so.
std::string golden(const std::string& name) {
    const auto text = text_of(sources / "tests/vectors/handshake.json");
    const std::string key = "\"hex\":\"";
    const auto entry = text.find("\"name\":\"" + name + "\"");
    const auto from = text.find(key, entry) + key.size();
    EXPECT_NE(entry, std::string::npos) << name;
    return entry == std::string::npos ? "" : text.substr(from, text.find('"', from) - from);
}

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) {
        text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    }
    return text;
}

/// Sends one handshake over raw TCP and reads the package that answers it.
std::string answer_to(std::uint16_t port, std::string_view body) {
    boost::asio::io_context loop;
    boost::asio::ip::tcp::socket socket(loop);
    socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
    std::string package = {'\x01', '\0', static_cast<char>(body.size() >> 8),
                           static_cast<char>(body.size())};
    package += body;
    boost::asio::write(socket, boost::asio::buffer(package));
    std::string answer(4, '\0');
    boost::asio::read(socket, boost::asio::buffer(answer));
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(answer[at]); };
    const std::size_t size = std::size_t{byte(1)} << 16 | std::size_t{byte(2)} << 8 | byte(3);
    answer.resize(4 + size);
    boost::asio::read(socket, boost::asio::buffer(answer.data() + 4, size));
    return answer;
}

/// What Pomelo's JavaScript client says.
constexpr std::string_view first_visit =
    R"({"sys":{"type":"js-websocket","version":"0.0.1","rsa":{},"protoVersion":0},"user":{}})";

/// A system on free ports with everything else as shipped in config/.
class shipped_system : public testing::Test {
protected:
    void SetUp() override {
        for (const auto* name :
             {"host.yaml", "dictionary.json", "serverProtos.json", "clientProtos.json"}) {
            fs::copy_file(sources / "config" / name, system.path("config/" + std::string(name)),
                          fs::copy_options::overwrite_existing);
        }
    }
    /// Starts one server by hand and waits until it serves.
    void serve(const std::string& id) {
        server = std::make_unique<host_process>(
            system.path(),
            std::vector<std::string>{"--type", id.substr(0, id.find('-')), "--id", id});
        ASSERT_TRUE(server->says(id + " serves")) << server->text();
    }
    void TearDown() override {
        server->signal(SIGTERM);
        EXPECT_EQ(server->end().status, 0) << server->text();
    }

    test_system system;
    std::unique_ptr<host_process> server;
};

TEST_F(shipped_system, shakes_hands_as_the_original_on_the_gate) {
    serve("gate-server-1");
    EXPECT_EQ(hex(answer_to(system.gate_port, first_visit)),
              golden("gate: useProtobuf only, no heartbeat"));
    EXPECT_EQ(hex(answer_to(system.gate_port, "{}")), golden("handshake body {} (no sys)"));
}

TEST_F(shipped_system, shakes_hands_as_the_original_on_a_connector) {
    serve("connector-server-1");
    EXPECT_EQ(
        hex(answer_to(system.connector_port, first_visit)),
        golden("connector: heartbeat 3, useDict, useProtobuf, client has no cached versions"));
    EXPECT_EQ(
        hex(answer_to(system.connector_port, R"({"sys":{"type":"c","version":"0.3.5",)"
                                             R"("protoVersion":"2zWPnSlRsRxjqgcU215Uxg==",)"
                                             R"("dictVersion":"s2r1qfKDrbhWCkA6uf+PTA=="}})")),
        golden("client already has current protoVersion and dictVersion"));
    EXPECT_FALSE(fs::exists(system.path("run/connector-server-1@routes@1@gate.so")))
        << "what was read for the dictionary is not needed any more";
}

TEST_F(shipped_system, tells_protos_that_change_in_the_next_handshake) {
    serve("gate-server-1");
    const auto before = answer_to(system.gate_port, first_visit);
    std::ofstream(system.path("config/serverProtos.json")) << "{\"onChat\":\n{\"required";
    ASSERT_TRUE(server->says("serverProtos.json:2: found ")) << server->text();
    ASSERT_TRUE(server->says("stay in use")) << server->text();
    EXPECT_EQ(answer_to(system.gate_port, first_visit), before);
    std::ofstream(system.path("config/serverProtos.json"))
        << R"({"onChat":{"required string text":1}})";
    ASSERT_TRUE(server->says("new protos")) << server->text();
    EXPECT_THAT(answer_to(system.gate_port, first_visit),
                AllOf(HasSubstr(R"("onChat":{"text":{"option":"required")"),
                      Not(HasSubstr("2zWPnSlRsRxjqgcU215Uxg=="))));
}

/// A start that cannot be, with the reason.
struct bad_start {
    std::string file;
    std::string text;
    std::string connector;
    std::string complaint;
};

/// In the name of a test that fails.
std::ostream& operator<<(std::ostream& out, const bad_start& bad) {
    return out << bad.file;
}

class refused_start : public testing::TestWithParam<bad_start> {};

TEST_P(refused_start, says_file_line_and_key) {
    const auto& bad = GetParam();
    const test_system system;
    system.add("config/" + bad.file, bad.text);
    system.add("config/host.yaml",
               "types:\n  gate: {connector: {" + bad.connector + "}}\n  connector:\n  chat:\n");
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"--type", "gate", "--id", "gate-server-1"}, {"start"}}) {
        const auto started = system.run(arguments);
        EXPECT_EQ(started.status, 1);
        EXPECT_THAT(started.text, AllOf(HasSubstr(bad.complaint), Not(HasSubstr("ready: 4"))));
    }
    EXPECT_TRUE(system.comes_true([&] { return system.running().empty(); }));
    // Who does not ask for the file does not mind.
    auto other = system.host({"--type", "chat", "--id", "chat-server-1"});
    EXPECT_TRUE(other.says("chat-server-1 serves")) << other.text();
}

INSTANTIATE_TEST_SUITE_P(
    of_a_frontend, refused_start,
    testing::Values(
        bad_start{"serverProtos.json", "{\"onChat\": {\n\"required sting msg\": 1}}", "proto: true",
                  "config/serverProtos.json:2: onChat.required sting msg: found "},
        bad_start{"clientProtos.json", "{\n\n", "proto: true",
                  "config/clientProtos.json:3: found the end of the file, expected "},
        bad_start{"dictionary.json", "[\"onChat\",\n5]", "dict: true",
                  "config/dictionary.json:2: [1]: found the number 5, expected a route"}));

} // namespace
} // namespace shaddock::test
