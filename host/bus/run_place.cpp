#include "bus/run_place.hpp"

#include <unistd.h>

namespace shaddock::bus {

result<void> run_place::open() {
    if (auto folder = prepare_run_folder(run_folder_); !folder) {
        return folder.error();
    }
    lock_ = {}; // else it would keep us out ourselves, where only the socket is gone
    auto lock = run_lock::take(run_folder_, id_);
    if (!lock) {
        return lock.error();
    }
    auto acceptor = listen_at(executor_, socket_path(run_folder_, id_));
    if (!acceptor) {
        return acceptor.error();
    }
    lock_ = std::move(*lock);
    acceptor_.emplace(std::move(*acceptor));
    return {};
}

bool run_place::is_reachable() const {
    return ::access(socket_path(run_folder_, id_).c_str(), F_OK) == 0;
}

void run_place::close() {
    if (acceptor_) {
        boost::system::error_code ignored;
        acceptor_->close(ignored);
        ::unlink(socket_path(run_folder_, id_).c_str());
    }
}

} // namespace shaddock::bus
