#pragma once

#include <shaddock/extension.hpp>

namespace shaddock::door {

/// A configuration file of the application.
struct config_text {
    std::string path;
    /// The section for this environment, or the whole file.
    std::string json;
    /// Lines before the section: add to a line number within `json`.
    std::uint32_t line_offset = 0;
};

/// The configuration files of the application; `app::load_config` reads them as described structs.
class config_files : public extension {
public:
    static constexpr std::string_view name = "shaddock.config_files";
    static constexpr std::uint32_t version = 1;

    /// `config/<file>.json` by the env rule (the key named like the environment, else the whole;
    /// else config/<env>/<file>.json).
    virtual result<config_text> read(std::string_view file) noexcept = 0;

protected:
    ~config_files() = default;
};

} // namespace shaddock::door
