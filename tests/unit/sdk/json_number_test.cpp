#include <shaddock/json.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

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

TEST(json_number, of_any_length_is_read_as_the_nearest) {
    const auto read = [](const std::string& given) {
        return shaddock::json::decode<double>(given).value();
    };
    const std::string zeros(400, '0');
    EXPECT_EQ(read("18446744073709551615844675"), 18446744073709551615844675.0);
    EXPECT_EQ(read("0.3000000000000000444089209850062616169452667236328125"), 0.1 + 0.2);
    EXPECT_EQ(read("0." + zeros + "1"), 0);
    EXPECT_EQ(read("0." + zeros + "1e300"), 1e-101);
    EXPECT_EQ(read("1.7976931348623157e308"), std::numeric_limits<double>::max());
    EXPECT_EQ(read("-2e-999"), 0);
    EXPECT_EQ(read("1e-99999999999999999999"), 0);
    for (const auto& large : std::vector<std::string>{"1e309", "9e308", "-0.18e309", "1" + zeros,
                                                      "1E+99999999999999999999"}) {
        const auto refused = shaddock::json::decode<double>(large);
        ASSERT_FALSE(refused) << large;
        EXPECT_NE(refused.error().text().find("Number too big"), std::string::npos)
            << refused.error().text();
    }
}

TEST(json_number, reads_back_as_itself_whatever_its_bits) {
    std::mt19937_64 bits(1);
    for (int i = 0; i < 10'000; ++i) {
        const auto value = std::bit_cast<double>(bits());
        if (std::isfinite(value)) {
            const auto thousandths = std::round(std::remainder(value, 1e6) * 1000) / 1000;
            EXPECT_EQ(shaddock::json::decode<double>(text(value)).value(), value) << text(value);
            EXPECT_EQ(shaddock::json::decode<double>(text(thousandths)).value(), thousandths);
        }
    }
}

TEST(json_number, reads_back_as_itself) {
    for (const double value :
         {1.0 / 3, 2.0e-5, 1e15 + 0.3, 4.9406564584124654e-324, 1.7976931348623157e308}) {
        EXPECT_EQ(shaddock::json::decode<double>(text(value)).value(), value) << text(value);
    }
}

} // namespace
