#pragma once

#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

namespace shaddock::base::log {

/// Whether the path leads to the file that is open.
bool is_name_of(const std::filesystem::path& path, int fd);

/// The file of a log. When it is full it becomes `chat.1.log`, that one `chat.2.log`, and so on.
///
/// A file that was moved or deleted is made anew by look(). A line that cannot be written is lost
/// and counted, stderr says so once a minute, and the first line that can be written ends it.
/// Thread: any.
class log_file final : public spdlog::sinks::base_sink<std::mutex> {
public:
    /// `kept`: files beside the one that is written. Throws when it cannot be opened.
    log_file(std::filesystem::path path, std::size_t limit_bytes, std::size_t kept);
    ~log_file() override;

    /// Whether the name still stands for the file that is open, and how large it is.
    void look();
    std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }
    /// What is to be said of lost lines, now that lines can be written again; empty: nothing.
    std::string take_loss();

protected:
    void sink_it_(const spdlog::details::log_msg& line) override;
    void flush_() override {}

private:
    using time_point = std::chrono::steady_clock::time_point;

    bool write(std::string_view line);
    bool open();
    bool turn_over();
    std::filesystem::path numbered(std::size_t number) const;
    void lose(int why, time_point now);

    const std::filesystem::path path_;
    const std::size_t limit_;
    const std::size_t kept_;
    int fd_ = -1;
    std::size_t size_ = 0;
    /// The last line was written in part.
    bool is_cut_ = false;
    time_point told_at_{};
    std::uint64_t untold_ = 0;
    int why_ = 0;
    std::atomic<bool> has_loss_{false};
    std::atomic<std::uint64_t> lost_{0};
};

} // namespace shaddock::base::log
