#include "split_stream.hpp"

#include <protocol/package.hpp>

#include <vector>

namespace shaddock::protocol::testing {

namespace {

/// A reader of a TCP stream. It keeps the places of packages, not their bytes: a body of 16 MB is
/// not to be compared at 16 million points.
class stream_reader {
public:
    stream_reader(std::string_view stream, std::size_t limit) : stream_(stream), limit_(limit) {}

    /// What it does when the stream has come up to `size`.
    void arrive(std::size_t size) {
        while (end_ == cut_status::need_more) {
            const package_cut cut = cut_package(stream_.substr(used_, size - used_), limit_);
            if (cut.status == cut_status::need_more) {
                wants_too_little_ |= cut.size <= size - used_;
                return;
            }
            if (cut.status == cut_status::ok) {
                used_ += cut.size;
                found_.push_back({cut.type, cut.body.data(), cut.body.size()});
            } else {
                end_ = cut.status;
            }
        }
    }

    bool wants_too_little() const { return wants_too_little_; }
    bool operator==(const stream_reader& other) const {
        return found_ == other.found_ && end_ == other.end_ && used_ == other.used_;
    }

private:
    struct place {
        package_type type;
        const char* body;
        std::size_t size;
        bool operator==(const place&) const = default;
    };

    std::string_view stream_;
    std::size_t limit_;
    std::vector<place> found_;
    cut_status end_ = cut_status::need_more;
    std::size_t used_ = 0;
    bool wants_too_little_ = false;
};

} // namespace

std::string split_complaint(std::string_view stream, std::size_t limit) {
    stream_reader whole(stream, limit);
    whole.arrive(stream.size());
    stream_reader bytes(stream, limit);
    for (std::size_t split = 0; split <= stream.size(); ++split) {
        stream_reader pieces(stream, limit);
        pieces.arrive(split);
        pieces.arrive(stream.size());
        bytes.arrive(split);
        if (!(pieces == whole) || pieces.wants_too_little()) {
            return "other packages when split at " + std::to_string(split);
        }
    }
    return bytes == whole && !bytes.wants_too_little() ? "" : "other packages byte by byte";
}

} // namespace shaddock::protocol::testing
