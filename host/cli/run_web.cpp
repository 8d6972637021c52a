#include "base/clock.hpp"
#include "base/log.hpp"
#include "bus/run_folder.hpp"
#include "cli/run.hpp"
#include "cluster/master_link.hpp"
#include "control/codec.hpp"
#include "control/status.hpp"
#include "control/words.hpp"
#include "master/page_server.hpp"
#include "node/log_question.hpp"
#include "node/process_life.hpp"

#include <unistd.h>

namespace shaddock::cli {
namespace {

constexpr const char* page_id = "web";

/// The page's server; it reports to the master as a server does.
class running_page final : cluster::master_listener {
public:
    running_page(const setting& found, const std::filesystem::path& folder, bus::run_lock lock)
        : run_(found.run), lock_(std::move(lock)), clock_(loop_.get_executor()),
          page_(loop_.get_executor(), clock_, folder),
          master_(
              loop_.get_executor(), clock_, {found.run},
              [life = incarnation{clock_.wall_ns()}] {
                  return control::to_json(control::registration{page_id, life});
              },
              [this] { return control::to_json(status()); }, *this),
          signals_(
              loop_, clock_, found.system.host.limits.stop_timeout,
              [this](int number) { stop(fmt::format("signal {}", number)); }, [] {}) {}

    int run(const std::string& host, std::uint16_t port) {
        node::answer_log(questions_);
        guard_lock();
        master_.start();
        if (auto opened = page_.start(host, port); !opened) {
            status_ = complain(opened.error().text());
            stop("the start has failed");
        } else {
            base::log::info("web", "http://{}:{}/", host, page_.port());
            is_serving_ = true;
            master_.report();
        }
        loop_.run();
        return status_;
    }

private:
    control::server_status status() const {
        control::server_status now;
        now.state = to_string(is_stopping_  ? control::server_state::draining
                              : is_serving_ ? control::server_state::ready
                                            : control::server_state::starting);
        now.connections = page_.connections();
        return now;
    }

    /// A master that starts while the lock is not in the run folder would start another page.
    void guard_lock() {
        if (::access(bus::lock_path(run_, page_id).c_str(), F_OK) != 0 &&
            bus::prepare_run_folder(run_)) {
            if (auto taken = bus::run_lock::take(run_, page_id)) {
                lock_ = std::move(*taken);
            }
        }
        guard_ = clock_.after(std::chrono::seconds(1), [this] { guard_lock(); });
    }

    void stop(std::string_view why) {
        if (std::exchange(is_stopping_, true)) {
            return;
        }
        base::log::info("web", "stopping: {}", why);
        page_.stop();
        guard_.cancel();
        master_.stop([this] {
            signals_.cancel();
            loop_.stop();
        });
    }

    void on_message(std::string_view word, std::string_view body) override {
        if (word == control::word::ask) {
            questions_.serve(body);
        }
    }

    const std::filesystem::path& run_;
    bus::run_lock lock_;
    boost::asio::io_context loop_{1};
    base::steady_clock clock_;
    master::page_server page_;
    cluster::master_link master_;
    node::questions questions_{
        [this](std::string_view answer) { master_.send(control::word::answer, answer); }};
    node::stop_signals signals_;
    base::timer guard_;
    bool is_serving_ = false;
    bool is_stopping_ = false;
    int status_ = 0;
};

} // namespace

int run_command(const web_command& wanted) {
    const auto found = resolve(wanted.where);
    if (!found) {
        return complain(found.error().text());
    }
    const auto& options = found->system.host.web;
    auto folder = wanted.folder;
    if (!folder && !options.folder.empty()) {
        folder = options.folder;
    }
    const auto page = master::find_page_folder(folder, found->system.folder, found->exe);
    if (!page) {
        return complain(page.error().text());
    }
    if (auto prepared = bus::prepare_run_folder(found->run); !prepared) {
        return complain(prepared.error().text());
    }
    auto lock = bus::run_lock::take(found->run, page_id);
    if (!lock) {
        return complain(lock.error().text());
    }
    node::start_log(page_id, found->system.host.log, wanted.is_child);
    const int status = running_page(*found, *page, std::move(*lock))
                           .run(options.host, wanted.port.value_or(options.port));
    base::log::stop();
    return status;
}

} // namespace shaddock::cli
