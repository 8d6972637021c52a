#include <protocol/signature.hpp>

#include "javascript.hpp"

#include <shaddock/detail/json_parse.hpp>
#include <shaddock/detail/json_text.hpp>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace shaddock::protocol {

namespace {

using detail::text_of;

constexpr int min_modulus_bits = 512;
constexpr int max_modulus_bits = 4096;
/// What all clients have; each bit more would be paid for with every message.
constexpr double max_exponent = 65537;
constexpr std::string_view signature_key = "__crypto__";
/// Leading zeros of a signature that a client may leave out; one in 2^32 has more. Without a bound
/// a client would pay with few bytes for checks that cost much.
constexpr std::size_t max_missing_digits = 8;

struct openssl_free {
    void operator()(BIGNUM* it) const { BN_free(it); }
    void operator()(EVP_MD_CTX* it) const { EVP_MD_CTX_free(it); }
    void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
    void operator()(EVP_PKEY_CTX* it) const { EVP_PKEY_CTX_free(it); }
    void operator()(OSSL_PARAM* it) const { OSSL_PARAM_free(it); }
    void operator()(OSSL_PARAM_BLD* it) const { OSSL_PARAM_BLD_free(it); }
};
template <class T>
using owned = std::unique_ptr<T, openssl_free>;

/// Forgets what OpenSSL noted of failures: the thread's TLS connections would take it for theirs.
struct error_note_eraser {
    error_note_eraser() = default;
    error_note_eraser(const error_note_eraser&) = delete;
    error_note_eraser& operator=(const error_note_eraser&) = delete;
    ~error_note_eraser() { ERR_clear_error(); }
};

// --- JSON as JavaScript sees it ---------------------------------------------------------------

/// Numbers rounded as JavaScript rounds them, which RapidJSON's own reading does not promise.
class exact_numbers : public detail::depth_guard {
public:
    using depth_guard::depth_guard;
    bool RawNumber(const char* text, rapidjson::SizeType size, bool /*copy*/) {
        double value = 0;
        // Out of range is refused: JSON.stringify never writes such numbers.
        return std::from_chars(text, text + size, value).ec == std::errc() && Double(value);
    }
};

/// The object that `text` is; nothing for anything else. The tree refers to its own memory only.
bool read_object(detail::json_tree& tree, std::string_view text) {
    std::string repaired(text.size(), '\0');
    std::size_t size = 0;
    if (!detail::copy_as_utf8(repaired.data(), size, text)) {
        return false;
    }
    repaired.resize(size);
    rapidjson::MemoryStream stream(repaired.data(), repaired.size());
    rapidjson::Reader reader;
    exact_numbers handler(tree);
    bool is_whole = false;
    // Populate's contract: a generator that feeds the document and says whether it went well.
    auto generate = [&](detail::json_tree&) {
        constexpr unsigned flags =
            rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
        const bool is_json = !reader.Parse<flags>(stream, handler).IsError();
        // A zero byte looks like the end to the parser.
        is_whole = is_json && stream.Tell() == repaired.size();
        return is_json;
    };
    tree.Populate(generate);
    return is_whole && tree.IsObject();
}

/// The last of the members with this key.
const detail::json_value* last_member(const detail::json_value& object, std::string_view key) {
    const detail::json_value* last = nullptr;
    for (const auto& member : object.GetObject()) {
        if (text_of(member.name) == key) {
            last = &member.value;
        }
    }
    return last;
}

struct js_member {
    std::string_view key;
    const detail::json_value* value = nullptr;
    std::optional<std::uint32_t> index;
};

/// In the order of JavaScript's keys: array indexes first, in ascending order; of a key twice the
/// place of the first and the value of the last.
std::vector<js_member> js_members(const detail::json_value& object) {
    std::vector<js_member> members;
    std::unordered_map<std::string_view, std::size_t> places;
    for (const auto& member : object.GetObject()) {
        const std::string_view key = text_of(member.name);
        const auto [place, is_new] = places.emplace(key, members.size());
        if (is_new) {
            members.push_back({key, &member.value, array_index(key)});
        } else {
            members[place->second].value = &member.value;
        }
    }
    std::ranges::stable_sort(members, [](const js_member& left, const js_member& right) {
        return left.index && (!right.index || *left.index < *right.index);
    });
    return members;
}

void append_value(std::string& out, const detail::json_value& value);

void append_object(std::string& out, const detail::json_value& object, std::string_view without) {
    out += '{';
    bool is_first = true;
    for (const auto& member : js_members(object)) {
        if (!without.empty() && member.key == without) {
            continue;
        }
        if (!std::exchange(is_first, false)) {
            out += ',';
        }
        append_javascript_string(out, member.key);
        out += ':';
        append_value(out, *member.value);
    }
    out += '}';
}

void append_array(std::string& out, const detail::json_value& array) {
    out += '[';
    bool is_first = true;
    for (const auto& element : array.GetArray()) {
        if (!std::exchange(is_first, false)) {
            out += ',';
        }
        append_value(out, element);
    }
    out += ']';
}

void append_value(std::string& out, const detail::json_value& value) {
    if (value.IsObject()) {
        append_object(out, value, {});
    } else if (value.IsArray()) {
        append_array(out, value);
    } else if (value.IsString()) {
        append_javascript_string(out, text_of(value));
    } else if (value.IsDouble()) {
        detail::append_number(out, value.GetDouble());
    } else {
        out += value.IsNull() ? "null" : value.GetBool() ? "true" : "false";
    }
}

// --- What was hashed ----------------------------------------------------------------------------

/// A text as the clients and servers of the original may have hashed it.
struct hashed_forms {
    /// Each UTF-16 unit in up to three bytes; empty: as UTF-8.
    std::string cesu8;
    /// The low byte of each UTF-16 unit; empty: not without CJK, or as UTF-8.
    std::string low_bytes;
};

hashed_forms forms_of(std::string_view text) {
    std::string cesu8;
    std::string low;
    bool is_ascii = true;
    bool has_cjk = false;
    bool has_pairs = false;
    const auto put = [&](char32_t unit) {
        detail::append_utf8(cesu8, unit);
        low += static_cast<char>(static_cast<unsigned char>(unit & 0xffU));
    };
    while (!text.empty()) {
        const auto next = detail::next_character(text);
        const char32_t code = next.code.value_or(detail::replacement);
        is_ascii = is_ascii && code < 0x80;
        has_cjk = has_cjk || (code >= 0x4e00 && code <= 0x9fa5);
        if (code < 0x10000) {
            put(code);
        } else {
            has_pairs = true;
            put(0xd800 + ((code - 0x10000) >> 10U));
            put(0xdc00 + ((code - 0x10000) & 0x3ffU));
        }
        text.remove_prefix(next.size);
    }
    return {has_pairs ? std::move(cesu8) : std::string(),
            is_ascii || has_cjk ? std::string() : std::move(low)};
}

// --- RSA
// ------------------------------------------------------------------------------------------

bool is_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

/// Hex digits as a number; null when there are none, others, or more than `max_digits`.
owned<BIGNUM> number_of(std::string_view hex, std::size_t max_digits) {
    if (hex.empty() || hex.size() > max_digits || !is_hex(hex)) {
        return nullptr;
    }
    BIGNUM* number = nullptr;
    BN_hex2bn(&number, std::string(hex).c_str());
    return owned<BIGNUM>(number);
}

owned<EVP_PKEY> public_key(const BIGNUM* modulus, unsigned long exponent) {
    const owned<BIGNUM> e(BN_new());
    const owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
    if (!e || !builder || BN_set_word(e.get(), exponent) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        return nullptr;
    }
    const owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    const owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
        return nullptr;
    }
    return owned<EVP_PKEY>(key);
}

using sha256_digest = std::array<unsigned char, 32>;

/// What was signed; none when it is no RSASSA-PKCS1-v1_5 signature with SHA-256 by this key.
std::optional<sha256_digest> signed_digest(EVP_PKEY* key,
                                           const std::vector<unsigned char>& signature) {
    const owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(key, nullptr));
    sha256_digest digest{};
    std::size_t size = digest.size();
    if (!context || EVP_PKEY_verify_recover_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1 ||
        EVP_PKEY_verify_recover(context.get(), digest.data(), &size, signature.data(),
                                signature.size()) != 1 ||
        size != digest.size()) {
        return std::nullopt;
    }
    return digest;
}

bool has_digest(std::string_view text, const sha256_digest& wanted) {
    sha256_digest digest{};
    return EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) ==
               1 &&
           digest == wanted;
}

error bad_key(const char* what) {
    return {errc::bad_request, std::string("handshake: sys.rsa: ") + what};
}

} // namespace

struct client_key::contents {
    std::shared_ptr<EVP_PKEY> key;
    std::size_t bytes = 0;
};

result<client_key> client_key::parse(std::string_view rsa) {
    const error_note_eraser eraser;
    detail::json_tree given;
    if (!read_object(given, rsa)) {
        return bad_key("expected an object");
    }
    const auto* modulus_text = last_member(given, "rsa_n");
    const auto* exponent = last_member(given, "rsa_e");
    if (modulus_text == nullptr || !modulus_text->IsString() || exponent == nullptr ||
        !exponent->IsDouble()) {
        return bad_key("expected rsa_n as hex text and rsa_e as a number");
    }
    const double e = exponent->GetDouble();
    if (e < 3 || e > max_exponent || std::floor(e) != e || std::fmod(e, 2) != 1) {
        return bad_key("expected an odd rsa_e from 3 to 65537");
    }
    const auto modulus = number_of(text_of(*modulus_text), max_modulus_bits / 4 + 2);
    if (!modulus || BN_num_bits(modulus.get()) < min_modulus_bits ||
        BN_num_bits(modulus.get()) > max_modulus_bits || BN_is_odd(modulus.get()) == 0) {
        return bad_key("expected an odd rsa_n of 512 to 4096 bits");
    }
    auto made = std::make_shared<contents>();
    made->key = public_key(modulus.get(), static_cast<unsigned long>(e));
    made->bytes = static_cast<std::size_t>(BN_num_bytes(modulus.get()));
    if (!made->key) {
        return bad_key("no RSA key");
    }
    return client_key(std::move(made));
}

result<std::string> client_key::checked_body(std::string_view body) const {
    const error_note_eraser eraser;
    detail::json_tree tree;
    if (!read_object(tree, body)) {
        return error(errc::bad_request, "body: expected a JSON object");
    }
    const auto* hex = last_member(tree, signature_key);
    const std::size_t digits = 2 * contents_->bytes;
    const auto number =
        hex != nullptr && hex->IsString() && text_of(*hex).size() + max_missing_digits >= digits
            ? number_of(text_of(*hex), digits)
            : nullptr;
    std::vector<unsigned char> signature(contents_->bytes);
    if (!number ||
        BN_bn2binpad(number.get(), signature.data(), static_cast<int>(signature.size())) < 0) {
        return error(errc::refused, "body: __crypto__ is missing or no signature");
    }
    // Once for all forms: it costs more than everything else, and clients choose how often.
    if (const auto digest = signed_digest(contents_->key.get(), signature)) {
        std::string rest;
        rest.reserve(body.size());
        append_object(rest, tree, signature_key);
        if (has_digest(rest, *digest)) {
            return rest;
        }
        const hashed_forms others = forms_of(rest);
        if ((!others.cesu8.empty() && has_digest(others.cesu8, *digest)) ||
            (!others.low_bytes.empty() && has_digest(others.low_bytes, *digest))) {
            return rest;
        }
    }
    return error(errc::refused, "body: __crypto__ is not the signature of the rest");
}

} // namespace shaddock::protocol
