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

using namespace shaddock;
using namespace shaddock::master;
using boost::asio::ip::tcp;
using fuzz::check;

namespace {

/// Does nothing, at once.
class idle_master final : public admin_target, public command_target {
public:
    std::vector<list_line> list(bool) override { return {}; }
    result<void> stop(const std::vector<std::string>& ids,
                      base::unique_function<void()> done) override {
        check(!ids.empty(), "stop names somebody");
        done();
        return {};
    }
    void stop_everything() override {}
    result<void>
    reload(reload_request wanted,
           base::unique_function<void(const std::vector<reload_line>&)> done) override {
        check(!wanted.targets.empty(), "reload names somebody");
        done({});
        return {};
    }
    result<void> restart(const std::vector<std::string>& targets, starts_call done) override {
        check(!targets.empty(), "restart names somebody");
        done({});
        return {};
    }
    result<void> kill(const std::vector<std::string>& ids,
                      base::unique_function<void()> done) override {
        check(!ids.empty(), "kill names somebody");
        done();
        return {};
    }
    void kill_everything() override {}
    result<void> add(const addition_keys&, starts_call done) override {
        done({});
        return {};
    }
    result<void> log(const std::vector<std::string>& targets, const log_change&,
                     log_levels_call done) override {
        check(!targets.empty(), "log names somebody");
        done({});
        return {};
    }
    result<std::filesystem::path> log_file(std::string_view) const override {
        return error(errc::not_found, "no log");
    }
};

/// A master's API, and who talks to it with a token that opens it.
class api {
public:
    api() : folder_((std::filesystem::temp_directory_path() / "fuzz_admin_XXXXXX").string()) {
        check(mkdtemp(folder_.data()) != nullptr, "a folder for the token");
        server_.emplace(loop_.get_executor(), clock_, nobody_, folder_);
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
        tcp::socket client(loop_);
        client.connect({boost::asio::ip::address_v4::loopback(), server_->port()});
        boost::system::error_code ignored;
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
