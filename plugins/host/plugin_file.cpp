#include "plugins/host/plugin_file.hpp"

#include <dlfcn.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace holdfast::plugins {
namespace {

std::string quoted(const std::string& path) {
  return "plugin '" + path + "'";
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

status not_for_all(const std::string& plugin, const std::string& place) {
  struct stat facts {};
  if (::stat(place.c_str(), &facts) != 0)
    return {errc::not_found,
            quoted(plugin) + " cannot be loaded: " + std::strerror(errno) + ": '" + place + "'"};
  if ((facts.st_mode & S_IWOTH) == 0) return {};
  return {errc::denied, quoted(plugin) + " is not loaded: anybody may write to '" + place +
                            "', and would run with the rights of this process; chmod o-w it"};
}

}  // namespace

status safe_to_load(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (!real)
    return {errc::not_found, quoted(path) + " cannot be loaded: " + std::strerror(errno) +
                                 "; give the path of a shared object"};
  const std::string target = real.get();
  struct stat facts {};
  if (::stat(target.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode))
    return {errc::invalid, quoted(path) + " is no file; give the path of a shared object"};
  for (const std::string& place : {target, directory_of(target), directory_of(path)})
    if (status safe = not_for_all(path, place); !safe) return safe;
  return {};
}

result<std::vector<serializer_type>> load_plugin(const std::string& path) {
  if (status safe = safe_to_load(path); !safe) return safe;
  // Without a slash the loader would search the system's directories.
  const std::string place = path.find('/') == std::string::npos ? "./" + path : path;
  void* handle = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    return {errc::invalid, quoted(path) + " cannot be loaded: " + ::dlerror() +
                               "; build it as a shared object for this machine"};
  void* symbol = ::dlsym(handle, HOLDFAST_PLUGIN_ENTRY);
  if (symbol == nullptr)
    return {errc::invalid, quoted(path) +
                               " is no Holdfast plugin: it does not export "
                               "holdfast_plugin_entry(); see <holdfast/plugin.h>"};
  return read_tables(reinterpret_cast<holdfast_plugin_entry_function>(symbol), path);
}

}  // namespace holdfast::plugins
