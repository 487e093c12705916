#include "journal/repair.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include "journal/lock_file.hpp"
#include "journal/reader.hpp"
#include "journal/tool_files.hpp"

namespace holdfast {
namespace {

// "20261127T065509Z"
std::string utc_name(const instant& now) {
  const auto seconds = static_cast<std::time_t>(now.real_ns / second_ns);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return text;
}

status make_if_missing(const std::string& path) {
  return std::filesystem::is_directory(path) ? status{} : make_new_directory(path);
}

// A new directory in DIR/quarantine, named by the time.
result<std::string> make_quarantine(const std::string& directory, const instant& now) {
  const std::string all = directory + "/quarantine";
  if (status made = make_if_missing(all); !made) return made;
  std::string name = all + "/" + utc_name(now);
  for (int more = 2; std::filesystem::exists(name); ++more)
    name = all + "/" + utc_name(now) + "-" + std::to_string(more);
  if (status made = make_new_directory(name); !made) return made;
  return name;
}

std::vector<std::string> files_of(const repair_plan& plan) {
  std::vector<std::string> files;
  for (const repair_step& step : plan.steps) files.push_back(step.file);
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

// Everything that will change, durably, before anything does.
status copy_aside(const std::string& directory, const std::string& quarantine,
                  const repair_plan& plan, const instant& now) {
  if (status made = make_new_directory(quarantine + "/seg"); !made) return made;
  for (const std::string& file : files_of(plan)) {
    const auto in = [&file](std::string where) { return where.append("/").append(file); };
    status copied = copy_file_synced(in(directory), in(quarantine));
    if (!copied) return copied;
  }
  const std::string report = repair_report(plan, now);
  status wrote =
      write_file_synced(quarantine + "/report.json", as_bytes_view(report.data(), report.size()));
  if (!wrote) return wrote;
  for (const std::string& made :
       {quarantine + "/seg", quarantine, directory + "/quarantine", directory})
    if (status synced = sync_directory(made); !synced) return synced;
  return {};
}

status carry_out(const std::string& directory, const repair_step& step) {
  const std::string path = directory + "/" + step.file;
  if (step.what == repair_step::kind::remove) {
    if (status gone = remove_file(path); !gone) return gone;
    return sync_directory(parent_of(path));
  }
  tool_file file(path, tool_file::how::change);
  if (!file.is_open()) return file.opened();
  if (status put = file.write(step.offset, step.bytes); !put) return put;
  return file.sync();
}

// Names of the journal's own files and our sentences: only what JSON cannot take as it is.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string json_of(const repair_step& step) {
  const bool removes = step.what == repair_step::kind::remove;
  std::string text = "{\"file\": " + quoted(step.file) +
                     ", \"change\": " + (removes ? "\"removed\"" : "\"rewritten\"");
  if (!removes)
    text += ", \"offset\": " + std::to_string(step.offset) +
            ", \"size\": " + std::to_string(step.bytes.size());
  return text + ", \"why\": " + quoted(step.why) + "}";
}

std::string json_of(const lasting_damage& row) {
  std::string text = "{\"file\": " + quoted(row.file) +
                     ", \"offset\": " + std::to_string(row.offset) +
                     ", \"position\": " + std::to_string(row.what.position) +
                     ", \"size\": " + std::to_string(row.what.size);
  if (row.what.stream != no_stream) text += ", \"stream\": " + std::to_string(row.what.stream);
  if (row.what.messages.count != 0)
    text += ", \"first_sequence\": " + std::to_string(row.what.messages.first) +
            ", \"count\": " + std::to_string(row.what.messages.count);
  return text + "}";
}

template <class Rows, class Write>
std::string json_list(const Rows& rows, Write write) {
  std::string text;
  for (const auto& row : rows) text += (text.empty() ? "\n    " : ",\n    ") + write(row);
  return "[" + text + (text.empty() ? "]" : "\n  ]");
}

}  // namespace

std::string repair_report(const repair_plan& plan, const instant& now) {
  const auto object = [](const auto& row) { return json_of(row); };
  return "{\n  \"time_ns\": " + std::to_string(now.real_ns) +
         ",\n  \"changes\": " + json_list(plan.steps, object) +
         ",\n  \"left_damaged\": " + json_list(plan.damaged, object) +
         ",\n  \"unsolved\": " + json_list(plan.unsolved, quoted) + "\n}\n";
}

result<repair_outcome> repair_journal(const std::string& directory, const instant& now) {
  if (auto there = journal_reader::open(directory); !there) return there.take_status();
  tool_file lock(directory + "/" + lock_file_name, tool_file::how::create);
  if (!lock.is_open()) return lock.opened();
  if (!lock.lock())
    return {errc::in_use, directory + ": a device has this journal open; stop it first"};
  repair_outcome outcome;
  auto plan = look_for_repairs(directory);
  if (!plan) return plan.take_status();
  outcome.plan = std::move(plan).value();
  if (outcome.plan.steps.empty()) return outcome;
  auto quarantine = make_quarantine(directory, now);
  if (!quarantine) return quarantine.take_status();
  outcome.quarantine = *quarantine;
  status done = copy_aside(directory, outcome.quarantine, outcome.plan, now);
  for (const repair_step& step : outcome.plan.steps)
    if (done) done = carry_out(directory, step);
  if (!done) return done;
  auto after = look_for_repairs(directory);
  if (!after) return after.take_status();
  outcome.after = std::move(after).value();
  return outcome;
}

}  // namespace holdfast
