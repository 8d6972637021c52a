#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/resource.h>

#include <stdexcept>

namespace shaddock::test {

/// As long as it lives, this process gets no further file descriptors.
class no_descriptors {
public:
    /// `loop` gets those first that it makes for itself.
    explicit no_descriptors(boost::asio::io_context& loop) {
        const boost::asio::posix::stream_descriptor first(loop);
        if (::getrlimit(RLIMIT_NOFILE, &before_) != 0) {
            throw std::runtime_error("getrlimit");
        }
        set(0);
    }
    no_descriptors(const no_descriptors&) = delete;
    no_descriptors& operator=(const no_descriptors&) = delete;
    ~no_descriptors() { set(before_.rlim_cur); }

private:
    void set(rlim_t soft) const {
        const rlimit now{soft, before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &now);
    }
    rlimit before_{};
};

} // namespace shaddock::test
