#include <protocol/signature.hpp>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <gtest/gtest.h>

namespace shaddock::protocol {
namespace {

/// What a client does: a key, and signatures in hex.
class signer {
public:
    explicit signer(unsigned bits = 1024) : key_(EVP_RSA_gen(bits), EVP_PKEY_free) {}

    std::string modulus() const {
        BIGNUM* n = nullptr;
        EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_RSA_N, &n);
        char* hex = BN_bn2hex(n);
        std::string text = hex;
        OPENSSL_free(hex);
        BN_free(n);
        return text;
    }
    std::string rsa() const { return R"({"rsa_n":")" + modulus() + R"(","rsa_e":65537})"; }

    std::string sign(std::string_view text) const {
        EVP_MD_CTX* context = EVP_MD_CTX_new();
        std::vector<unsigned char> bytes(1024);
        std::size_t size = bytes.size();
        EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_.get());
        EVP_DigestSign(context, bytes.data(), &size,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size());
        EVP_MD_CTX_free(context);
        std::string hex;
        for (std::size_t i = 0; i < size; ++i) {
            hex += "0123456789abcdef"[bytes[i] >> 4U];
            hex += "0123456789abcdef"[bytes[i] & 0xfU];
        }
        return hex;
    }

private:
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

const signer& one_signer() {
    static const signer made;
    return made;
}
const client_key& one_key() {
    static const client_key key = client_key::parse(one_signer().rsa()).value();
    return key;
}

/// `object` (not empty) with the signature of `signed_text` behind its members.
std::string with_signature(std::string_view object, std::string_view signed_text) {
    return std::string(object.substr(0, object.size() - 1)) + R"(,"__crypto__":")" +
           one_signer().sign(signed_text) + "\"}";
}

TEST(client_key, takes_bodies_signed_as_they_are) {
    const std::string text = R"({"a":1,"b":"x","c":[true,null,{"d":-0.5}]})";
    EXPECT_EQ(one_key().checked_body(with_signature(text, text)).value(), text);
}

TEST(client_key, refuses_a_body_that_was_changed_or_not_signed) {
    const std::string other = with_signature(R"({"a":2})", R"({"a":1})");
    std::string cut = with_signature(R"({"a":1})", R"({"a":1})");
    cut.replace(cut.find("__crypto__"), 10, "__Crypto__");
    for (const std::string& body :
         {other, cut, std::string(R"({"a":1})"), std::string(R"({"a":1,"__crypto__":""})"),
          std::string(R"({"a":1,"__crypto__":1})"), std::string(R"({"a":1,"__crypto__":"xyz"})"),
          std::string(R"({"a":1,"__crypto__":"00"})"),
          R"({"__crypto__":")" + std::string(256, 'f') + R"("})",
          R"({"__crypto__":")" + std::string(258, '0') + R"("})"}) {
        SCOPED_TRACE(body);
        const auto checked = one_key().checked_body(body);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code(), errc::refused);
    }
    EXPECT_FALSE(client_key::parse(signer().rsa())
                     ->checked_body(with_signature(R"({"a":1})", R"({"a":1})")));
}

TEST(client_key, takes_signatures_without_their_leading_zeros) {
    for (int i = 0;; ++i) {
        const std::string text = R"({"a":)" + std::to_string(i) + '}';
        const std::string hex = one_signer().sign(text);
        if (hex.front() == '0') {
            const std::string body = text.substr(0, text.size() - 1) + R"(,"__crypto__":")" +
                                     hex.substr(hex.find_first_not_of('0')) + "\"}";
            EXPECT_EQ(one_key().checked_body(body).value(), text);
            return;
        }
    }
}

// Checks cost much: whoever wants one must have sent as many bytes.
TEST(client_key, does_not_check_what_is_too_short_for_a_signature) {
    const auto said = [](std::size_t digits) {
        return one_key()
            .checked_body(R"({"__crypto__":")" + std::string(digits, '1') + "\"}")
            .error()
            .text();
    };
    EXPECT_EQ(said(247), "body: __crypto__ is missing or no signature");
    EXPECT_EQ(said(248), "body: __crypto__ is not the signature of the rest");
}

TEST(client_key, leaves_nothing_in_openssls_notes_for_the_next_tls_connection) {
    EXPECT_FALSE(one_key().checked_body(with_signature(R"({"a":2})", R"({"a":1})")));
    EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(client_key, refuses_what_is_no_object) {
    for (const std::string body : {"", "1", "[]", "null", "\"x\"", "{", "{}x", "{} {}", "{\"a\":}",
                                   "\xff", "{\"a\":1e999}"}) {
        SCOPED_TRACE(body);
        const auto checked = one_key().checked_body(body);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code(), errc::bad_request);
    }
    EXPECT_FALSE(one_key().checked_body(std::string("{}\0", 3)));
    std::string deep = "1";
    for (int i = 0; i < 100; ++i) {
        deep.insert(0, "{\"a\":").append("}");
    }
    EXPECT_EQ(one_key().checked_body(deep).error().code(), errc::bad_request);
}

TEST(client_key, writes_the_rest_as_javascript_before_it_checks) {
    struct {
        std::string body;
        std::string rest;
    } const cases[] = {
        {R"({ "b" : 1.0 , "a" : [ 1e2, -0, 0.1, 1e21, 1e-7 ] })",
         R"({"b":1,"a":[100,0,0.1,1e+21,1e-7]})"},
        {R"({"x":9007199254740993,"y":123456789012345678901234,"z":0.30000000000000004})",
         R"({"x":9007199254740992,"y":1.2345678901234569e+23,"z":0.30000000000000004})"},
        {R"({"b":1,"7":2,"a":3,"07":4,"3":5,"b":6})", R"({"3":5,"7":2,"b":6,"a":3,"07":4})"},
        {R"({"t":"\u0041\/\u00e9\t\u0001\"\\"})", "{\"t\":\"A/é\\t\\u0001\\\"\\\\\"}"},
        {R"({"half":"\ude00x"})", R"({"half":"\ude00x"})"},
        {R"({"in":{"__crypto__":"stays"}})", R"({"in":{"__crypto__":"stays"}})"},
        {R"({"":1})", R"({"":1})"},
    };
    for (const auto& one : cases) {
        SCOPED_TRACE(one.body);
        const auto checked = one_key().checked_body(with_signature(one.body, one.rest));
        ASSERT_TRUE(checked);
        EXPECT_EQ(*checked, one.rest);
    }
}

TEST(client_key, finds_the_signature_wherever_it_stands) {
    const std::string sign = R"("__crypto__":")" + one_signer().sign(R"({"a":1,"b":2})") + '"';
    EXPECT_TRUE(one_key().checked_body("{" + sign + R"(,"a":1,"b":2})"));
    EXPECT_TRUE(one_key().checked_body(R"({"a":1,)" + sign + R"(,"b":2})"));
    // Of two the last counts.
    EXPECT_TRUE(one_key().checked_body(R"({"__crypto__":"00","a":1,"b":2,)" + sign + "}"));
    EXPECT_FALSE(one_key().checked_body("{" + sign + R"(,"a":1,"b":2,"__crypto__":"00"})"));
    EXPECT_EQ(
        one_key().checked_body(R"({"__crypto__":")" + one_signer().sign("{}") + R"("})").value(),
        "{}");
}

TEST(client_key, takes_what_clients_hash_of_other_scripts) {
    // As UTF-8, or by the low byte of each unit; with CJK (U+4E00 to U+9FA5) never by low bytes.
    EXPECT_TRUE(one_key().checked_body(with_signature(R"({"t":"é"})", R"({"t":"é"})")));
    EXPECT_TRUE(one_key().checked_body(with_signature(R"({"t":"éš"})", "{\"t\":\"\xe9\x61\"}")));
    EXPECT_TRUE(one_key().checked_body(with_signature(R"({"t":"你"})", R"({"t":"你"})")));
    EXPECT_FALSE(one_key().checked_body(with_signature(R"({"t":"你"})", "{\"t\":\"\x60\"}")));
    EXPECT_FALSE(one_key().checked_body(with_signature(R"({"t":"é你"})", "{\"t\":\"\xe9\x60\"}")));
}

TEST(client_key, takes_characters_beyond_the_bmp_in_each_form) {
    const std::string utf8 = "{\"t\":\"你\xf0\x9f\x98\x80\"}";
    const std::string cesu8 = "{\"t\":\"你\xed\xa0\xbd\xed\xb8\x80\"}";
    const std::string escaped = R"({"t":"你\ud83d\ude00"})";
    for (const std::string& body : {utf8, cesu8, escaped}) {
        for (const std::string& hashed : {utf8, cesu8}) {
            const auto checked = one_key().checked_body(with_signature(body, hashed));
            ASSERT_TRUE(checked);
            EXPECT_EQ(*checked, utf8);
        }
    }
    EXPECT_TRUE(one_key().checked_body(
        with_signature("{\"t\":\"\xf0\x9f\x98\x80\"}", std::string("{\"t\":\"\x3d\0\"}", 10))));
}

TEST(client_key, is_read_from_the_handshake) {
    const std::string n = one_signer().modulus();
    const auto reads = [](const std::string& rsa) {
        const auto key = client_key::parse(rsa);
        EXPECT_TRUE(key || key.error().code() == errc::bad_request);
        return key.has_value();
    };
    const auto with = [](const std::string& hex, const std::string& e) {
        return R"({"rsa_n":")" + hex + R"(","rsa_e":)" + e + '}';
    };
    EXPECT_TRUE(reads(with(n, "65537")));
    EXPECT_TRUE(reads(with(n, "3")));
    EXPECT_FALSE(reads(with(n, "65539"))) << "every bit more costs time with every message";
    EXPECT_TRUE(reads(with("00" + n, "65537")));
    EXPECT_TRUE(reads(R"({"rsa_e":65537,"more":[],"rsa_n":")" + n + "\"}"));
    for (const std::string e :
         {"1", "4", "-3", "2.5", "2147483649", "\"10001\"", "null", "1e300"}) {
        EXPECT_FALSE(reads(with(n, e))) << e;
    }
    EXPECT_FALSE(reads(with("", "65537")));
    EXPECT_FALSE(reads(with("-" + n, "65537")));
    EXPECT_FALSE(reads(with(n + "g", "65537")));
    EXPECT_FALSE(reads(with(n.substr(0, n.size() - 1) + "2", "65537"))) << "even";
    EXPECT_TRUE(reads(with(std::string(128, 'f'), "65537"))) << "512 bits";
    EXPECT_FALSE(reads(with("7" + std::string(127, 'f'), "65537"))) << "511 bits";
    EXPECT_TRUE(reads(with(std::string(1024, 'f'), "65537"))) << "4096 bits";
    EXPECT_FALSE(reads(with("1" + std::string(1024, 'f'), "65537"))) << "4097 bits";
    for (const std::string rsa : {"", "{}", "[]", "null", "1", R"({"rsa_n":"ff"})",
                                  R"({"rsa_e":65537})", R"({"rsa_n":5,"rsa_e":65537})"}) {
        EXPECT_FALSE(reads(rsa)) << rsa;
    }
}

TEST(client_key, may_have_any_size_within_its_limits) {
    for (const unsigned bits : {512U, 2048U, 4096U}) {
        const signer one(bits);
        const auto key = client_key::parse(one.rsa()).value();
        const std::string body = R"({"a":1,"__crypto__":")" + one.sign(R"({"a":1})") + "\"}";
        EXPECT_TRUE(key.checked_body(body)) << bits;
    }
}

} // namespace
} // namespace shaddock::protocol
