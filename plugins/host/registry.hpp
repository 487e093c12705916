// registry: the serializers of this process by name: those built in, and those of plugins.
//
// Contract: one thread. A *reference* is what people write: a name, or the path of a plugin (with a
// slash in it or .so at its end; its first serializer), or PATH#NAME. A name means the built-in
// serializer, else the file NAME.so of the first directory that has one. Loaded plugins stay.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/host/serializer_type.hpp"

namespace holdfast::plugins {

class registry {
 public:
  explicit registry(std::vector<std::string> directories) : directories_(std::move(directories)) {}

  void add_built_in(holdfast_plugin_entry_function entry);
  /// Valid as long as the registry. Errors: not_found (says where was looked), and load_plugin()'s.
  result<const serializer_type*> find(std::string_view reference);

  struct listed {
    std::string name;
    std::string origin;  ///< "built in" or the path
    status usable;       ///< why it would not be loaded: its place, or another one first
  };
  /// Everything that can be found, without loading anything.
  std::vector<listed> list() const;
  const std::vector<std::string>& directories() const noexcept { return directories_; }

 private:
  const serializer_type* known(std::string_view name, std::string_view origin) const;
  result<const serializer_type*> load(const std::string& path, std::string_view name);

  std::vector<std::string> directories_;
  std::deque<serializer_type> types_;  // addresses stay
};

/// "a:b" as directories, empty ones left out, then `installed`.
std::vector<std::string> plugin_directories(std::string_view search_path, std::string installed);

}  // namespace holdfast::plugins
