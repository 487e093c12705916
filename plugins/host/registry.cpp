#include "plugins/host/registry.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/check.hpp"
#include "plugins/host/plugin_file.hpp"

namespace holdfast::plugins {
namespace {

constexpr std::string_view built_in = "built in";
constexpr std::string_view suffix = ".so";

// The names of the plugins in a directory, sorted.
std::set<std::string> names_in(const std::string& directory) {
  std::set<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), &::closedir);
  while (const dirent* one = open ? ::readdir(open.get()) : nullptr) {
    std::string_view name = one->d_name;
    if (!name.ends_with(suffix)) continue;
    name.remove_suffix(suffix.size());
    if (valid_name(name)) names.emplace(name);
  }
  return names;
}

}  // namespace

void registry::add_built_in(holdfast_plugin_entry_function entry) {
  auto made = read_tables(entry, std::string(built_in));
  check(made.ok(), "a built-in serializer has a good table");
  for (serializer_type& type : *made) types_.push_back(std::move(type));
}

const serializer_type* registry::known(std::string_view name, std::string_view origin) const {
  for (const serializer_type& type : types_)
    if (type.origin == origin && (name.empty() || type.name() == name)) return &type;
  return nullptr;
}

result<const serializer_type*> registry::find(std::string_view reference) {
  const std::size_t mark = reference.rfind('#');
  const std::string path(reference.substr(0, mark));
  if (path.find('/') != path.npos || path.ends_with(suffix)) {
    return load(path, mark == reference.npos ? std::string_view{} : reference.substr(mark + 1));
  }
  std::string looked;
  if (valid_name(reference)) {
    if (const serializer_type* found = known(reference, built_in)) return found;
    for (const std::string& directory : directories_) {
      const std::string place = directory + "/" + std::string(reference) + std::string(suffix);
      if (::access(place.c_str(), F_OK) == 0) return load(place, reference);
      looked += looked.empty() ? "'" + directory + "'" : ", '" + directory + "'";
    }
  }
  return {errc::not_found,
          "there is no serializer '" + std::string(reference) + "': it is not built in" +
              (looked.empty() ? "" : " and not in " + looked) +
              "; holdfast plugin ls shows all, a path with a / or .so names a file"};
}

result<const serializer_type*> registry::load(const std::string& path, std::string_view name) {
  if (const serializer_type* found = known(name, path)) return found;
  auto made = load_plugin(path);
  if (!made) return made.take_status();
  std::string names;
  for (const serializer_type& type : *made) {
    names += (names.empty() ? "'" : ", '") + std::string(type.name()) + "'";
    if (known(type.name(), path) == nullptr) types_.push_back(type);
  }
  if (const serializer_type* found = known(name, path)) return found;
  return {errc::not_found,
          "plugin '" + path + "' has no serializer '" + std::string(name) + "', only " + names};
}

std::vector<registry::listed> registry::list() const {
  std::vector<listed> all;
  std::set<std::string> seen;
  const auto add = [&](std::string name, std::string origin, status usable) {
    if (!seen.insert(name).second)
      usable = {errc::in_use, "another serializer '" + name + "' comes first"};
    all.push_back({std::move(name), std::move(origin), std::move(usable)});
  };
  for (const serializer_type& type : types_)
    if (type.origin == built_in) add(std::string(type.name()), type.origin, {});
  for (const std::string& directory : directories_)
    for (const std::string& name : names_in(directory)) {
      const std::string path = directory + "/" + name + std::string(suffix);
      add(name, path, safe_to_load(path));
    }
  return all;
}

std::vector<std::string> plugin_directories(std::string_view search_path, std::string installed) {
  std::vector<std::string> all;
  while (!search_path.empty()) {
    const std::size_t end = std::min(search_path.find(':'), search_path.size());
    if (end > 0) all.emplace_back(search_path.substr(0, end));
    search_path.remove_prefix(std::min(end + 1, search_path.size()));
  }
  if (!installed.empty()) all.push_back(std::move(installed));
  return all;
}

}  // namespace holdfast::plugins
