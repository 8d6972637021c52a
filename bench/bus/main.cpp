// What a call between two servers costs, by Unix socket and over NATS, side by side.
// The other server is this program again, in a process of its own.
#include "base/clock.hpp"
#include "base/random.hpp"
#include "bus/direct.hpp"
#include "bus_nats/transport.hpp"
#include "cpu.hpp"
#include "nats/connection.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace shaddock;
using namespace std::chrono_literals;
using real_clock = std::chrono::steady_clock;

struct settings {
    std::string over = "both";
    std::string url;
    int server_pid = 0;
    std::size_t bytes = 150;
    double seconds = 2;
    bool is_other = false;
    std::filesystem::path folder;
};

class process {
public:
    explicit process(std::vector<std::string> words, bool is_quiet = false) {
        std::vector<char*> arguments;
        arguments.reserve(words.size() + 1);
        for (auto& each : words) {
            arguments.push_back(each.data());
        }
        arguments.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (is_quiet) {
                ::close(STDERR_FILENO);
            }
            ::execvp(arguments[0], arguments.data());
            ::_exit(127);
        }
    }
    process(const process&) = delete;
    process& operator=(const process&) = delete;
    ~process() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    pid_t pid() const { return pid_; }

private:
    pid_t pid_ = 0;
};

/// A port that was free a moment ago.
int free_port() {
    const int asked = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(at);
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    const bool is_bound =
        ::bind(asked, address, size) == 0 && ::getsockname(asked, address, &size) == 0;
    ::close(asked);
    if (!is_bound) {
        throw error(errc::internal, "no port is free");
    }
    return ::ntohs(at.sin_port);
}

class echo final : public bus::receiver, public bus::link_observer {
public:
    void on_call(const bus::peer&, bus::envelope_view call, bus::responder answer) override {
        answer.reply(std::string(call.bytes));
    }
    void on_cast(const bus::peer&, bus::envelope_view) override {}
    void on_link_up(const bus::peer&) override {}
    void on_link_down(const bus::peer&, bus::link_end) override {}
    void on_dead(const bus::peer&) override {}
};

/// One server: its loop, its connection if it has one, its bus.
class server {
public:
    server(const settings& with, const std::string& id) {
        if (with.over == "nats") {
            nats::options wanted;
            wanted.servers = {with.url};
            wanted.name = id;
            over_.emplace(io.get_executor(), clock, wanted);
            if (auto started = over_->start(); !started) {
                throw started.error();
            }
        }
        bus::direct_options options;
        options.run_folder = with.folder;
        options.id = id;
        options.life = incarnation{1};
        std::unique_ptr<bus::transport> way;
        if (over_) {
            bus::nats_transport_options far;
            far.cluster = with.folder.filename();
            far.id = id;
            way = bus::make_nats_transport(io.get_executor(), clock, *over_, far);
        }
        links = bus::make_direct(io.get_executor(), clock, random_, options, std::move(way));
        if (auto started = links->start(serves_); !started) {
            throw started.error();
        }
        links->set_peers({"a", "b"});
    }
    ~server() {
        bool is_stopped = false;
        links->stop([&] {
            if (over_) {
                over_->stop([&] { is_stopped = true; });
            } else {
                is_stopped = true;
            }
        });
        while (!is_stopped) {
            io.run_one();
        }
    }

    boost::asio::io_context io{1};
    base::steady_clock clock{io.get_executor()};

private:
    base::random random_{1};
    echo serves_;
    std::optional<nats::connection> over_;

public:
    std::unique_ptr<bus::bus> links;
};

struct figures {
    double calls_per_s = 0;
    double p50_us = 0;
    double p99_us = 0;
    double cpu_us = 0;
    double server_us = 0;
};

class caller {
public:
    caller(server& from, std::size_t bytes) : from_(from), bytes_(bytes, 'x') {}

    figures measure(std::size_t in_flight, double seconds, pid_t other, pid_t nats_server) {
        const bench::cpu_meter pair({::getpid(), other}, {});
        const bench::cpu_meter broker(
            nats_server > 0 ? std::vector<int>{nats_server} : std::vector<int>{}, {});
        run(in_flight, seconds / 4);
        took_us_.clear();
        const auto begin = real_clock::now();
        const auto cpu = pair.read().servers_s;
        const auto server_cpu = broker.read().servers_s;
        run(in_flight, seconds);
        const auto calls = double(took_us_.size());
        figures found;
        found.cpu_us = (pair.read().servers_s - cpu) * 1e6 / calls;
        found.server_us = (broker.read().servers_s - server_cpu) * 1e6 / calls;
        found.calls_per_s =
            calls / std::chrono::duration<double>(real_clock::now() - begin).count();
        std::sort(took_us_.begin(), took_us_.end());
        found.p50_us = took_us_[took_us_.size() / 2];
        found.p99_us = took_us_[took_us_.size() * 99 / 100];
        return found;
    }

private:
    void run(std::size_t in_flight, double seconds) {
        until_ = real_clock::now() + std::chrono::duration_cast<real_clock::duration>(
                                         std::chrono::duration<double>(seconds));
        flying_ = 0;
        for (std::size_t i = 0; i < in_flight; ++i) {
            call();
        }
        while (flying_ > 0) {
            from_.io.run_one();
        }
    }
    void call() {
        ++flying_;
        const auto begin = real_clock::now();
        from_.links->call(
            "b", {1, bytes_}, begin + 10s, [this, begin](const result<std::string>& got) {
                --flying_;
                if (!got) {
                    throw got.error();
                }
                const auto end = real_clock::now();
                took_us_.push_back(std::chrono::duration<double, std::micro>(end - begin).count());
                if (end < until_) {
                    call();
                }
            });
    }

    server& from_;
    std::string bytes_;
    real_clock::time_point until_;
    std::size_t flying_ = 0;
    std::vector<double> took_us_;
};

void measure(const settings& with, const char* program) {
    process other({program, "--other", "--over", with.over, "--nats", with.url, "--folder",
                   with.folder.string()},
                  true);
    server self(with, "a");
    const auto patience = real_clock::now() + 10s;
    while (!self.links->is_linked("b")) {
        self.io.run_one_for(10ms);
        if (real_clock::now() > patience) {
            throw error(errc::timeout, "the two servers do not link over " + with.over);
        }
    }
    caller calls(self, with.bytes);
    for (const std::size_t in_flight : {std::size_t{1}, std::size_t{64}}) {
        const auto found = calls.measure(in_flight, with.seconds, other.pid(),
                                         with.over == "nats" ? with.server_pid : 0);
        std::printf("%s",
                    fmt::format("{:<8} {:>9} {:>10.0f} {:>9.1f} {:>9.1f} {:>14.2f} {:>17.2f}\n",
                                with.over, in_flight, found.calls_per_s, found.p50_us, found.p99_us,
                                found.cpu_us, found.server_us)
                        .c_str());
        std::fflush(stdout);
    }
}

int run(settings with, const char* program) {
    if (with.is_other) {
        server self(with, "b");
        self.io.run();
        return 0;
    }
    auto pattern = (std::filesystem::temp_directory_path() / "bus-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw error(errc::internal, "cannot make a folder like " + pattern);
    }
    with.folder = pattern;
    std::optional<process> nats_server;
    if (with.over != "socket" && with.url.empty()) {
        const auto port = free_port();
        with.url = fmt::format("nats://127.0.0.1:{}", port);
        nats_server.emplace(
            std::vector<std::string>{"nats-server", "-a", "127.0.0.1", "-p", std::to_string(port)},
            true);
        with.server_pid = nats_server->pid();
    }
    std::printf(
        "%s\n%s\ncalls of %zu bytes and their answers between two processes; CPU of both, "
        "without the NATS server's\n\n"
        "over     in flight    calls/s    p50 us    p99 us    CPU us/call  NATS server's us\n",
        bench::machine().c_str(), std::string(bench::build_flags()).c_str(), with.bytes);
    const auto over = with.over;
    for (const std::string each : {"socket", "nats"}) {
        if (over == "both" || over == each) {
            with.over = each;
            measure(with, program);
        }
    }
    std::filesystem::remove_all(with.folder);
    return 0;
}

} // namespace

int main(int count, char** words) {
    settings with;
    CLI::App app{"What a call between two servers costs, by Unix socket and over NATS"};
    app.add_option("--over", with.over, "socket, nats or both")
        ->check(CLI::IsMember({"socket", "nats", "both"}))
        ->capture_default_str();
    app.add_option("--nats", with.url, "nats://HOST:PORT; without it one is started here");
    app.add_option("--nats-pid", with.server_pid, "that server's process, for its CPU");
    app.add_option("--bytes", with.bytes, "of a call and of its answer")->capture_default_str();
    app.add_option("--seconds", with.seconds, "for each line")->capture_default_str();
    app.add_flag("--other", with.is_other)->group("");
    app.add_option("--folder", with.folder)->group("");
    CLI11_PARSE(app, count, words);
    try {
        return run(std::move(with), words[0]);
    } catch (const error& failed) {
        std::fprintf(stderr, "%s\n", failed.text().c_str());
        return 1;
    }
}
