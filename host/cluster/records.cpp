#include "cluster/records.hpp"

#include "expected.hpp"

namespace shaddock::cluster {

door::server_info info_of(const config::server_record& record) {
    door::server_info info;
    info.id = record.id;
    info.type = record.type;
    info.host = record.host;
    info.client_host = record.client_host;
    info.client_port = record.client_port;
    info.public_port = record.public_port;
    info.is_frontend = record.frontend;
    info.record_json = record.json;
    info.is_leaving = record.leaving.has_value();
    return info;
}

view list_of(const config::system& system) {
    view list{system.epoch, {}, {}};
    for (const auto& record : system.servers) {
        put_into(record.stopped ? list.guests : list.servers, info_of(record));
    }
    return list;
}

} // namespace shaddock::cluster
