// Tables of plugins of every size and version, as an entry point may hand them over. What is taken
// has a name and the functions it says it has; nothing beyond its struct_size is looked at.
#include <cstdlib>
#include <memory>

#include "plugins/host/serializer.hpp"
#include "tests/fuzz/input.hpp"

namespace holdfast::testing {
namespace {

struct freed {
  void operator()(void* at) const { std::free(at); }
};
std::vector<std::unique_ptr<void, freed>> tables;
std::string table_name;

int create(holdfast_call*, holdfast_slice, void** instance) {
  *instance = nullptr;
  return HOLDFAST_OK;
}
void destroy(void*) {}
int decode(void*, holdfast_call* call, const holdfast_slice* parts, size_t count) {
  return count == 1 ? call->append(call, parts[0].data, parts[0].size) : HOLDFAST_MALFORMED;
}
int encode(void*, holdfast_call* call, holdfast_slice document) {
  return call->append(call, document.data, document.size);
}

const holdfast_serializer* entry(std::uint32_t, std::uint32_t number) {
  if (number >= tables.size()) return nullptr;
  return static_cast<const holdfast_serializer*>(tables[number].get());
}

// Of exactly as many bytes as it says, at least those that say so: who reads on is seen.
void add_table(fuzz_input& in) {
  holdfast_serializer table{};
  const auto size = in.take<std::uint8_t>();
  const auto fields = in.take<std::uint8_t>();
  table.struct_size = size;
  table.major = in.take<std::uint8_t>() % 3;
  table.abilities = in.take<std::uint32_t>();
  table.name = (fields & 1) != 0 ? table_name.c_str() : nullptr;
  table.create = (fields & 2) != 0 ? create : nullptr;
  table.destroy = (fields & 4) != 0 ? destroy : nullptr;
  table.decode = (fields & 8) != 0 ? decode : nullptr;
  table.encode = (fields & 16) != 0 ? encode : nullptr;
  const std::size_t room = std::max<std::size_t>(size, sizeof table.struct_size);
  void* made = std::calloc(1, room);
  std::memcpy(made, &table, std::min(room, sizeof table));
  tables.emplace_back(made);
}

void use(const plugins::serializer_type& type, bytes_view bytes) {
  must(plugins::valid_name(type.name()) && type.name() == table_name);
  plugins::call_limits limits;
  limits.output_bytes = 16;
  auto made = plugins::serializer::create(type, {}, limits, []() noexcept { return instant{}; });
  must(made.ok());
  plugins::output into;
  const status outcome = made->decode({&bytes, 1}, into);
  must(outcome.ok() == (type.can(HOLDFAST_CAN_DECODE) && bytes.size() <= limits.output_bytes));
  must(into.bytes().size() == (outcome.ok() ? bytes.size() : 0));
  plugins::output parts;
  must(made->encode(bytes, parts).ok() || parts.bytes().empty());
  must(type.can(HOLDFAST_CAN_VALIDATE) || made->validate({&bytes, 1}).ok() == outcome.ok());
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  tables.clear();
  const holdfast::bytes_view name = in.take_piece();
  table_name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  table_name = table_name.c_str();  // ends at its first zero
  for (int i = in.take<std::uint8_t>() % 4; i > 0; --i) add_table(in);
  const auto types = holdfast::plugins::read_tables(entry, "made up");
  if (!types) {
    must(!types.text().empty());
    return 0;
  }
  must(types->size() == tables.size());
  for (const auto& type : *types) use(type, in.rest());
  return 0;
}
