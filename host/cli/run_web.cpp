#include "base/clock.hpp"
#include "base/log.hpp"
#include "bus/run_folder.hpp"
#include "cli/run.hpp"
#include "cluster/master_link.hpp"
#include "log_question.hpp"
#include "master/child_status.hpp"
#include "master/page_server.hpp"
#include "process_life.hpp"

namespace shaddock::cli {
namespace {

constexpr const char* page_id = "web";

/// The page's server; it reports to the master as a server does.
class running_page final : cluster::master_listener {
public:
    running_page(const setting& found, const std::filesystem::path& folder)
        : clock_(loop_.get_executor()), page_(loop_.get_executor(), clock_, folder),
          master_(
              loop_.get_executor(), clock_, {found.run},
              [life = new_incarnation(clock_)] { return master::registration_json(page_id, life); },
              [this] { return master::to_json(status()); }, *this),
          signals_(loop_, clock_, found.system.host.limits.stop_timeout,
                   [this](int number) { stop(fmt::format("signal {}", number)); }) {}

    int run(const std::string& host, std::uint16_t port) {
        answer_log(questions_);
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
    master::child_status status() const {
        master::child_status now;
        now.is_ready = is_serving_ && !is_stopping_;
        now.is_draining = is_stopping_;
        now.connections = page_.connections();
        return now;
    }

    void stop(std::string_view why) {
        if (std::exchange(is_stopping_, true)) {
            return;
        }
        base::log::info("web", "stopping: {}", why);
        page_.stop();
        master_.stop([this] {
            signals_.cancel();
            loop_.stop();
        });
    }

    void on_dead(const bus::peer&) override {}
    void on_command(std::string_view name, std::string_view args) override {
        if (name == "ask") {
            questions_.serve(args);
        }
    }

    boost::asio::io_context loop_{1};
    base::steady_clock clock_;
    master::page_server page_;
    cluster::master_link master_;
    questions questions_{[this](std::string_view answer) { master_.send("answer", answer); }};
    stop_signals signals_;
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
    const auto lock = bus::run_lock::take(found->run, page_id);
    if (!lock) {
        return complain(lock.error().text());
    }
    start_log(page_id, found->system.host.log, wanted.is_child);
    const int status =
        running_page(*found, *page).run(options.host, wanted.port.value_or(options.port));
    base::log::stop();
    return status;
}

} // namespace shaddock::cli
