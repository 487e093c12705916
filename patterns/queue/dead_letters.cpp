#include "patterns/queue/dead_letters.hpp"

namespace holdfast {

void dead_letters::add(dead_letter letter) {
  if (!letters_.empty()) {  // a run that dies message by message stays one row
    dead_letter& last = letters_.back();
    if (last.messages.end() == letter.messages.first && last.why == letter.why &&
        last.failed == letter.failed && last.time_ns == letter.time_ns &&
        last.reason == letter.reason) {
      last.messages.count += letter.messages.count;
      return;
    }
  }
  letters_.push_back(std::move(letter));
}

void dead_letters::write(state_writer& row) const {
  row.u32(static_cast<std::uint32_t>(letters_.size()));
  for (const dead_letter& l : letters_) {
    row.u64(l.messages.first);
    row.u64(l.messages.count);
    row.u8(static_cast<std::uint8_t>(l.why));
    row.u16(l.failed);
    row.u64(l.time_ns);
    row.text(l.reason);
  }
}

void dead_letters::read(state_reader& row) {
  letters_.clear();
  const std::uint32_t count = row.u32();
  for (std::uint32_t i = 0; i < count && !row.failed(); ++i) {
    dead_letter l;
    l.messages.first = row.u64();
    l.messages.count = row.u64();
    l.why = static_cast<failure>(row.u8());
    l.failed = row.u16();
    l.time_ns = row.u64();
    l.reason = row.text();
    letters_.push_back(std::move(l));
  }
}

}  // namespace holdfast
