#include "check.hpp"

#include <nats/chunk.hpp>

#include <string>

using namespace shaddock::bus;
using shaddock::fuzz::check;

namespace {

std::string write(const chunk_view& chunk) {
    switch (chunk.kind) {
    case chunk_kind::dial:
        return dial_chunk(chunk.window);
    case chunk_kind::accept:
        return accept_chunk(chunk.window);
    case chunk_kind::data:
        return data_chunk(chunk.number, chunk.bytes);
    case chunk_kind::taken:
        return taken_chunk(chunk.number, chunk.cost);
    case chunk_kind::end:
    case chunk_kind::echo:
        return plain_chunk(chunk.kind, chunk.number);
    }
    check(false, "a kind that nobody knows was read");
    return {};
}

} // namespace

/// What was read, written again and read again, says the same.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view in(reinterpret_cast<const char*>(data), size);
    const auto chunk = read_chunk(in);
    if (!chunk) {
        return 0;
    }
    check(chunk->bytes.size() <= in.size(), "it views into what there is");
    const auto written = write(*chunk);
    check(written.size() <= in.size(), "nothing is invented");
    const auto again = read_chunk(written);
    check(again.has_value(), "it can be read again");
    check(again->kind == chunk->kind && again->cost == chunk->cost &&
              again->window == chunk->window && again->bytes == chunk->bytes,
          "the same chunk");
    check(chunk->kind == chunk_kind::accept || again->number == chunk->number, "the same number");
    return 0;
}
