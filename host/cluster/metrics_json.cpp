#include "cluster/metrics_json.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace shaddock::cluster {

namespace {

using base::metric_family;
using base::metric_kind;
using base::metric_sample;
using rapidjson::Value;
using writer = rapidjson::Writer<rapidjson::StringBuffer>;

constexpr std::array<std::string_view, 3> kind_names{"counter", "gauge", "histogram"};
/// Integers up to here are exact as double.
constexpr double exact_limit = 9007199254740992.0;

void put(writer& out, std::string_view text) {
    out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

/// Counts as integers: shorter, and nothing is lost.
void put(writer& out, double value) {
    if (value >= 0 && value < exact_limit && value == std::floor(value)) {
        out.Uint64(static_cast<std::uint64_t>(value));
    } else {
        out.Double(std::isfinite(value) ? value : 0.0);
    }
}

template <class List>
void put_all(writer& out, const List& list) {
    out.StartArray();
    for (const auto& each : list) {
        if constexpr (std::is_same_v<std::decay_t<decltype(each)>, std::uint64_t>) {
            out.Uint64(each);
        } else {
            put(out, each);
        }
    }
    out.EndArray();
}

void put(writer& out, const metric_sample& sample, metric_kind kind) {
    out.StartArray();
    put_all(out, sample.labels);
    if (kind == metric_kind::histogram) {
        put_all(out, sample.buckets);
        put(out, sample.sum);
    } else {
        put(out, sample.value);
    }
    out.EndArray();
}

void put(writer& out, const metric_family& family) {
    out.StartObject();
    out.Key("name");
    put(out, family.name);
    out.Key("help");
    put(out, family.help);
    out.Key("kind");
    put(out, kind_names.at(static_cast<std::size_t>(family.kind)));
    out.Key("labels");
    put_all(out, family.label_names);
    if (family.kind == metric_kind::histogram) {
        out.Key("bounds");
        put_all(out, family.bounds);
    }
    out.Key("samples");
    out.StartArray();
    for (const auto& sample : family.samples) {
        put(out, sample, family.kind);
    }
    out.EndArray();
    out.EndObject();
}

const Value* member(const Value& of, const char* key) {
    const auto at = of.FindMember(key);
    return at == of.MemberEnd() ? nullptr : &at->value;
}

std::optional<std::string> text_of(const Value* value) {
    if (value == nullptr || !value->IsString()) {
        return std::nullopt;
    }
    return std::string(value->GetString(), value->GetStringLength());
}

template <class T, class Is, class Get>
bool read_list(const Value* from, std::vector<T>& into, Is is, Get get) {
    if (from == nullptr || !from->IsArray()) {
        return false;
    }
    for (const auto& each : from->GetArray()) {
        if (!is(each)) {
            return false;
        }
        into.push_back(get(each));
    }
    return true;
}

bool read_texts(const Value* from, std::vector<std::string>& into) {
    return read_list(
        from, into, [](const Value& each) { return each.IsString(); },
        [](const Value& each) { return std::string(each.GetString(), each.GetStringLength()); });
}

bool read(const Value& from, const metric_family& family, metric_sample& into) {
    const bool is_histogram = family.kind == metric_kind::histogram;
    if (!from.IsArray() || from.Size() != (is_histogram ? 3U : 2U) ||
        !read_texts(&from[0], into.labels) || into.labels.size() != family.label_names.size()) {
        return false;
    }
    const auto& last = from[from.Size() - 1];
    if (!last.IsNumber()) {
        return false;
    }
    if (!is_histogram) {
        into.value = last.GetDouble();
        return true;
    }
    into.sum = last.GetDouble();
    return read_list(
               &from[1], into.buckets, [](const Value& each) { return each.IsUint64(); },
               [](const Value& each) { return each.GetUint64(); }) &&
           into.buckets.size() == family.bounds.size() + 1;
}

bool read(const Value& from, metric_family& into) {
    if (!from.IsObject()) {
        return false;
    }
    const auto name = text_of(member(from, "name"));
    const auto help = text_of(member(from, "help"));
    const auto kind = text_of(member(from, "kind"));
    const auto* at = std::find(kind_names.begin(), kind_names.end(), kind.value_or(""));
    if (!name || !help || at == kind_names.end() ||
        !read_texts(member(from, "labels"), into.label_names)) {
        return false;
    }
    into.name = *name;
    into.help = *help;
    into.kind = static_cast<metric_kind>(at - kind_names.begin());
    const auto is_number = [](const Value& each) { return each.IsNumber(); };
    const auto number = [](const Value& each) { return each.GetDouble(); };
    if (into.kind == metric_kind::histogram &&
        !read_list(member(from, "bounds"), into.bounds, is_number, number)) {
        return false;
    }
    const auto* samples = member(from, "samples");
    if (samples == nullptr || !samples->IsArray()) {
        return false;
    }
    return std::all_of(samples->Begin(), samples->End(), [&](const Value& each) {
        return read(each, into, into.samples.emplace_back());
    });
}

} // namespace

std::string metrics_json(const base::metric_families& families) {
    rapidjson::StringBuffer buffer;
    writer out(buffer);
    out.StartArray();
    for (const auto& family : families) {
        put(out, family);
    }
    out.EndArray();
    return {buffer.GetString(), buffer.GetSize()};
}

result<base::metric_families> metrics_from_json(std::string_view text) {
    rapidjson::Document said;
    said.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
    if (said.HasParseError() || !said.IsArray()) {
        return error(errc::bad_request, "metrics: expected a JSON array of families");
    }
    base::metric_families made;
    for (const auto& each : said.GetArray()) {
        if (!read(each, made.emplace_back())) {
            return error(errc::bad_request,
                         fmt::format("metrics: family {} ('{}') has not the form that "
                                     "cluster/metrics_json.hpp names",
                                     made.size() - 1, made.back().name));
        }
    }
    return made;
}

} // namespace shaddock::cluster
