#include "terminal.hpp"

#include "cli/run.hpp"

#include <gtest/gtest.h>

namespace shaddock::cli {
namespace {

TEST(terminal, obeys_no_text_that_another_process_has_said) {
    testing::internal::CaptureStderr();
    complain("kicked: \x1b[31mred \u009b0m\nof caf\u00e9\n");
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "host: kicked: \\x1b[31mred \\u009b0m\nhost: of caf\u00e9\n");

    testing::internal::CaptureStdout();
    foreground().say("it ended; its last words:\n\x1b]0;title\x07");
    EXPECT_EQ(testing::internal::GetCapturedStdout(),
              "it ended; its last words:\n\\x1b]0;title\\x07\n");
}

} // namespace
} // namespace shaddock::cli
