#include "nats_world.hpp"

#include "bus_nats/transport.hpp"
#include "nats_server.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <sys/prctl.h>
#include <unistd.h>

namespace shaddock::contract {

namespace {

/// Quicker than outside, so that a death is seen within a test's second.
constexpr std::chrono::milliseconds heartbeat{100};
constexpr std::chrono::milliseconds host_lost{500};

/// One for all tests of the program: each world has a cluster name of its own.
test::nats_server& the_server() {
    static test::nats_server server({.has_jetstream = false});
    return server;
}

} // namespace

nats::options options_for(const nats_place& place, const std::string& id) {
    nats::options wanted;
    wanted.servers = {place.url};
    wanted.name = id;
    wanted.inbox_prefix = "shaddock." + place.cluster + ".inbox";
    return wanted;
}

std::unique_ptr<bus::bus> make_nats_bus(boost::asio::any_io_executor executor, base::clock& clock,
                                        base::random& random, nats::connection& over,
                                        const nats_place& place, bus::direct_options options,
                                        std::function<bool(std::string_view)> is_local) {
    options.run_folder = place.folder;
    options.heartbeat = std::min(options.heartbeat, heartbeat);
    bus::nats_transport_options far;
    far.cluster = place.cluster;
    far.id = options.id;
    far.heartbeat = options.heartbeat;
    far.host_lost = host_lost;
    auto way = bus::make_pair_transport(
        executor, bus::make_unix_transport(executor, options.run_folder, options.id),
        bus::make_nats_transport(executor, clock, over, std::move(far)), std::move(is_local));
    return bus::make_direct(executor, clock, random, std::move(options), std::move(way));
}

nats_world::nats_world() : nats_world(the_server().url()) {}

nats_world::nats_world(std::string url) {
    auto pattern = (std::filesystem::temp_directory_path() / "bus-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("cannot make a folder like " + pattern);
    }
    place.folder = pattern;
    place.cluster = place.folder.filename();
    place.url = std::move(url);
}

nats_world::~nats_world() {
    stop_all();
    std::size_t stopped = 0;
    for (const auto& each : connections_) {
        each->stop([&] { ++stopped; });
    }
    EXPECT_TRUE(runs_until([&] { return stopped == connections_.size(); }));
    std::error_code ignored;
    std::filesystem::remove_all(place.folder, ignored);
}

std::unique_ptr<bus::bus> nats_world::make(std::string id, incarnation life, limits with) {
    connections_.push_back(
        std::make_unique<nats::connection>(io.get_executor(), clock, options_for(place, id)));
    auto& over = *connections_.back();
    EXPECT_TRUE(over.start());
    EXPECT_TRUE(runs_until([&] { return over.is_up(); })) << over.trouble();
    bus::direct_options options;
    options.id = std::move(id);
    options.life = life;
    options.queue_limit = with.queue_limit;
    options.frame_limit = with.frame_limit;
    options.heartbeat = with.heartbeat;
    options.silence = with.silence;
    options.declares_dead = with.declares_dead;
    options.versions = with.versions;
    return make_nats_bus(io.get_executor(), clock, random, over, place, std::move(options),
                         [this](std::string_view other) { return local.contains(other); });
}

std::unique_ptr<victim> nats_world::add_victim(std::string id, std::uint64_t life,
                                               std::vector<std::string> peers) {
    std::vector<std::string> words{SHADDOCK_NATS_VICTIM, place.url,     place.cluster,
                                   place.folder,         std::move(id), std::to_string(life)};
    words.insert(words.end(), peers.begin(), peers.end());
    std::vector<char*> arguments;
    for (auto& each : words) {
        arguments.push_back(each.data());
    }
    arguments.push_back(nullptr);
    const auto pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::close_range(3, ~0U, 0);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    EXPECT_GT(pid, 0);
    return make_victim_of(pid);
}

} // namespace shaddock::contract
