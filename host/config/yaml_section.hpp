#pragma once

#include "complaint.hpp"
#include "option_rows.hpp"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

/// The maps of host.yaml. Only host_yaml.cpp and yaml_section.cpp know yaml-cpp.
namespace shaddock::config {

/// From 1; 0 = unknown.
std::size_t line_of_mark(const YAML::Mark& mark);

/// What an error text calls the node: `'x'`, `a map`, `nothing`, ...
std::string describe_node(const YAML::Node& node);

/// One map of the file. What is taken is known; finish() notes all other keys as problems, and so
/// does each reader with values that it refuses. `found` outlives it.
class yaml_section {
public:
    struct entry {
        YAML::Node node;
        place where;
        explicit operator bool() const { return where.line != 0; }
    };

    /// A missing or empty section has no keys. Throws when the node is no map.
    yaml_section(findings& found, std::filesystem::path path, const YAML::Node& node,
                 std::string key, std::size_t line);

    /// The key's entry, or one without a line. From now on the key is known.
    entry take(const std::string& name);
    /// The section under the key.
    yaml_section below_key(const std::string& name);
    /// Where the key stands; the other one when it does not.
    place place_of(const std::string& name, const std::string& other);

    /// All entries, for maps whose keys are free.
    const std::vector<std::pair<std::string, entry>>& entries() const { return entries_; }
    const std::filesystem::path& path() const { return path_; }
    findings& found() const { return *found_; }

    /// Overlays `options` with what the section says; what it does not say stays. Returns whether
    /// all values were good.
    template <class Section>
    bool read(const std::vector<option_row<Section>>& rows, Section& options) {
        bool all_good = true;
        for (const auto& row : rows) {
            all_good = read_one(row.name, row.expected, row.take, options) && all_good;
        }
        return all_good;
    }

    /// The scalar with the variables of the environment in it. Throws when one is not set.
    static std::string text_of(const entry& scalar);

    /// Notes the keys that nobody took.
    void finish() const;

private:
    template <class Section>
    bool read_one(const std::string& name, const std::string& expected,
                  const std::function<bool(std::string_view, Section&)>& take_text,
                  Section& options) {
        const entry e = take(name);
        if (!e || !take_text) {
            return true;
        }
        return found_->attempt([&] {
            if (!e.node.IsScalar() || !take_text(text_of(e), options)) {
                throw complaint(e.where, describe_node(e.node), expected);
            }
        });
    }
    void add(const YAML::Node& name, const YAML::Node& value);

    findings* found_;
    std::filesystem::path path_;
    std::string key_;
    std::vector<std::pair<std::string, entry>> entries_;
    std::vector<std::string> known_;
};

/// A list of texts, each of which `take` reads; false = refused.
void read_list(const yaml_section::entry& list, std::string_view expected_list,
               std::string_view expected, findings& found,
               const std::function<bool(const std::string&)>& take);

} // namespace shaddock::config
