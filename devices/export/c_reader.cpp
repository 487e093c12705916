// The C interface of journal_reader.h on the follower. No exception gets out: every call that can
// allocate goes through guarded().
#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "devices/export/journal_names.hpp"
#include "holdfast/journal_reader.h"
#include "journal/follower.hpp"
#include "journal/reader.hpp"
#include "patterns/block.hpp"

struct holdfast_journal {
  std::optional<holdfast::journal_follower> follower;
  holdfast::journal_names names;
  holdfast::record_view record;
  std::optional<holdfast::entry_walker> entries;
  std::uint64_t entry_number = 0;
  std::vector<holdfast::bytes_view> parts;
  std::string error;
};

namespace holdfast {
namespace {

constexpr std::uint64_t dt_unit_ns = 16'000;

holdfast_bytes to_c(bytes_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}
holdfast_bytes to_c(std::string_view text) {
  return to_c(as_bytes_view(text.data(), text.size()));
}

int fail(holdfast_journal& in, std::string_view why) {
  in.error = why;
  return HOLDFAST_JOURNAL_FAILED;
}

template <class F>
int guarded(holdfast_journal* in, F&& call) noexcept {
  if (in == nullptr) return HOLDFAST_JOURNAL_FAILED;
  try {
    in->error.clear();
    return call(*in);
  } catch (const std::exception& thrown) {
    // Short enough to need no memory: there may be none.
    in->error.assign(thrown.what(), std::min<std::size_t>(std::strlen(thrown.what()), 15));
  } catch (...) {
    in->error.assign("internal error");
  }
  return HOLDFAST_JOURNAL_FAILED;
}

template <class T>
int check_room(holdfast_journal& in, const T* into) {
  if (into != nullptr && into->struct_size >= sizeof into->struct_size) return HOLDFAST_JOURNAL_OK;
  return fail(in, "struct_size is not set: write into->struct_size = sizeof *into");
}

// Copies what the caller has room for.
template <class T>
int give(T made, T* into) {
  made.struct_size = into->struct_size;
  std::memcpy(into, &made, std::min<std::size_t>(made.struct_size, sizeof made));
  return HOLDFAST_JOURNAL_OK;
}

int open(holdfast_journal& in, const char* directory, std::uint32_t major, std::uint64_t from) {
  if (major != HOLDFAST_JOURNAL_MAJOR)
    return fail(in, "this library has version " + std::to_string(HOLDFAST_JOURNAL_MAJOR) +
                        " of the interface, not " + std::to_string(major) +
                        ": compile against its own holdfast/journal_reader.h");
  if (directory == nullptr) return fail(in, "no directory was given");
  auto reader = journal_reader::open(directory);
  if (!reader) return fail(in, reader.text());
  auto follower = journal_follower::open(directory, from, system_now);
  if (!follower) return fail(in, follower.text());
  in.follower.emplace(std::move(*follower));
  if (const checkpoint_info* newest = (*reader)->info().newest_checkpoint())
    in.follower->prove(newest->position);
  if (const status told = learn_names(**reader, in.follower->position(), in.names); !told)
    return fail(in, told.text());
  return HOLDFAST_JOURNAL_OK;
}

holdfast_record record_of(const followed& found) {
  holdfast_record made{};
  if (found.what != followed::kind::record) {
    made.position = found.from;
    made.size = found.to - found.from;
    made.stream = found.rot.stream;
    made.first_sequence = found.rot.messages.first;
    made.count = static_cast<std::uint32_t>(found.rot.messages.count);
    made.gap = found.what == followed::kind::trimmed   ? HOLDFAST_GAP_TRIMMED
               : found.what == followed::kind::damaged ? HOLDFAST_GAP_DAMAGED
                                                       : HOLDFAST_GAP_CUT;
    return made;
  }
  const record_head& head = found.seen.record.head;
  made.type = static_cast<std::uint32_t>(head.type);
  made.position = found.seen.record.position;
  made.size = found.seen.size;
  made.flags = head.flags;
  made.count = head.count;
  made.stream = head.stream;
  made.producer = head.producer;
  made.first_sequence = head.first_sequence;
  made.producer_number = head.producer_number;
  made.time_ns = head.time_ns;
  made.watermark = found.seen.watermark;
  made.level = static_cast<std::uint32_t>(head.need);
  made.body = to_c(found.seen.record.body);
  return made;
}

int next(holdfast_journal& in, holdfast_record* into) {
  if (!in.follower) return fail(in, "the journal is not open");
  if (const int room = check_room(in, into); room != HOLDFAST_JOURNAL_OK) return room;
  in.entries.reset();
  in.parts.clear();
  const followed found = in.follower->next();
  if (found.what == followed::kind::idle) return HOLDFAST_JOURNAL_END;
  give(record_of(found), into);
  if (found.what != followed::kind::record) return HOLDFAST_JOURNAL_GAP;
  in.record = found.seen.record;
  in.names.take(in.record);
  in.entry_number = 0;
  if (in.record.head.type == record_type::block) in.entries.emplace(in.record.body);
  return HOLDFAST_JOURNAL_OK;
}

int next_entry(holdfast_journal& in, holdfast_entry* into) {
  if (const int room = check_room(in, into); room != HOLDFAST_JOURNAL_OK) return room;
  entry one;
  in.parts.clear();
  if (!in.entries || !in.entries->next(one)) return HOLDFAST_JOURNAL_END;
  const record_head& head = in.record.head;
  holdfast_entry made{};
  made.is_void = one.voided() ? 1 : 0;
  made.sequence = head.first_sequence + in.entry_number;
  made.time_ns = head.time_ns + one.dt * dt_unit_ns;
  made.producer_number = head.producer == 0 ? 0 : head.producer_number + in.entry_number;
  for_each_part(one, [&](bytes_view part) { in.parts.push_back(part); });
  made.parts = static_cast<std::uint32_t>(in.parts.size());
  made.properties = to_c(one.props);
  ++in.entry_number;
  return give(made, into);
}

int find_stream(holdfast_journal& in, std::uint32_t number, holdfast_stream* into) {
  if (const int room = check_room(in, into); room != HOLDFAST_JOURNAL_OK) return room;
  const stream_def* known = in.names.stream(number);
  if (known == nullptr) return HOLDFAST_JOURNAL_END;
  holdfast_stream made{};
  made.epoch = known->epoch;
  made.channel = to_c(known->channel);
  made.address = to_c(known->address);
  made.pattern = to_c(in.names.pattern(known->channel));
  return give(made, into);
}

int find_producer(holdfast_journal& in, std::uint32_t number, holdfast_bytes* id) {
  const producer_def* known = in.names.producer(number);
  if (known == nullptr || id == nullptr) return HOLDFAST_JOURNAL_END;
  *id = to_c(own_id(*known));
  return HOLDFAST_JOURNAL_OK;
}

}  // namespace
}  // namespace holdfast

using holdfast::guarded;

extern "C" {

std::uint32_t holdfast_journal_version(void) {
  return (HOLDFAST_JOURNAL_MAJOR << 16) + HOLDFAST_JOURNAL_MINOR;
}

int holdfast_journal_open(const char* directory, std::uint32_t major, std::uint64_t from,
                          holdfast_journal** out) {
  if (out == nullptr) return HOLDFAST_JOURNAL_FAILED;
  *out = new (std::nothrow) holdfast_journal;
  return guarded(*out, [&](auto& in) { return holdfast::open(in, directory, major, from); });
}

void holdfast_journal_close(holdfast_journal* journal) {
  delete journal;
}

int holdfast_journal_next(holdfast_journal* journal, holdfast_record* into) {
  return guarded(journal, [&](auto& in) { return holdfast::next(in, into); });
}

std::uint64_t holdfast_journal_position(const holdfast_journal* journal) {
  return journal != nullptr && journal->follower ? journal->follower->position() : 0;
}

int holdfast_journal_next_entry(holdfast_journal* journal, holdfast_entry* into) {
  return guarded(journal, [&](auto& in) { return holdfast::next_entry(in, into); });
}

holdfast_bytes holdfast_journal_part(const holdfast_journal* journal, std::uint32_t index) {
  if (journal == nullptr || index >= journal->parts.size()) return {nullptr, 0};
  return holdfast::to_c(journal->parts[index]);
}

int holdfast_journal_find_stream(holdfast_journal* journal, std::uint32_t stream,
                                 holdfast_stream* into) {
  return guarded(journal, [&](auto& in) { return holdfast::find_stream(in, stream, into); });
}

int holdfast_journal_find_producer(holdfast_journal* journal, std::uint32_t producer,
                                   holdfast_bytes* id) {
  return guarded(journal, [&](auto& in) { return holdfast::find_producer(in, producer, id); });
}

const char* holdfast_journal_error(const holdfast_journal* journal) {
  return journal == nullptr ? "there is no memory" : journal->error.c_str();
}

}  // extern "C"
