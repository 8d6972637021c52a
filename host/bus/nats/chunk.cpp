#include "chunk.hpp"

#include "base/bytes.hpp"

#include <algorithm>

namespace shaddock::bus {

std::optional<chunk_view> read_chunk(std::string_view in) {
    base::reader fields(in);
    chunk_view read;
    read.kind = static_cast<chunk_kind>(fields.u8());
    if (read.kind == chunk_kind::dial) {
        if (fields.u32() != chunk_magic || fields.u16() != chunk_version) {
            return std::nullopt;
        }
    } else {
        read.number = fields.u64();
    }
    switch (read.kind) {
    case chunk_kind::dial:
    case chunk_kind::accept:
        read.window = fields.u32();
        break;
    case chunk_kind::data:
        read.bytes = in.substr(std::min(in.size(), chunk_header));
        break;
    case chunk_kind::taken:
        read.cost = fields.u64();
        break;
    case chunk_kind::end:
    case chunk_kind::echo:
        break;
    default:
        return std::nullopt;
    }
    const bool needs_window = read.kind == chunk_kind::dial || read.kind == chunk_kind::accept;
    if (!fields.ok() || (needs_window && read.window == 0)) {
        return std::nullopt;
    }
    return read;
}

std::string dial_chunk(std::uint32_t window) {
    std::string made;
    base::writer fields(made);
    fields.u8(static_cast<std::uint8_t>(chunk_kind::dial));
    fields.u32(chunk_magic);
    fields.u16(chunk_version);
    fields.u32(window);
    return made;
}

std::string plain_chunk(chunk_kind kind, std::uint64_t number) {
    std::string made;
    base::writer fields(made);
    fields.u8(static_cast<std::uint8_t>(kind));
    fields.u64(number);
    return made;
}

std::string accept_chunk(std::uint32_t window) {
    auto made = plain_chunk(chunk_kind::accept, 0);
    base::writer(made).u32(window);
    return made;
}

std::string data_chunk(std::uint64_t number, std::string_view bytes) {
    std::string made;
    made.reserve(chunk_header + bytes.size());
    base::writer fields(made);
    fields.u8(static_cast<std::uint8_t>(chunk_kind::data));
    fields.u64(number);
    made += bytes;
    return made;
}

std::string taken_chunk(std::uint64_t number, std::uint64_t cost) {
    auto made = plain_chunk(chunk_kind::taken, number);
    base::writer(made).u64(cost);
    return made;
}

} // namespace shaddock::bus
