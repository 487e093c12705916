#include "tests/journal/image_explorer.hpp"

#include <algorithm>

namespace holdfast::testing {
namespace {

constexpr std::size_t all_combinations_max = 4;  // loose ends
const std::string power_lost = "power lost";
constexpr int whole = virtual_file::sector;
constexpr std::uint64_t opening_operations = 14;  // about so many: where it is cut

}  // namespace

image_explorer::choice image_explorer::one_apart(std::size_t count, int all, int one) {
  choice made(count, all);
  made[random_.below(count)] = one;
  return made;
}

// In the order written, and everything behind some point is lost.
image_explorer::choice image_explorer::prefix(const std::vector<loose_end>& ends) {
  const std::uint64_t cut = ends[random_.below(ends.size())].order;
  choice made;
  for (const loose_end& end : ends) made.push_back(end.order <= cut ? whole : 0);
  return made;
}

image_explorer::choice image_explorer::by_file(const std::vector<loose_end>& ends) {
  std::map<std::string, int> files;
  for (const loose_end& end : ends) files[end.name + (end.is_name ? "=" : "")] = 0;
  for (auto& [name, keep] : files) keep = random_.chance(50) ? whole : 0;
  choice made;
  for (const loose_end& end : ends) made.push_back(files[end.name + (end.is_name ? "=" : "")]);
  return made;
}

image_explorer::choice image_explorer::mixed(const std::vector<loose_end>& ends) {
  choice made;
  for (const loose_end& end : ends) {
    const int part = static_cast<int>(random_.below(whole));
    const std::uint64_t what = end.is_name ? random_.below(2) : random_.below(4);
    made.push_back(what == 0 ? 0 : what == 1 ? whole : what == 2 ? part : -part);
  }
  return made;
}

std::vector<image_explorer::choice> image_explorer::choices(const std::vector<loose_end>& ends) {
  std::vector<choice> all;
  const std::size_t n = ends.size();
  if (n <= all_combinations_max) {
    for (std::size_t bits = 0; bits < (std::size_t{1} << n); ++bits) {
      choice& made = all.emplace_back(n);
      for (std::size_t i = 0; i < n; ++i) made[i] = (bits >> i & 1) != 0 ? whole : 0;
    }
    if (n != 0) all.push_back(mixed(ends));
    return all;
  }
  all.emplace_back(n, 0);
  all.emplace_back(n, whole);
  all.push_back(one_apart(n, whole, 0));
  all.push_back(one_apart(n, 0, whole));
  all.push_back(prefix(ends));
  all.push_back(by_file(ends));
  choice random_one;
  for (std::size_t i = 0; i < n; ++i) random_one.push_back(random_.chance(50) ? whole : 0);
  all.push_back(std::move(random_one));
  all.push_back(mixed(ends));
  all.push_back(mixed(ends));
  return all;
}

void image_explorer::look(workload& w) {
  if (!wrong_.empty()) return;
  ++moments_;
  const virtual_disk& disk = w.r.disk;
  const std::size_t power = w.accepted(crash_mode::power);
  for (const choice& kept : choices(disk.loose_ends()))
    take(w, disk.without_power(kept, random_.next()), power, power, power_lost);
  if (!kills_) return;
  const std::size_t written = w.accepted(crash_mode::process);
  take(w, disk.killed(0, random_.next()), written, power, "killed");
  take(w, disk.killed(random_.below(4096), random_.next()), written, power, "killed in a write");
}

bool image_explorer::fresh(const virtual_disk& disk, std::size_t must) {
  return seen_.insert(disk.fingerprint() + must * 0x9e3779b97f4a7c15ULL).second;
}

// A crash while the image is being opened, or right after.
image_explorer::found_image image_explorer::crash_of(virtual_disk& opening, std::size_t must,
                                                     std::size_t power_must) {
  const std::string at = ", then in the opening at operation ";
  if (kills_ && random_.chance(30))
    return {opening.killed(random_.below(4096), random_.next()), must, 0,
            at + std::to_string(opening.operations()) + ": killed"};
  return {opening.without_power(mixed(opening.loose_ends()), random_.next()), power_must, 0,
          at + std::to_string(opening.operations()) + ": power lost"};
}

void image_explorer::take(const workload& w, std::unique_ptr<virtual_disk> disk, std::size_t must,
                          std::size_t power_must, const std::string& how) {
  if (!wrong_.empty() || !fresh(*disk, must)) return;
  ++images_;
  if (left_out_) disk->leave_out_syncs(left_out_);
  std::vector<found_image> cut;
  std::uint64_t left = 1 + random_.below(opening_operations);
  const bool everywhere = random_.chance(3);
  disk->watch([&](const io_op&) {
    if (!everywhere && --left != 0) return;
    cut.push_back(crash_of(*disk, must, power_must));
  });
  history::hooks then;
  then.opened = [&](std::size_t total) {
    disk->watch({});
    cut.push_back(crash_of(*disk, total, total));
  };
  if (random_.chance(6))
    then.compared = [&](journal& log, std::size_t total) { work_on(w, *disk, log, total); };
  const history::finding found = w.told.check(*disk, w.r.options, must, then);
  if (!wrong_.empty()) return;
  if (!found.wrong.empty()) {
    wrong_ = "image " + std::to_string(images_) + " (" + how + "): " + found.wrong;
    return;
  }
  for (found_image& image : cut) {
    // What a power failure left is durable: opening it again can find nothing else.
    if (how == power_lost) image.exactly = found.total;
    image.how = how + image.how;
    take_nested(w, std::move(image));
  }
}

// What was recovered is a journal like any other: the next record it accepts is there after the
// next power failure.
void image_explorer::work_on(const workload& w, virtual_disk& disk, journal& log,
                             std::size_t total) {
  append_item next = block_item(1, w.told.places_at(total)[1].next, 1, 300);
  if (log.available().message_bytes < 1000) return;
  history told = w.told;
  told.cut(total);
  told.add(next);
  log.append({&next, 1});
  for (int i = 0; i < 100 && log.progress().synced == 0; ++i) continue;
  const std::vector<loose_end> ends = disk.loose_ends();
  const choice kept = random_.chance(50) ? choice(ends.size(), 0) : mixed(ends);
  const auto image = disk.without_power(kept, random_.next());
  if (!fresh(*image, total + 1)) return;
  ++images_;
  const history::finding found = told.check(*image, w.r.options, total + 1);
  if (!found.wrong.empty()) wrong_ = "a record accepted after the recovery: " + found.wrong;
}

void image_explorer::take_nested(const workload& w, found_image image) {
  if (!wrong_.empty() || !fresh(*image.disk, image.must)) return;
  ++images_;
  ++nested_;
  const history::finding found = w.told.check(*image.disk, w.r.options, image.must);
  if (!found.wrong.empty())
    wrong_ = "image " + std::to_string(images_) + " (" + image.how + "): " + found.wrong;
  else if (image.exactly != 0 && found.total != image.exactly)
    wrong_ = "image " + std::to_string(images_) + " (" + image.how + "): first " +
             std::to_string(image.exactly) + " records were recovered, then " +
             std::to_string(found.total);
}

}  // namespace holdfast::testing
