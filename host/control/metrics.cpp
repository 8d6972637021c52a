#include "control/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace shaddock::control {
namespace {

using base::metric_family;
using base::metric_kind;
using base::metric_sample;

constexpr std::array<std::string_view, 3> kind_names{"counter", "gauge", "histogram"};

double finite(double value) {
    return std::isfinite(value) ? value : 0.0;
}

told_family told_one(const metric_family& family) {
    told_family said;
    said.name = family.name;
    said.help = family.help;
    said.kind = kind_names.at(static_cast<std::size_t>(family.kind));
    said.labels = family.label_names;
    const bool is_histogram = family.kind == metric_kind::histogram;
    if (is_histogram) {
        said.bounds = family.bounds;
    }
    for (const auto& each : family.samples) {
        if (is_histogram) {
            said.samples.push_back(told_histogram(each.labels, each.buckets, finite(each.sum)));
        } else {
            said.samples.push_back(told_sample(each.labels, finite(each.value)));
        }
    }
    return said;
}

/// Nothing: not of the family's form.
std::optional<metric_sample> sample_of(const std::variant<told_sample, told_histogram>& from,
                                       const metric_family& family) {
    metric_sample made;
    const bool is_histogram = family.kind == metric_kind::histogram;
    if (const auto* plain = std::get_if<told_sample>(&from); plain != nullptr && !is_histogram) {
        std::tie(made.labels, made.value) = *plain;
    } else if (const auto* full = std::get_if<told_histogram>(&from);
               full != nullptr && is_histogram) {
        std::tie(made.labels, made.buckets, made.sum) = *full;
    } else {
        return std::nullopt;
    }
    const bool fits = made.labels.size() == family.label_names.size() &&
                      (!is_histogram || made.buckets.size() == family.bounds.size() + 1);
    return fits ? std::optional(std::move(made)) : std::nullopt;
}

bool hear_one(const told_family& said, metric_family& into) {
    const auto* at = std::ranges::find(kind_names, said.kind);
    into.name = said.name;
    into.help = said.help;
    into.label_names = said.labels;
    if (said.name.empty() || at == kind_names.end()) {
        return false;
    }
    into.kind = static_cast<metric_kind>(at - kind_names.begin());
    if (into.kind == metric_kind::histogram) {
        if (!said.bounds) {
            return false;
        }
        into.bounds = *said.bounds;
    }
    return std::ranges::all_of(said.samples, [&](const auto& each) {
        auto made = sample_of(each, into);
        if (made) {
            into.samples.push_back(std::move(*made));
        }
        return made.has_value();
    });
}

} // namespace

told_families told(const base::metric_families& families) {
    told_families all;
    for (const auto& family : families) {
        all.push_back(told_one(family));
    }
    return all;
}

result<base::metric_families> heard(const told_families& families) {
    base::metric_families made;
    for (const auto& each : families) {
        if (!hear_one(each, made.emplace_back())) {
            return error(errc::bad_request,
                         fmt::format("metrics: family {} ('{}') has not the form that "
                                     "control/metrics.hpp names",
                                     made.size() - 1, each.name));
        }
    }
    return {boost::system::in_place_value, std::move(made)};
}

} // namespace shaddock::control
