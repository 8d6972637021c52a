#include <shaddock/ticket.hpp>

#include <gtest/gtest.h>

#include <filesystem>

#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using shaddock::errc;
using shaddock::ticket_keys;
using shaddock::ticket_time;

const std::string counted = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr ticket_time some_day(1'800'000'000s);

ticket_keys keys_of(const std::string& text) {
    return ticket_keys::parse(text).value();
}
std::string refusal(const std::string& ticket, ticket_time now = some_day,
                    const std::string& keys = "2026b " + counted) {
    const auto who = keys_of(keys).check(ticket, now);
    return who ? "it is " + *who : who.error().text();
}
std::string complaint(const std::string& text) {
    const auto keys = ticket_keys::parse(text);
    return keys ? "" : keys.error().text();
}

// Made with Python's hmac, hashlib and base64.
const std::string anns = "sh1.2026b.1800000060.YW5u.7wzcTvhRqtS4l_5yl3F7YNmn3kXo6I_xIv8lxhdzcV4";

TEST(ticket, is_this_text_byte_for_byte) {
    const auto keys = keys_of("2026b " + counted);
    EXPECT_EQ(keys.issue("ann", 60s, some_day), anns);
    EXPECT_EQ(keys.issue("\xe5\xbc\xa0\xe4\xb8\x89?", 1s, ticket_time(1s)),
              "sh1.2026b.2.5byg5LiJPw.EirdlVFpVNaiJngqn7INYimv1KjxnRP-XvBvxydc4Uc");
}

TEST(ticket, says_who_it_is_for_until_it_expires) {
    const auto keys = keys_of("2026b " + counted);
    EXPECT_EQ(keys.check(anns, some_day).value(), "ann");
    EXPECT_EQ(keys.check(anns, some_day + 59s).value(), "ann");
    EXPECT_EQ(refusal(anns, some_day + 60s), "ticket: it has expired");
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{255}, std::size_t{256}}) {
        const auto uid = std::string(size - 1, '.') + '\xff';
        EXPECT_EQ(keys.check(keys.issue(uid, 60s)).value(), uid);
    }
    EXPECT_THROW((void)keys.issue("", 60s), shaddock::error);
    EXPECT_THROW((void)keys.issue(std::string(257, 'x'), 60s), shaddock::error);
}

TEST(ticket, is_refused_after_any_change) {
    for (std::size_t at = 0; at < anns.size(); ++at) {
        for (const char letter : {'A', '0', '.', '_', '\0', '\xff'}) {
            auto changed = anns;
            changed[at] = letter;
            EXPECT_TRUE(changed == anns || refusal(changed).starts_with("ticket: ")) << changed;
        }
        EXPECT_TRUE(refusal(anns.substr(0, at)).starts_with("ticket: ")) << at;
    }
    for (const auto& text : {anns + "A", anns + ".", "." + anns, anns + anns, anns + "=",
                             std::string(600, '.'), std::string(100'000, 'x')}) {
        EXPECT_TRUE(refusal(text).starts_with("ticket: "));
    }
    EXPECT_EQ(refusal(""), "ticket: it is none");
    EXPECT_EQ(refusal("sh2" + anns.substr(3)), "ticket: it is none");
    EXPECT_EQ(refusal(anns, some_day, "2026c " + counted), "ticket: its key is not one of ours");
    EXPECT_EQ(refusal(anns, some_day, "2026b " + std::string(64, '0')),
              "ticket: its signature is wrong");
    EXPECT_EQ(keys_of("2026b " + counted).check("", some_day).error().code(), errc::refused);
}

TEST(ticket, keys_change_without_a_moment_of_refusals) {
    const std::string old_line = "old " + counted + "\n";
    const std::string new_line = "new " + std::string(128, 'F') + "\r\n";
    const auto before = keys_of(old_line);
    const auto both = keys_of("# the second one only checks\n\n" + old_line + new_line);
    const auto turned = keys_of(new_line + old_line);
    const auto after = keys_of(new_line);
    for (const auto* issuer : {&before, &both}) {
        for (const auto* checker : {&before, &both, &turned}) {
            EXPECT_TRUE(checker->check(issuer->issue("ann", 60s)));
        }
    }
    for (const auto* checker : {&both, &turned, &after}) {
        EXPECT_TRUE(checker->check(turned.issue("ann", 60s)));
    }
    EXPECT_FALSE(after.check(before.issue("ann", 60s)));
}

TEST(ticket, keys_are_refused_by_the_line) {
    const std::string form = ": expected a name of 1 to 16 letters, digits, '_' or '-', a blank, "
                             "and 64 to 128 hex digits";
    EXPECT_EQ(complaint(""), "there is no key in it");
    EXPECT_EQ(complaint("# none\n\n"), "there is no key in it");
    for (const auto& line :
         {std::string("a"), "a " + counted.substr(2), "a " + counted + "0",
          "a " + std::string(130, '0'), "a  " + counted, "a.b " + counted, " " + counted,
          std::string(17, 'a') + " " + counted, "a " + counted.substr(1) + "g",
          "a -" + counted.substr(1), "a 0x" + counted}) {
        EXPECT_EQ(complaint("\n" + line), "line 2" + form) << line;
    }
    const std::string many = "line 2: expected two keys at most, with two names";
    EXPECT_EQ(complaint("a " + counted + "\na " + counted), many);
    EXPECT_EQ(complaint("a " + counted + "\nb " + counted + "\nc " + counted),
              "line 3" + many.substr(6));
}

TEST(ticket, keys_stay_among_those_who_may_know_them) {
    const auto file = testing::TempDir() + "ticket_keys_of_sdk." + std::to_string(::getpid());
    std::ofstream(file) << "a " << counted << "\n";
    const auto read = [&](int mode) {
        std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
        const auto keys = ticket_keys::load(file);
        return keys ? "" : keys.error().text();
    };
    EXPECT_EQ(read(0600), "");
    EXPECT_EQ(read(0640), "");
    for (const int mode : {0644, 0660, 0602}) {
        EXPECT_EQ(read(mode),
                  "ticket keys: " + file + ": others may know or change it: chmod 640 it at most");
    }
    std::filesystem::remove(file);
    EXPECT_EQ(ticket_keys::load(file).error().text(),
              "ticket keys: " + file + ": expected a file that can be read");
    EXPECT_FALSE(ticket_keys::load(testing::TempDir())) << "a folder";
}

} // namespace
