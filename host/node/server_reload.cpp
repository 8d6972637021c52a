#include "server_reload.hpp"

#include "control/run_files.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <dlfcn.h>

namespace shaddock::node {
namespace {

std::chrono::milliseconds in_ms(base::duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

child_check::options check_of(const setting& found, const std::string& type,
                              const std::string& id) {
    const auto timeout = found.system.host.type(type).reload.timeout;
    child_check::options wanted;
    wanted.type = type;
    // No id has an '@'. The loader removes what begins so when the server starts again.
    wanted.scratch = found.run / (id + "@check");
    wanted.timeout = timeout;
    // Not the path of this program: the file there may be a later version.
    wanted.command = {"/proc/self/exe", "check",
                      "--type",         type,
                      "--id",           id,
                      "--env",          found.system.env,
                      "--config",       found.system.folder.string(),
                      "--scratch",      wanted.scratch.string(),
                      "--patience",     std::to_string(in_ms(timeout).count() / 2)};
    if (found.servers_file) {
        wanted.command.insert(wanted.command.end(), {"--servers", found.servers_file->string()});
    }
    return wanted;
}

/// The files that the plugins' code is mapped from.
std::vector<module_file> copies_of(const reload_steps::plugins& plugins) {
    std::vector<module_file> copies;
    for (const auto& one : plugins) {
        Dl_info from{};
        if (::dladdr(one.door, &from) != 0 && from.dli_fname != nullptr) {
            copies.push_back({one.file, from.dli_fname});
        }
    }
    return copies;
}

} // namespace

server_reload::server_reload(boost::asio::any_io_executor executor, base::clock& clock,
                             base::process_starter& processes, module::loader& loader,
                             server::server& server, const setting& found, const std::string& type,
                             const std::string& id)
    : executor_(std::move(executor)), loader_(loader), server_(server), found_(found), type_(type),
      id_(id), check_(clock, processes, check_of(found, type, id)) {
    const auto& wanted = found.system.host.type(type).reload;
    how_.drain = wanted.drain;
    how_.handover = wanted.handover;
    how_.setup = wanted.timeout;
}

void server_reload::check(base::unique_function<void(result<void>)> done) {
    auto files = find_modules(found_, type_);
    if (!files) {
        return boost::asio::post(
            executor_, [done = std::move(done), why = files.error()]() mutable { done(why); });
    }
    files_ = std::move(*files);
    stamps_ = stamps_of(files_);
    check_.run(files_, std::move(done));
}

void server_reload::load(base::unique_function<void(result<plugins>)> done) {
    if (!thread_) {
        thread_.emplace(1);
    }
    boost::asio::post(*thread_, [this, files = files_, stamps = stamps_, executor = executor_,
                                 done = std::move(done)]() mutable {
        auto opened = open_modules(loader_, files, type_);
        if (opened && stamps_of(files) != stamps) {
            opened = error(errc::config,
                           fmt::format("{}: found a file that changed while it was checked, wanted "
                                       "the one that was checked: reload again",
                                       files.front().path.string()));
        }
        boost::asio::post(executor, [done = std::move(done), opened = std::move(opened)]() mutable {
            done(std::move(opened));
        });
    });
}

void server_reload::look_ahead(const plugins& next,
                               base::unique_function<void(std::vector<std::string>)> done) {
    server_.look_ahead(next, std::move(done));
}

void server_reload::swap(plugins next, base::unique_function<void(result<void>)> done) {
    // Before the swap: the new ones may crash in it.
    keep_modules_before(control::modules_before(found_.run, id_), copies_of(serving_));
    auto then = next;
    server_.reload(std::move(next), how_,
                   [this, then = std::move(then),
                    done = std::move(done)](const result<void>& outcome) mutable {
                       if (outcome) {
                           serving_ = std::move(then);
                       }
                       done(outcome);
                   });
}

control::running_build server_reload::now() const {
    const auto now = server_.now();
    return {now.version, now.build_id, now.generation};
}

control::running_build server_reload::build_of(const plugins& next) const {
    control::running_build made;
    for (const auto& one : next) {
        const auto* const comma = made.version.empty() ? "" : ", ";
        made.version += comma + std::string(one.door->version);
        made.build_id += comma + one.build_id;
    }
    made.generation = server_.now().generation + 1;
    return made;
}

void server_reload::cancel() {
    check_.cancel();
}

void server_reload::join() {
    if (thread_) {
        thread_->join();
    }
}

result<reload_steps::plugins> open_modules(module::loader& loader,
                                           const std::vector<module_file>& files,
                                           const std::string& type) {
    reload_steps::plugins plugins;
    for (const auto& file : files) {
        const auto one = loader.load(file.path, type);
        if (!one) {
            return one.error();
        }
        plugins.push_back({&one->door(), file.name, one->build_id()});
    }
    return plugins;
}

} // namespace shaddock::node
