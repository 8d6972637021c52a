#include "check.hpp"

#include <frame.hpp>

#include <string>

using namespace shaddock;
using namespace shaddock::bus;
using shaddock::fuzz::check;

namespace {

void write(std::string& out, const frame_view& frame) {
    switch (frame.kind) {
    case frame_kind::hello:
        if (const auto said = read_hello(frame.bytes)) {
            std::string again;
            append_hello(again, *said);
            const auto cut = cut_frame(again, again.size());
            check(cut.outcome == cut_outcome::done, "a greeting that was read can be written");
            const auto read = read_hello(cut.frame.bytes);
            check(read.has_value() && *read == *said, "and is the same");
        }
        return;
    case frame_kind::refuse:
        return append_refuse(out, frame.bytes, incarnation{frame.call});
    case frame_kind::call:
        return append_call(out, frame.call, frame.remaining_ms, frame.what, frame.bytes);
    case frame_kind::reply:
        return append_reply(out, frame.call, frame.bytes);
    case frame_kind::failure:
        return append_failure(out, frame.call,
                              error(frame.code, std::string(frame.bytes), frame.client_code));
    case frame_kind::cast:
        return append_cast(out, frame.what, frame.bytes);
    case frame_kind::mark:
        return append_mark(out, frame.call, frame.late_us);
    case frame_kind::taken:
        return append_taken(out, frame.call);
    case frame_kind::ping:
    case frame_kind::bye:
        return append_plain(out, frame.kind);
    }
    check(false, "a kind that nobody knows was cut");
}

} // namespace

/// What was cut, written again and cut again, says the same; what it views into was there.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    std::string_view in(reinterpret_cast<const char*>(data), size);
    constexpr std::size_t limit = 300;
    for (;;) {
        const auto cut = cut_frame(in, limit);
        if (cut.outcome != cut_outcome::done) {
            check(cut.used == 0, "nothing is taken of what is not done");
            return 0;
        }
        check(cut.used > 0 && cut.used <= in.size(), "it takes what there is");
        check(cut.frame.bytes.size() <= limit, "a payload within the limit");
        std::string written;
        write(written, cut.frame);
        if (!written.empty()) {
            // A frame may have ended in fields that are passed over: it may be shorter now. Or an
            // older build has left out the last field, a number: it is written.
            check(written.size() <= cut.used + sizeof(std::uint64_t), "nothing is invented");
            const auto again = cut_frame(written, limit);
            check(again.outcome == cut_outcome::done && again.used == written.size(),
                  "it can be cut again");
            check(again.frame.kind == cut.frame.kind && again.frame.call == cut.frame.call &&
                      again.frame.what == cut.frame.what && again.frame.bytes == cut.frame.bytes,
                  "the same frame");
        }
        in.remove_prefix(cut.used);
    }
}
