#pragma once

#include "base/file_watch.hpp"
#include "node/setting.hpp"
#include "protocol/dictionary.hpp"
#include "protocol/protos.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What clients and frontends must agree on beyond the handshake itself: proto files and the route
/// dictionary, from the config folder and the modules.
/// Source: Pomelo lib/components/protobuf.js, dictionary.js.
namespace shaddock::node {

/// serverProtos.json and clientProtos.json of the folder by the env rule; an absent file has no
/// routes. Errors: config, `<file>:<line>: <key>: found <x>, expected <y>`.
/// Thread: any; blocks on the disk.
result<std::shared_ptr<const protocol::protos>> read_protos(const std::filesystem::path& folder,
                                                            std::string_view env);

/// One of the two files, and all that is to be said of it.
struct proto_file {
    /// Nothing: there is no such file, or it has a problem.
    std::optional<protocol::proto_set> set;
    config::config_text text;
    /// At most one problem; keys that count for nothing are warnings.
    std::vector<config::finding> findings;
};
/// `name`: serverProtos.json or clientProtos.json.
proto_file look_at_protos(const std::filesystem::path& folder, std::string_view env,
                          std::string_view name);

/// Where a route stands in the file; reads the text again, so it is for what is told to people.
config::place place_of_route(const proto_file& file, std::string_view route);

/// Both places of both files, for a file_watch.
std::vector<std::filesystem::path> proto_files(const std::filesystem::path& folder,
                                               std::string_view env);

/// The dictionary of a system: every handler of every type of servers.json, then dictionary.json.
/// The modules are mapped for good, as all are, but nothing in them is made; their copies in the
/// run folder, named after the server `id`, are gone when this returns. Errors: config, naming the
/// type whose module is missing or does not fit.
/// Thread: any; blocks on the disk.
result<std::shared_ptr<const protocol::route_dictionary>> make_dictionary(const setting& found,
                                                                          const std::string& id);

/// Reads the proto files again when they change. What does not parse is logged, and the files
/// before it stay in use.
/// Thread: the loop. Reads on it, because it happens by hand and the files are small.
class proto_reload {
public:
    proto_reload(const boost::asio::any_io_executor& executor, base::clock& clock,
                 std::filesystem::path folder, std::string env,
                 base::unique_function<void(std::shared_ptr<const protocol::protos>)> use);
    /// `version` of the protos in use: what has changed since they were read is used at once. A
    /// system without watches to give is a warning in the log.
    void start(std::string_view version);
    void stop();
    void read_again() { take(read_protos(folder_, env_)); }

private:
    void take(result<std::shared_ptr<const protocol::protos>> now);

    std::filesystem::path folder_;
    std::string env_;
    base::unique_function<void(std::shared_ptr<const protocol::protos>)> use_;
    base::file_watch watch_;
};

} // namespace shaddock::node
