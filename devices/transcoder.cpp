#include "devices/transcoder.hpp"

#include "devices/serializers.hpp"

namespace holdfast {
namespace {

status needs(const plugins::serializer& one, holdfast_ability ability, const char* verb) {
  if (one.type().can(ability)) return {};
  return {errc::unsupported, "serializer '" + std::string(one.type().name()) + "' (" +
                                 one.type().origin + ") cannot " + verb};
}

}  // namespace

result<std::unique_ptr<message_transform>> transcoder::open(std::string_view from,
                                                            std::string_view to) {
  plugins::registry known = make_registry();
  auto reads = open_serializer(known, from);
  if (!reads) return reads.take_status();
  auto writes = open_serializer(known, to);
  if (!writes) return writes.take_status();
  if (status able = needs(*reads, HOLDFAST_CAN_DECODE, "decode"); !able) return able;
  if (status able = needs(*writes, HOLDFAST_CAN_ENCODE, "encode"); !able) return able;
  return std::unique_ptr<message_transform>(
      std::make_unique<transcoder>(std::move(*reads), std::move(*writes)));
}

std::span<const bytes_view> transcoder::apply(std::span<const bytes_view> message) {
  last_ = convert(message);
  return last_ ? std::span<const bytes_view>(parts_) : message;
}

void transcoder::sent() {
  if (last_) {
    ++report_.changed;
  } else {
    ++report_.failed;
    report_.last_failure = last_.text();
  }
}

status transcoder::convert(std::span<const bytes_view> message) {
  const auto own = from_.own_parts(message);
  if (status told = from_.decode(own, document_); !told) return told;
  if (status told = to_.encode(document_.bytes(), made_); !told) return told;
  parts_.assign(message.begin(), message.end() - static_cast<std::ptrdiff_t>(own.size()));
  for (std::size_t i = 0; i < made_.parts(); ++i) parts_.push_back(made_.part(i));
  return {};
}

}  // namespace holdfast
