#include <protocol/upgrade.hpp>

#include <gtest/gtest.h>

namespace shaddock::protocol {
namespace {

/// The client's request of RFC 6455, section 1.2, with one line replaced or left out.
std::string request(std::string_view replaced = "", std::string_view by = "") {
    std::string head = "GET /chat HTTP/1.1\r\n"
                       "Host: server.example.com\r\n"
                       "Upgrade: websocket\r\n"
                       "Connection: Upgrade\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       "Origin: http://example.com\r\n"
                       "Sec-WebSocket-Protocol: chat, superchat\r\n"
                       "Sec-WebSocket-Version: 13\r\n"
                       "\r\n";
    if (!replaced.empty()) {
        const std::size_t at = head.find(replaced);
        const std::size_t end = head.find("\r\n", at) + 2;
        head.replace(at, end - at, by);
    }
    return head;
}

int status_of(std::string_view in) {
    return answer_upgrade_request(in).http_status;
}

TEST(upgrade_request, is_answered_as_in_the_rfc) {
    const std::string in = request() + "\x82more";
    const auto outcome = answer_upgrade_request(in);
    ASSERT_EQ(outcome.status, upgrade_status::accepted);
    EXPECT_EQ(outcome.answer, "HTTP/1.1 101 Switching Protocols\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                              "\r\n");
    EXPECT_EQ(outcome.http_status, 101);
    EXPECT_EQ(outcome.target, "/chat");
    EXPECT_EQ(std::string_view(in).substr(outcome.used), "\x82more");
}

TEST(upgrade_request, waits_for_the_whole_head) {
    const std::string in = request();
    for (std::size_t size = 0; size < in.size(); ++size) {
        const auto outcome = answer_upgrade_request(std::string_view(in).substr(0, size));
        ASSERT_EQ(outcome.status, upgrade_status::need_more) << size;
        ASSERT_TRUE(outcome.answer.empty());
    }
    EXPECT_EQ(answer_upgrade_request(in).used, in.size());
}

TEST(upgrade_request, takes_any_case_path_origin_and_token_list) {
    EXPECT_EQ(status_of(request("Upgrade:", "uPGRADE:\tWebSocket  \r\n")), 101);
    EXPECT_EQ(status_of(request("Connection:", "connection: keep-alive , UPGRADE\r\n")), 101);
    EXPECT_EQ(status_of(request("Connection:", "Connection: a\r\nConnection: upgrade\r\n")), 101);
    EXPECT_EQ(status_of(request("Upgrade:", "Upgrade: foo, websocket\r\n")), 101);
    EXPECT_EQ(status_of(request("GET", "GET / HTTP/1.1\r\n")), 101);
    EXPECT_EQ(status_of(request("GET", "GET http://h/%20?a=b HTTP/1.1\r\n")), 101);
    EXPECT_EQ(status_of(request("Origin:", "")), 101);
    EXPECT_EQ(status_of(request("Origin:", "Content-Length: 0\r\nX: \xe4\xbd\xa0\r\nY:\r\n")), 101);
    EXPECT_EQ(status_of(request("Origin:", "Sec-WebSocket-Extensions: permessage-deflate\r\n")),
              101);
}

TEST(upgrade_request, refuses_other_methods_with_405) {
    for (const auto* line : {"POST / HTTP/1.1\r\n", "PUT / HTTP/1.1\r\n", "HEAD / HTTP/1.1\r\n",
                             "get / HTTP/1.1\r\n"}) {
        const std::string in = request("GET", line);
        const auto outcome = answer_upgrade_request(in);
        EXPECT_EQ(outcome.status, upgrade_status::refused);
        EXPECT_EQ(outcome.http_status, 405);
        EXPECT_EQ(outcome.answer, "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n"
                                  "X-Content-Type-Options: nosniff\r\n"
                                  "Connection: close\r\nContent-Length: 0\r\n\r\n");
    }
}

TEST(upgrade_request, asks_plain_http_to_upgrade_with_426) {
    for (const auto& in :
         {request("Upgrade:"), request("Connection:"), request("Upgrade:", "Upgrade: h2c\r\n"),
          request("Connection:", "Connection: keep-alive\r\n"),
          request("Connection:", "Connection: not-upgrade\r\n"),
          request("GET", "GET / HTTP/1.0\r\n"), request("Sec-WebSocket-Version"),
          request("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8\r\n"),
          request("Sec-WebSocket-Version",
                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n"),
          std::string("GET / HTTP/1.0\r\n\r\n")}) {
        const auto outcome = answer_upgrade_request(in);
        EXPECT_EQ(outcome.status, upgrade_status::refused);
        EXPECT_EQ(outcome.http_status, 426) << in;
        EXPECT_NE(outcome.answer.find("\r\nSec-WebSocket-Version: 13\r\n"), std::string::npos);
        EXPECT_NE(outcome.answer.find("\r\nUpgrade: websocket\r\n"), std::string::npos);
        EXPECT_TRUE(outcome.answer.ends_with("Content-Length: 0\r\n\r\n"));
    }
}

TEST(upgrade_request, refuses_malformed_heads_with_400) {
    for (const auto& in : {
             request("GET", "GET /\r\n"),
             request("GET", "GET  / HTTP/1.1\r\n"),
             request("GET", "GET / HTTP/1.1 \r\n"),
             request("GET", "GET / HTTP/2.0\r\n"),
             request("GET", "GET /\x01 HTTP/1.1\r\n"),
             request("GET", "G@T / HTTP/1.1\r\n"),
             request("GET", "\r\nGET / HTTP/1.1\r\n"),
             request("Host:"),
             request("Host:", "Host: a\r\nHost: b\r\n"),
             request("Origin:", "no colon\r\n"),
             request("Origin:", ": no name\r\n"),
             request("Origin:", "Space : x\r\n"),
             request("Origin:", "X: a\r\n folded\r\n"),
             request("Origin:", "X: a\nY: b\r\n"),
             request("Origin:", std::string("X: a\0b\r\n", 8)),
             request("Origin:", "Content-Length: 5\r\n"),
             request("Origin:", "Transfer-Encoding: chunked\r\n"),
             request("Sec-WebSocket-Key"),
             request("Sec-WebSocket-Key", "Sec-WebSocket-Key: short==\r\n"),
             request("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n"),
             request("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub2*jZQ==\r\n"),
             request("Origin:", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
         }) {
        const auto outcome = answer_upgrade_request(in);
        EXPECT_EQ(outcome.status, upgrade_status::refused) << in;
        EXPECT_EQ(outcome.answer, "HTTP/1.1 400 Bad Request\r\nX-Content-Type-Options: nosniff\r\n"
                                  "Connection: close\r\nContent-Length: 0\r\n\r\n")
            << in;
    }
}

TEST(upgrade_request, bounds_the_head_with_431) {
    const std::size_t rest = request("Origin:", "X: \r\n").size();
    const auto of_size = [&](std::size_t size) {
        return request("Origin:", "X: " + std::string(size - rest, 'x') + "\r\n");
    };
    ASSERT_EQ(of_size(8192).size(), 8192U);
    EXPECT_EQ(status_of(of_size(8192) + "frames"), 101);
    EXPECT_EQ(status_of(of_size(8193)), 431);
    EXPECT_EQ(status_of(of_size(9000).substr(0, 8191)), 0); // may still end in time
    EXPECT_EQ(status_of(of_size(9000).substr(0, 8192)), 431);
    EXPECT_TRUE(answer_upgrade_request(std::string(9000, 'x'))
                    .answer.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
}

constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";

TEST(upgrade_client, speaks_with_our_own_server_half) {
    const std::string own_key = make_websocket_key(1, 2);
    EXPECT_EQ(own_key, "AQAAAAAAAAACAAAAAAAAAA==");
    const std::string in = make_upgrade_request("127.0.0.1:3014", "/", own_key);
    const auto server = answer_upgrade_request(in);
    ASSERT_EQ(server.status, upgrade_status::accepted);
    EXPECT_EQ(server.used, in.size());
    const std::string reply = server.answer + "frame";
    const auto client = check_upgrade_response(reply, own_key);
    EXPECT_EQ(client.status, upgrade_status::accepted);
    EXPECT_EQ(client.http_status, 101);
    EXPECT_EQ(client.used, server.answer.size());
    for (std::size_t size = 0; size < server.answer.size(); ++size) {
        EXPECT_EQ(check_upgrade_response(server.answer.substr(0, size), own_key).status,
                  upgrade_status::need_more);
    }
}

std::string response(std::string_view status, std::string_view fields) {
    return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) + "\r\n";
}

TEST(upgrade_client, refuses_a_response_that_is_no_upgrade) {
    const std::string upgrade = "Upgrade: WebSocket\r\n";
    const std::string connection = "Connection: upgrade\r\n";
    const std::string accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    const auto status = [](const std::string& in) {
        return check_upgrade_response(in, key).status;
    };
    EXPECT_EQ(status(response("101 ok", upgrade + connection + accept)), upgrade_status::accepted);
    for (const auto& in :
         {response("101 ok", connection + accept), response("101 ok", upgrade + accept),
          response("101 ok", upgrade + connection),
          response("101 ok", upgrade + connection + accept + accept),
          response("101 ok", upgrade + connection + "Sec-WebSocket-Accept: wrong=\r\n"),
          response("101 ok", upgrade + connection + accept + "Sec-WebSocket-Extensions: x\r\n"),
          response("101 ok", upgrade + connection + accept + "Sec-WebSocket-Protocol: x\r\n"),
          response("200 ok", upgrade + connection + accept),
          response("10x ok", upgrade + connection + accept),
          response("101 ok", upgrade + connection + accept + "no colon\r\n"),
          std::string("HTTP/2 101 ok\r\n\r\n"), std::string("nonsense\r\n\r\n"),
          std::string(9000, 'x')}) {
        EXPECT_EQ(status(in), upgrade_status::refused) << in;
    }
    EXPECT_EQ(check_upgrade_response(response("426 x", ""), key).http_status, 426);
}

} // namespace
} // namespace shaddock::protocol
