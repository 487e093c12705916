// image_explorer: what a crash at this moment could leave on the disk, image by image, each opened
// and compared with the history. Few loose ends are tried in every combination; of many, the
// corners (all old, all new, one missing, one alone, a prefix in the order written, whole files)
// and random ones with mixed sectors. Opening an image is itself cut by crashes, and what is found
// after those must be the same.
//
// Contract: everything follows from the seed. An image counts once, however often it occurs.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "tests/journal/workload.hpp"

namespace holdfast::testing {

class image_explorer {
 public:
  explicit image_explorer(std::uint64_t seed, bool kills = true) : random_(seed), kills_(kills) {}

  /// Looks at all that can be found after a crash now. Nothing more is done once something is
  /// wrong.
  void look(workload& w);

  /// The disk is sound, but leaves these out while an image is opened.
  void leave_out_syncs(virtual_disk::chooser in_images) { left_out_ = std::move(in_images); }

  const std::string& wrong() const noexcept { return wrong_; }
  std::uint64_t images() const noexcept { return images_; }  ///< all different
  std::uint64_t nested() const noexcept { return nested_; }  ///< of these, in recovery
  std::uint64_t moments() const noexcept { return moments_; }

 private:
  using choice = std::vector<int>;  // as in virtual_disk::without_power
  std::vector<choice> choices(const std::vector<loose_end>& ends);
  choice one_apart(std::size_t count, int all, int one);
  choice prefix(const std::vector<loose_end>& ends);
  choice by_file(const std::vector<loose_end>& ends);
  choice mixed(const std::vector<loose_end>& ends);
  struct found_image {
    std::unique_ptr<virtual_disk> disk;
    std::size_t must = 0;
    std::size_t exactly = 0;  // 0: unknown
    std::string how;
  };
  void take(const workload& w, std::unique_ptr<virtual_disk> disk, std::size_t must,
            std::size_t power_must, const std::string& how);
  void work_on(const workload& w, virtual_disk& disk, journal& log, std::size_t total);
  void take_nested(const workload& w, found_image image);
  bool fresh(const virtual_disk& disk, std::size_t must);
  found_image crash_of(virtual_disk& opening, std::size_t must, std::size_t power_must);

  random_source random_;
  bool kills_;
  virtual_disk::chooser left_out_;
  std::unordered_set<std::uint64_t> seen_;
  std::string wrong_;
  std::uint64_t images_ = 0, nested_ = 0, moments_ = 0;
};

}  // namespace holdfast::testing
