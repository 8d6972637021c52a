#include "check.hpp"

#include "base/log.hpp"
#include "command_routes.hpp"
#include "http.hpp"
#include "private_file.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

using namespace shaddock;
using namespace shaddock::master;
using boost::asio::ip::tcp;
using fuzz::check;

// No numbers here: what makes them needs half of the host.
namespace shaddock::master {
std::string prometheus_text(const std::vector<server_metrics>&) {
    return {};
}
std::string servers_json(const std::vector<server_metrics>&) {
    return {};
}
} // namespace shaddock::master

namespace {

/// Does nothing, at once.
class idle_master final : public commands {
public:
    void list(bool, done_call<control::server_rows> done) override { done({}); }
    void stop(const words_list& words, done_call<void> done) override { end(words, done); }
    void kill(const words_list& words, done_call<void> done) override { end(words, done); }
    void remove(const words_list& words, done_call<void> done) override { end(words, done); }
    void drain(const words_list& words, std::chrono::milliseconds within,
               done_call<void> done) override {
        check(within.count() > 0, "drain names a time");
        end(words, done);
    }
    void restart(const words_list& words, done_call<control::start_results> done) override {
        check(!words.empty(), "restart names somebody");
        done(control::start_results{});
    }
    void add(const control::addition_keys&, done_call<control::start_results> done) override {
        done(control::start_results{});
    }
    void reload(const control::reload_request& wanted,
                done_call<control::reload_results> done) override {
        check(!wanted.targets.empty(), "reload names somebody");
        done(control::reload_results{});
    }
    void log(const control::log_request& wanted, done_call<control::log_results> done) override {
        check(!wanted.targets.empty(), "log names somebody");
        done(control::log_results{});
    }
    void logs(const control::logs_request& wanted, done_call<control::log_tails> done) override {
        check(wanted.lines <= control::most_log_lines, "logs has a limit");
        done(control::log_tails{});
    }
    void metrics(done_call<std::vector<server_metrics>> done) override {
        done(std::vector<server_metrics>());
    }
    void stop_everything() override {}
    void kill_everything() override {}

private:
    static void end(const words_list& words, done_call<void>& done) {
        check(!words.empty(), "it names somebody");
        done({});
    }
};

/// A master's API, and who talks to it with a token that opens it.
class api {
public:
    api() : folder_((std::filesystem::temp_directory_path() / "fuzz_admin_XXXXXX").string()) {
        check(mkdtemp(folder_.data()) != nullptr, "a folder for the token");
        server_.emplace(loop_.get_executor(), clock_, folder_);
        add_command_routes(*server_, nobody_);
        check(server_->start("127.0.0.1", 0).has_value(), "listens");
        token_ = read_small_file(std::filesystem::path(folder_) / "token").value();
        token_.pop_back();
    }
    api(const api&) = delete;
    api& operator=(const api&) = delete;
    ~api() {
        server_->stop();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    /// All that comes back for these bytes, in which `@` stands for the token.
    std::string talk(std::string_view bytes) {
        std::string said;
        for (const char byte : bytes) {
            byte == '@' ? said.append("Bearer ").append(token_) : said.append(1, byte);
        }
        boost::system::error_code ignored;
        auto client = connected();
        boost::asio::write(client, boost::asio::buffer(said), ignored);
        client.shutdown(tcp::socket::shutdown_send, ignored);
        std::string answer;
        std::array<char, 4096> part{};
        bool is_over = false;
        std::function<void()> read = [&] {
            client.async_read_some(boost::asio::buffer(part),
                                   [&](boost::system::error_code ended, std::size_t count) {
                                       answer.append(part.data(), count);
                                       is_over = ended.failed();
                                       if (!is_over) {
                                           read();
                                       }
                                   });
        };
        read();
        while (!is_over && loop_.run_one_for(std::chrono::seconds(5)) != 0) {
        }
        check(is_over, "every connection ends when its client has said all");
        // No TIME_WAIT: there are not as many ports as inputs.
        client.set_option(boost::asio::socket_base::linger(true, 0), ignored);
        return answer;
    }

private:
    /// The fuzzer's own timer may interrupt the call.
    tcp::socket connected() {
        const tcp::endpoint place(boost::asio::ip::address_v4::loopback(), server_->port());
        boost::system::error_code failed;
        tcp::socket client(loop_);
        for (client.connect(place, failed); failed == boost::asio::error::interrupted;) {
            client.close();
            client.connect(place, failed);
        }
        check(!failed, "the server can be reached");
        return client;
    }

    std::string folder_;
    std::string token_;
    boost::asio::io_context loop_{1};
    base::steady_clock clock_{loop_.get_executor()};
    idle_master nobody_;
    std::optional<admin_server> server_;
};

} // namespace

/// What a client says to the admin API, token included.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    static api one;
    const auto answer = one.talk({reinterpret_cast<const char*>(data), size});
    check(answer.empty() || answer.starts_with("HTTP/1."), "an answer is HTTP");
    check(answer.find("HTTP/1.1 500") == std::string::npos, "nothing that is asked is our fault");
    return 0;
}
