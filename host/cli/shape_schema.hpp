#pragma once

#include <string>
#include <string_view>

namespace shaddock::cli {

/// A shape of the SDK (shaddock/detail/shape.hpp) as JSON Schema, draft 2020-12, in compact text:
/// `{"type":"object","properties":{"content":{"type":"string"}},"required":["content"]}`.
/// Numbers have their kind as `format`: int8 to uint64, float32, float64. What may be anything is
/// `{}`: raw JSON, a type inside itself, and a whole shape that is empty or not in the form.
/// Limits: 64 levels; deeper ones are not in the form.
std::string schema_of(std::string_view shape);

} // namespace shaddock::cli
