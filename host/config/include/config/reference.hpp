#pragma once

#include <string>
#include <vector>

/// The reference of host.yaml, made from what reads the file.
namespace shaddock::config {

struct option_entry {
    /// `connector.heartbeat`; `types.<type>.modules`.
    std::string key;
    /// Of a bare number, or the form: `s`, `bytes`, `bool`, `list`, ..; empty = none.
    std::string unit;
    std::string standard;
    /// What is allowed, and what 0 means.
    std::string range;
    std::string meaning;
};

/// Every option of host.yaml.
std::vector<option_entry> reference();

/// As the Markdown table of docs/operations.md, its head included.
std::string to_markdown(const std::vector<option_entry>& options);

} // namespace shaddock::config
