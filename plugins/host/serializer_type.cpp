#include "plugins/host/serializer_type.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast::plugins {
namespace {

constexpr std::size_t table_bytes_min = offsetof(holdfast_serializer, validate);

std::string version_text(std::uint32_t major) {
  return std::to_string(major) + ".x";
}

// Our own copy of a table of any size.
result<serializer_type> adopt(const holdfast_serializer& given, const std::string& origin) {
  const auto bad = [&](errc kind, const std::string& why) {
    return status{kind, "plugin '" + origin + "': " + why};
  };
  if (given.struct_size < offsetof(holdfast_serializer, minor))
    return bad(errc::invalid, "its table says it has " + std::to_string(given.struct_size) +
                                  " bytes; set struct_size to sizeof(holdfast_serializer)");
  if (given.major != HOLDFAST_PLUGIN_MAJOR)
    return bad(errc::unsupported, "it is built for plugin interface " + version_text(given.major) +
                                      ", this build speaks " + version_text(HOLDFAST_PLUGIN_MAJOR) +
                                      "; build it with this version's <holdfast/plugin.h>");
  if (given.struct_size < table_bytes_min)
    return bad(errc::invalid, "its table ends before `encode` (" +
                                  std::to_string(given.struct_size) + " bytes, at least " +
                                  std::to_string(table_bytes_min) + ")");
  serializer_type made{{}, origin};
  std::memcpy(&made.table, &given, std::min<std::size_t>(given.struct_size, sizeof made.table));
  if (made.table.name == nullptr || !valid_name(made.table.name))
    return bad(errc::invalid, "a serializer needs a name of a-z, 0-9, '_' and '-', 1 to 64 long");
  if (made.table.create == nullptr || made.table.destroy == nullptr)
    return bad(errc::invalid,
               "serializer '" + std::string(made.name()) + "' lacks create or destroy");
  return made;
}

}  // namespace

bool serializer_type::can(holdfast_ability ability) const noexcept {
  if ((table.abilities & static_cast<std::uint32_t>(ability)) == 0) return false;
  switch (ability) {
    case HOLDFAST_CAN_DECODE: return table.decode != nullptr;
    case HOLDFAST_CAN_ENCODE: return table.encode != nullptr;
    case HOLDFAST_CAN_VALIDATE: return table.validate != nullptr;
    case HOLDFAST_CAN_PEEK: return table.peek != nullptr;
    case HOLDFAST_HAS_SCHEMA: return table.schema_of != nullptr;
    case HOLDFAST_WHOLE_MESSAGE: return true;
  }
  return false;
}

bool valid_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= name_bytes_max &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

result<std::vector<serializer_type>> read_tables(holdfast_plugin_entry_function entry,
                                                 const std::string& origin) {
  std::vector<serializer_type> made;
  for (std::uint32_t number = 0; number < serializers_max; ++number) {
    const holdfast_serializer* given = nullptr;
    try {
      given = entry(HOLDFAST_PLUGIN_MAJOR, number);
    } catch (...) {
      return {errc::invalid, "plugin '" + origin + "': its entry point threw an exception"};
    }
    if (given == nullptr) break;
    auto adopted = adopt(*given, origin);
    if (!adopted) return adopted.take_status();
    made.push_back(std::move(*adopted));
  }
  if (made.empty())
    return {errc::unsupported, "plugin '" + origin + "' has no serializer for plugin interface " +
                                   version_text(HOLDFAST_PLUGIN_MAJOR) +
                                   "; build it with this version's <holdfast/plugin.h>"};
  return made;
}

}  // namespace holdfast::plugins
