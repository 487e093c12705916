// Finding and loading plugins: what is refused says what, which path, why, and what to do.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "plugins/host/plugin_file.hpp"
#include "plugins/host/registry.hpp"
#include "plugins/json/json.hpp"
#include "plugins/raw/raw.hpp"
#include "tests/temporary_directory.hpp"

using namespace holdfast;
using namespace holdfast::plugins;
namespace fs = std::filesystem;

namespace {

std::string module(const std::string& name) {
  return std::string(HOLDFAST_TEST_MODULES) + "/" + name + ".so";
}

struct directory {
  testing::temporary_directory own;
  fs::path path = own.path;

  std::string copy(const std::string& name, const std::string& as) const {
    fs::copy_file(module(name), path / as);
    return path / as;
  }
};

bool says(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words)
    if (text.find(word) == text.npos) return false;
  return true;
}

}  // namespace

TEST_CASE("a plugin loads and tells what it can") {
  const auto loaded = load_plugin(module("shout"));
  REQUIRE_MESSAGE(loaded.ok(), loaded.text());
  REQUIRE(loaded->size() == 1);
  const serializer_type& type = loaded->front();
  CHECK(type.name() == "shout");
  CHECK(type.origin == module("shout"));
  CHECK(type.can(HOLDFAST_CAN_PEEK));
  CHECK_FALSE(type.whole_message());
}

TEST_CASE("a plugin of an older table keeps working, and nothing is read behind it") {
  const auto loaded = load_plugin(module("old"));
  REQUIRE_MESSAGE(loaded.ok(), loaded.text());
  const serializer_type& type = loaded->front();
  CHECK(type.can(HOLDFAST_CAN_DECODE));
  CHECK((type.table.validate == nullptr));
  CHECK_FALSE(type.can(HOLDFAST_CAN_VALIDATE));
  CHECK_FALSE(type.can(HOLDFAST_CAN_ENCODE));  // the bit without the function
}

TEST_CASE("what cannot be loaded is refused in words") {
  struct expected {
    std::string path;
    errc kind;
    std::string_view words;
  };
  directory own;
  std::ofstream(own.path / "text.so") << "no shared object";
  for (const expected& e :
       {expected{"/nowhere/x.so", errc::not_found, "give the path of a shared object"},
        expected{own.path, errc::invalid, "is no file"},
        expected{own.path / "text.so", errc::invalid, "cannot be loaded"},
        expected{module("no_entry"), errc::invalid, "holdfast_plugin_entry"},
        expected{module("next_major"), errc::unsupported, "interface 2.x"},
        expected{module("unwilling"), errc::unsupported, "no serializer for plugin interface 1.x"},
        expected{module("short_table"), errc::invalid, "ends before `encode`"},
        expected{module("nameless"), errc::invalid, "needs a name"}}) {
    const auto refused = load_plugin(e.path);
    REQUIRE_MESSAGE(!refused.ok(), e.path);
    CHECK_MESSAGE(refused.kind() == e.kind, refused.text());
    CHECK_MESSAGE(says(refused.text(), {e.path, e.words}), refused.text());
  }
}

TEST_CASE("what anybody may write to is not loaded: the file, its directory, a link's directory") {
  directory own, other;
  const std::string path = own.copy("shout", "shout.so");
  REQUIRE(load_plugin(path).ok());
  const auto denied = [&](const std::string& name, const fs::path& place) {
    const auto refused = load_plugin(name);
    CHECK(refused.kind() == errc::denied);
    CHECK_MESSAGE(says(refused.text(), {name, "'" + place.string() + "'", "chmod o-w"}),
                  refused.text());
  };
  fs::permissions(path, fs::perms::others_write, fs::perm_options::add);
  denied(path, path);
  fs::permissions(path, fs::perms::others_write, fs::perm_options::remove);
  fs::permissions(own.path, fs::perms::others_write, fs::perm_options::add);
  denied(path, own.path);

  const std::string link = other.path / "link.so";
  fs::create_symlink(path, link);
  denied(link, own.path);
  fs::permissions(own.path, fs::perms::others_write, fs::perm_options::remove);
  CHECK(load_plugin(link).ok());
  fs::permissions(other.path, fs::perms::others_write, fs::perm_options::add);
  denied(link, other.path);
}

TEST_CASE("a name means the built-in, then the first directory") {
  directory first, second;
  registry known({first.path, second.path});
  known.add_built_in(holdfast_raw_entry);
  known.add_built_in(holdfast_json_entry);
  second.copy("shout", "shout.so");
  second.copy("shout", "json.so");
  second.copy("shout", "mumble.so");

  CHECK((*known.find("json"))->origin == "built in");
  CHECK((*known.find("shout"))->origin == second.path / "shout.so");
  first.copy("shout", "shout.so");
  CHECK((*known.find("shout"))->origin == first.path / "shout.so");
  CHECK((*known.find((second.path / "mumble.so").string()))->name() == "shout");
  CHECK((*known.find((second.path / "mumble.so").string() + "#shout"))->name() == "shout");

  const auto wrong_name = known.find("mumble");
  CHECK_MESSAGE(says(wrong_name.text(), {"no serializer 'mumble'", "'shout'"}), wrong_name.text());
  const auto nowhere = known.find("nothing");
  CHECK(nowhere.kind() == errc::not_found);
  CHECK_MESSAGE(says(nowhere.text(), {"'nothing'", first.path.string(), second.path.string(),
                                      "holdfast plugin ls"}),
                nowhere.text());
  CHECK(known.find("../shout").kind() == errc::not_found);
  CHECK(known.find("").kind() == errc::not_found);
}

TEST_CASE("the list shows all that can be found, loads nothing and says what is not usable") {
  directory first, second;
  registry known({first.path, second.path, "/nowhere"});
  known.add_built_in(holdfast_raw_entry);
  first.copy("next_major", "next.so");
  second.copy("next_major", "next.so");
  fs::permissions(second.copy("shout", "shout.so"), fs::perms::others_write, fs::perm_options::add);
  std::ofstream(first.path / "README") << "no plugin";
  const auto all = known.list();
  REQUIRE(all.size() == 4);
  CHECK(all[0].name == "raw");
  CHECK(all[1].name == "next");
  CHECK(all[1].usable.ok());
  CHECK(all[2].usable.kind() == errc::in_use);
  CHECK(all[3].usable.kind() == errc::denied);
}

TEST_CASE("directories to search") {
  using list = std::vector<std::string>;
  CHECK(plugin_directories("", "/i") == list{"/i"});
  CHECK(plugin_directories("/a::/b:", "/i") == list{"/a", "/b", "/i"});
  CHECK(plugin_directories("/a", "") == list{"/a"});
}
