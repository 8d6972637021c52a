#include "config/reference.hpp"

#include "host_yaml_rows.hpp"

#include <fmt/format.h>

namespace shaddock::config {
namespace {

template <class Section>
void add(std::vector<option_entry>& to, const std::string& section,
         const std::vector<option_row<Section>>& rows) {
    for (const auto& row : rows) {
        to.push_back(
            {section + "." + row.name, row.unit, row.show(Section{}), row.range, row.meaning});
    }
}

} // namespace

std::vector<option_entry> reference() {
    std::vector<option_entry> all;
    add(all, "types.<type>", type_rows());
    add(all, "connector", connector_rows());
    add(all, "reload", reload_rows());
    add(all, "bus", bus_rows());
    add(all, "bus.nats", nats_rows());
    add(all, "limits", limit_rows());
    add(all, "log", log_rows());
    add(all, "web", web_rows());
    add(all, "metrics", metrics_rows());
    add(all, "supervision", supervision_rows());
    return all;
}

std::string to_markdown(const std::vector<option_entry>& options) {
    std::string text = "| option | unit | default | range, meaning of 0 | what it says |\n"
                       "|---|---|---|---|---|\n";
    for (const auto& one : options) {
        text += fmt::format("| `{}` | {} | {} | {} | {} |\n", one.key, one.unit, one.standard,
                            one.range, one.meaning);
    }
    return text;
}

} // namespace shaddock::config
