#include "master_nats/nats_machines.hpp"

#include "base/alive.hpp"
#include "bus/run_folder.hpp"
#include "nats_side.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <future>
#include <thread>
#include <unistd.h>
#include <utility>
#include <variant>

namespace shaddock::master {
namespace {

constexpr std::chrono::seconds agree_limit{3};

class nats_machines final : public machines {
    /// Runs on the master's loop, unless this object is gone. What it holds must be safe to destroy
    /// on any thread.
    template <class Work>
    auto here(Work work) {
        auto kept = std::make_shared<decltype(alive_.guard(std::move(work)))>(
            alive_.guard(std::move(work)));
        return [executor = executor_, kept](auto news) {
            boost::asio::post(
                executor, [kept, news = std::move(news)]() mutable { (*kept)(std::move(news)); });
        };
    }

public:
    nats_machines(boost::asio::any_io_executor executor, const config::system& system,
                  std::string machine, const machine_place& place)
        : executor_(std::move(executor)), masters_{place.name, {}},
          far_(system, std::move(machine), place.name, news()) {}
    nats_machines(const nats_machines&) = delete;
    nats_machines& operator=(const nats_machines&) = delete;
    ~nats_machines() override {
        alive_.end();
        if (!is_started_) {
            return;
        }
        boost::asio::post(far_.loop(), [this] { far_.stop(); });
        work_.reset();
        if (thread_.joinable()) {
            thread_.join();
        } else { // it has not come to that
            far_.loop().run();
        }
    }

    result<void> start() override {
        is_started_ = true;
        if (auto started = far_.start(); !started) {
            return started;
        }
        thread_ = std::thread([this] { far_.loop().run(); });
        return {};
    }

    // ---- peers
    std::vector<std::string> masters() const override {
        std::vector<std::string> names;
        for (const auto& [name, machine] : masters_.others) {
            names.push_back(name);
        }
        return names;
    }
    void when_known(base::unique_function<void()> done) override {
        if (are_known_) {
            return done();
        }
        waiting_.push_back(std::move(done));
    }
    std::string name() const override { return masters_.own; }
    void ask(const std::string& machine, std::string request, base::duration patience,
             done_call done) override {
        const auto at = masters_.others.find(machine);
        if (at == masters_.others.end()) {
            return boost::asio::post(executor_, [machine, done = std::move(done)]() mutable {
                done(error(errc::no_server, "no master of a machine '" + machine + "' is known"));
            });
        }
        const auto number = ++last_ask_;
        asks_.emplace(number, std::move(done));
        boost::asio::post(far_.loop(), [this, number, to = at->second, request = std::move(request),
                                        patience] { far_.ask(number, to, request, patience); });
    }
    void serve(handler to) override { handler_ = std::move(to); }

    // ---- shared_list
    void observe(told_call told) override {
        told_ = std::move(told);
        if (now_) {
            told_(now_);
        }
    }
    result<cluster::view_ptr> agree(const list_change& wanted) override {
        auto asked = std::make_shared<std::promise<result<cluster::view_ptr>>>();
        auto answer = asked->get_future();
        boost::asio::post(
            far_.loop(), [this, asked, kept = std::make_shared<const list_change>(wanted)] {
                far_.agree(kept, agree_limit, [asked](result<cluster::view_ptr> said) {
                    asked->set_value(std::move(said));
                });
            });
        if (answer.wait_for(agree_limit) != std::future_status::ready) {
            return error(errc::timeout, "NATS has not said for 3 s whether the list of servers has "
                                        "changed; when it answers again `host list` shows it, and "
                                        "the same command may be given again");
        }
        return answer.get();
    }
    void tell_over(std::string_view id, incarnation life) override {
        boost::asio::post(far_.loop(),
                          [this, id = std::string(id), life] { far_.tell_over(id, life); });
    }

private:
    nats_news news();
    void on_request(std::string request, const std::string& reply) {
        if (!handler_) {
            return;
        }
        handler_(std::move(request), alive_.guard([this, reply](std::string text) {
            boost::asio::post(far_.loop(),
                              [this, reply, text = std::move(text)] { far_.answer(reply, text); });
        }));
    }

    boost::asio::any_io_executor executor_;
    handler handler_;
    told_call told_;
    cluster::view_ptr now_;
    named_masters masters_;
    bool are_known_ = false;
    std::vector<base::unique_function<void()>> waiting_;
    /// By number. They stay here: what belongs to this loop is never touched by the other thread.
    std::map<std::uint64_t, done_call> asks_;
    std::uint64_t last_ask_ = 0;
    base::alive alive_;
    nats_side far_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        far_.loop().get_executor()};
    bool is_started_ = false;
    std::thread thread_;
};

nats_news nats_machines::news() {
    nats_news out;
    out.on_list = here([this](cluster::view_ptr now) {
        now_ = std::move(now);
        if (told_) {
            told_(now_);
        }
    });
    out.on_masters = here([this](named_masters now) { masters_ = std::move(now); });
    out.on_known = [take = here([this](std::monostate) {
                        are_known_ = true;
                        for (auto& each : std::exchange(waiting_, {})) {
                            each();
                        }
                    })] { take(std::monostate()); };
    out.on_request = [take = here([this](std::pair<std::string, std::string> asked) {
                          on_request(std::move(asked.first), asked.second);
                      })](std::string request, std::string reply) mutable {
        take(std::pair(std::move(request), std::move(reply)));
    };
    out.on_answer = [take = here([this](std::pair<std::uint64_t, result<std::string>> said) {
                         if (auto asked = asks_.extract(said.first)) {
                             asked.mapped()(std::move(said.second));
                         }
                     })](std::uint64_t number, result<std::string> said) {
        take(std::pair(number, std::move(said)));
    };
    return out;
}

bool is_loopback(std::string_view host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.") || host == "0.0.0.0" ||
           host == "::";
}

} // namespace

machine_place place_of(const config::system& system) {
    machine_place place;
    for (const auto& record : system.servers) {
        if (record.is_here && std::ranges::find(place.hosts, record.host) == place.hosts.end()) {
            place.hosts.push_back(record.host);
        }
    }
    std::array<char, HOST_NAME_MAX + 1> hostname{};
    (void)gethostname(hostname.data(), hostname.size() - 1);
    const auto named = std::ranges::find_if_not(place.hosts, is_loopback);
    place.name = named != place.hosts.end() ? *named : hostname.data();
    if (std::ranges::find(place.hosts, hostname.data()) == place.hosts.end()) {
        place.hosts.emplace_back(hostname.data());
    }
    return place;
}

result<std::unique_ptr<machines>> make_nats_machines(boost::asio::any_io_executor executor,
                                                     const config::system& system,
                                                     const std::filesystem::path& run,
                                                     const machine_place& place) {
    auto machine = bus::machine_id(run);
    if (!machine) {
        return machine.error();
    }
    return std::unique_ptr<machines>(
        std::make_unique<nats_machines>(std::move(executor), system, std::move(*machine), place));
}

} // namespace shaddock::master
