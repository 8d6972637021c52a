#pragma once

#include "child_check.hpp"
#include "module/module.hpp"
#include "module_files.hpp"
#include "module_reload.hpp"

#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <optional>

namespace shaddock::node {

/// The steps of a reload in the process of a server.
/// Thread: the loop; opens modules on a thread of its own, because reading and linking a file takes
/// longer than a turn of the loop may. Lifetime: what it is given outlives it; join() must have
/// ended before the loop is destroyed.
class server_reload final : public reload_steps {
public:
    server_reload(boost::asio::any_io_executor executor, base::clock& clock,
                  base::process_starter& processes, module::loader& loader, server::server& server,
                  const setting& found, const std::string& type, const std::string& id);
    ~server_reload() override { join(); }

    void check(base::unique_function<void(result<void>)> done) override;
    void load(base::unique_function<void(result<plugins>)> done) override;
    void look_ahead(const plugins& next,
                    base::unique_function<void(std::vector<std::string>)> done) override;
    void swap(plugins next, base::unique_function<void(result<void>)> done) override;
    bool is_as_checked() const override { return stamps_of(files_) == stamps_; }
    control::running_build build_of(const plugins& next) const override;
    control::running_build now() const override;
    void cancel() override;
    /// Waits for the thread.
    void join();
    /// What the server was started with. Once, before the first swap.
    void begin_with(const plugins& first) { serving_ = first; }

private:
    boost::asio::any_io_executor executor_;
    module::loader& loader_;
    server::server& server_;
    const setting& found_;
    std::string type_;
    std::string id_;
    plugins serving_;
    server::reload_options how_;
    child_check check_;
    /// The files that were checked last.
    std::vector<module_file> files_;
    std::vector<file_stamp> stamps_;
    /// Made by the first reload.
    std::optional<boost::asio::thread_pool> thread_;
};

/// The type's modules, opened. Errors: config. Thread: any, one at a time with one loader; blocks
/// on the disk.
result<reload_steps::plugins> open_modules(module::loader& loader,
                                           const std::vector<module_file>& files,
                                           const std::string& type);

} // namespace shaddock::node
