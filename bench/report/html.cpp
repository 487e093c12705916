#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "bench/report/plots.hpp"
#include "bench/report/report.hpp"
#include "bench/report/words.hpp"

namespace holdfast::bench {
namespace {

constexpr const char* head = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast, side by side</title>
<style>
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1d2329; --quiet: #68727c; --line: #dcdad3;
  --own: #0b7a75; --plain: #9aa3ab; --peer: #c98b2b; --producer: #7fb7be; --broker: #0b7a75;
  --consumer: #c9b79c; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181c; --ink: #e4e7ea; --quiet: #8d98a3;
  --line: #2c343b; --own: #3fc1b8; --plain: #66717b; --peer: #e0a94f; --producer: #55858b;
  --broker: #3fc1b8; --consumer: #8c7d63; } }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.9rem; margin: 0 0 .3rem; } h2 { margin: 3rem 0 .2rem; }
h3 { margin: 1.6rem 0 .2rem; font-size: 1rem; color: var(--quiet); font-weight: 600; }
p, li { color: var(--quiet); max-width: 44rem; } p.machine { font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; font: 13px system-ui, sans-serif; }
.own { fill: var(--own); } .plain { fill: var(--plain); } .peer { fill: var(--peer); }
.producer { fill: var(--producer); } .broker { fill: var(--broker); }
.consumer { fill: var(--consumer); }
text { fill: var(--ink); } text.name { text-anchor: end; fill: var(--ink); }
text.name.own { font-weight: 650; } text.mark { text-anchor: middle; fill: var(--quiet); font-size: 11px; }
text.value { fill: var(--quiet); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); } .base { stroke: var(--ink); stroke-width: 1.5; }
.range { stroke: var(--ink); stroke-width: 1.2; opacity: .55; }
.key span { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin: 0 .3em 0 1em; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; width: 100%;
  font-variant-numeric: tabular-nums; margin-top: 1rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; } th { color: var(--quiet); font-weight: 600; }
td:nth-child(2), th:nth-child(2), td:nth-child(3), th:nth-child(3) { text-align: left; }
tr.own td { color: var(--own); } details { margin-top: .6rem; color: var(--quiet); }
</style></head><body>
<h1>Holdfast, side by side</h1>
<p>The same work for all, in turn on one machine: one producer, one broker, one consumer, each a
process; every message is numbered and its bytes are checked. Ratios are taken in each round for
itself and travel; the figures beside them belong to this machine.</p>
)";

constexpr const char* cpu_key =
    "<h3>CPU time per message</h3>\n<p class=\"key\">"
    "<span style=\"background:var(--producer)\"></span>producer"
    "<span style=\"background:var(--broker)\"></span>broker"
    "<span style=\"background:var(--consumer)\"></span>consumer</p>\n";

std::string cell(const std::string& text) {
  return "<td>" + escaped(text) + "</td>";
}

std::string table_row(const row& of) {
  std::string made = fmt::format("<tr class=\"{}\">", family(of)) + cell(size_word(of.bytes)) +
                     cell(of.path) + cell(of.durability);
  if (of.rounds == 0)
    return made + "<td colspan=\"9\">" + escaped(of.failures.front()) + "</td></tr>\n";
  if (of.by == measured::time)
    made += cell(time_word(of.p50_us)) + cell(time_word(of.p99_us)) + cell(time_word(of.p999_us));
  else
    made += cell(count_word(of.messages_per_s.median)) +
            cell(bytes_word(of.messages_per_s.median * static_cast<double>(of.bytes))) +
            cell(time_word(of.producer_us)) + cell(time_word(of.broker_us)) +
            cell(time_word(of.consumer_us)) + cell(bytes_word(of.broker_peak_bytes));
  return made + cell(ratio_word(of.ratio.median)) +
         cell(ratio_word(of.ratio.least) + " - " + ratio_word(of.ratio.most)) +
         cell(std::to_string(of.rounds)) + "</tr>\n";
}

std::string table_of(const rows& of) {
  std::string made =
      "<div class=\"scroll\"><table><tr><th>size</th><th>path</th><th>durability</th>";
  made += of.front().by == measured::time
              ? "<th>p50</th><th>p99</th><th>p99.9</th>"
              : "<th>msg/s</th><th>bytes/s</th><th>producer</th><th>broker</th><th>consumer</th>"
                "<th>broker's peak</th>";
  made += "<th>ratio</th><th>range</th><th>rounds</th></tr>\n";
  for (const row& one : of) made += table_row(one);
  return made + "</table></div>\n";
}

std::string settings_of(const rows& of) {
  std::string made = "<details><summary>Settings</summary><ul>\n";
  std::vector<std::string> seen;
  for (const row& one : of) {
    const std::string name = one.path + ", " + one.durability;
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
    seen.push_back(name);
    made += "<li><b>" + escaped(name) + "</b>: " + escaped(one.settings) + "</li>\n";
  }
  return made + "</ul></details>\n";
}

template <class same>
rows those(const rows& of, same holds) {
  rows some;
  std::copy_if(of.begin(), of.end(), std::back_inserter(some), holds);
  return some;
}

template <class field>
std::vector<field> kinds_of(const rows& of, field row::*which) {
  std::vector<field> seen;
  for (const row& one : of)
    if (std::find(seen.begin(), seen.end(), one.*which) == seen.end()) seen.push_back(one.*which);
  return seen;
}

std::string plots_of(const rows& part) {
  std::string made;
  for (const std::size_t bytes : kinds_of(part, &row::bytes)) {
    const rows drawn =
        those(part, [&](const row& one) { return one.bytes == bytes && one.rounds > 0; });
    if (drawn.empty()) continue;
    const bool timed = drawn.front().by == measured::time;
    made += "<h3>" + size_word(bytes) + (timed ? ": p50, p99, p99.9" : ": rate, beside zmq_proxy") +
            "</h3>\n" + (timed ? time_plot(drawn) : ratio_plot(drawn) + cpu_key + cpu_plot(drawn));
  }
  return made;
}

}  // namespace

void write_html(const report& of, std::ostream& to) {
  to << head
     << fmt::format("<p class=\"machine\">{}. Load average {:.1f} before, {:.1f} after.</p>\n",
                    escaped(of.machine), of.load_before, of.load_after);
  for (const std::string& name : kinds_of(of.all, &row::part)) {
    const rows part = those(of.all, [&](const row& one) { return one.part == name; });
    to << "<h2>" << escaped(name) << "</h2>\n"
       << plots_of(part) << table_of(part) << settings_of(part);
  }
  to << "</body></html>\n";
}

}  // namespace holdfast::bench
