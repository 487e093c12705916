// plugin_check: tries a serializer on documents and on garbage, as a device would meet them.
#pragma once

#include "devices/cli/plugin_print.hpp"
#include "plugins/host/serializer.hpp"

namespace holdfast::cli {

/// `document`: MessagePack that it must be able to express, or empty. Errors: schema (what it
/// encoded does not come back, or what it decoded is no document), and the serializer's own when it
/// cannot start. `msgpack` judges documents.
result<plugin_verdict> check_serializer(const plugins::serializer_type& type,
                                        plugins::serializer& msgpack, bytes_view document);

}  // namespace holdfast::cli
