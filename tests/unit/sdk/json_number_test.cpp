#include <shaddock/json.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace {

std::string text(double value) {
    return shaddock::json::encode(value);
}

// Expected texts: what `String(x)` gives in JavaScript.
TEST(json_number, is_written_as_javascript_does) {
    EXPECT_EQ(text(1.0), "1");
    EXPECT_EQ(text(-0.0), "0");
    EXPECT_EQ(text(0.1), "0.1");
    EXPECT_EQ(text(-5.25), "-5.25");
    EXPECT_EQ(text(123456789012345680000.0), "123456789012345680000");
    EXPECT_EQ(text(1e21), "1e+21");
    EXPECT_EQ(text(1.5e300), "1.5e+300");
    EXPECT_EQ(text(0.000001), "0.000001");
    EXPECT_EQ(text(0.0000001), "1e-7");
    EXPECT_EQ(text(1.25e-9), "1.25e-9");
    EXPECT_EQ(text(9007199254740993.0), "9007199254740992");
    EXPECT_EQ(text(5e-324), "5e-324");
}

TEST(json_number, that_is_none_is_null) {
    EXPECT_EQ(text(std::nan("")), "null");
    EXPECT_EQ(text(std::numeric_limits<double>::infinity()), "null");
}

TEST(json_number, reads_back_as_itself) {
    for (const double value :
         {1.0 / 3, 2.0e-5, 1e15 + 0.3, 4.9406564584124654e-324, 1.7976931348623157e308}) {
        EXPECT_EQ(shaddock::json::decode<double>(text(value)).value(), value) << text(value);
    }
}

} // namespace
