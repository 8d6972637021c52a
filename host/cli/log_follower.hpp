#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace shaddock::cli {

/// Reads what is added to a log file, whole lines, also over its rotation: when another file has
/// taken its name, the rest of the old one is read first. The file need not be there yet.
/// Not told: what more than one rotation between two readings has moved away.
class log_follower {
public:
    /// Begins at the end of the file as it is now.
    explicit log_follower(std::filesystem::path file);
    log_follower(const log_follower&) = delete;
    log_follower& operator=(const log_follower&) = delete;
    ~log_follower();

    /// The lines that have come since the last call, each with its line break; what is still
    /// without one comes later. Limits: 1 MiB a call, the rest comes with the next.
    std::string read_more();

    /// The byte of the file behind what was read.
    std::uintmax_t position() const { return static_cast<std::uintmax_t>(offset_); }

private:
    void open();
    void close();
    /// Reads on in the open file; false at its end.
    bool take(std::string& text);
    bool was_replaced() const;

    std::filesystem::path path_;
    int file_ = -1;
    off_t offset_ = 0;
    /// The beginning of a line.
    std::string begun_;
};

} // namespace shaddock::cli
