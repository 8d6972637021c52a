#pragma once

#include "cluster_nats/registry.hpp"
#include "nats_server.hpp"
#include "registry_world.hpp"

namespace shaddock::contract {

/// Each server on a machine of its own, with a connection of its own to a real nats-server; links
/// in memory.
class nats_world final : public world {
public:
    static const char* name() { return "nats"; }
    ~nats_world() override { stop_all(); }
    std::unique_ptr<member> make(std::string id, std::uint64_t life) override {
        return std::make_unique<nats_member>(*this, std::move(id), life);
    }
    void begin_with(std::vector<door::server_info> servers) override {
        first_.servers = std::move(servers);
    }
    void kill(const std::string& id) override { network_.kill(id); }

private:
    class nats_member final : public member {
    public:
        nats_member(nats_world& in, std::string id, std::uint64_t life)
            : in_(in), to_(in.io.get_executor(), in.clock, options_of(in)),
              links_(bus::make_local(in.io.get_executor(), in.clock, in.network_, std::move(id),
                                     static_cast<incarnation>(life))) {
            cluster::nats_keeper_options wanted;
            wanted.bucket.bucket = "contract";
            wanted.machine = fmt::format("machine-{}", ++in.machines_);
            wanted.times.beat = std::chrono::milliseconds(100);
            list_ = cluster::make_nats_registry(in.io.get_executor(), *links_, in.first_,
                                                cluster::make_nats_keeper(in.io.get_executor(),
                                                                          in.clock, to_, in.first_,
                                                                          std::move(wanted)))
                        .value();
        }
        ~nats_member() override {
            if (!is_stopped_) {
                nats_member::stop([] {});
                in_.runs_until([this] { return is_stopped_; });
            }
        }
        cluster::registry& list() override { return *list_; }
        result<void> start(const door::server_info& self) override {
            if (auto connected = to_.start(); !connected) {
                return connected;
            }
            std::optional<result<void>> claimed;
            list_->keeper().claim(self, [&](result<void> ended) { claimed = std::move(ended); });
            if (!in_.runs_until([&] { return claimed.has_value(); })) {
                return error(errc::timeout, "the id was not claimed");
            }
            if (!*claimed) {
                return *claimed;
            }
            if (auto opened = links_->start(receiver_); !opened) {
                return opened;
            }
            return list_->start(self, hears);
        }
        void stop(base::unique_function<void()> done) override {
            done_ = std::move(done);
            list_->stop([this] {
                links_->stop([this] {
                    to_.stop([this] {
                        is_stopped_ = true;
                        done_();
                    });
                });
            });
        }

    private:
        static nats::options options_of(const nats_world& in) {
            nats::options wanted;
            wanted.servers = {in.server_.url()};
            wanted.name = "contract";
            return wanted;
        }
        nats_world& in_;
        quiet_receiver receiver_;
        nats::connection to_;
        std::unique_ptr<bus::bus> links_;
        std::unique_ptr<cluster::nats_registry> list_;
        base::unique_function<void()> done_;
        bool is_stopped_ = false;
    };

    test::nats_server server_;
    bus::local_network network_;
    cluster::view first_;
    int machines_ = 0;
};

} // namespace shaddock::contract
