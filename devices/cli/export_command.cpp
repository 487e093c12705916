// journal export: what was asked for, out of a journal, as JSON Lines or MCAP.
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "devices/cli/commands.hpp"
#include "devices/cli/decode_option.hpp"
#include "devices/cli/progress.hpp"
#include "devices/cli/report.hpp"
#include "devices/cli/stop_signals.hpp"
#include "devices/export/jsonl_sink.hpp"
#include "devices/export/mcap_sink.hpp"
#include "journal/reader.hpp"

namespace holdfast::cli {
namespace {

// Between two looks at signals and clock.
constexpr std::uint64_t look_every_bytes = 1 << 20;

result<std::string> whole_file(const std::string& name) {
  std::ifstream from(name, std::ios::binary);
  std::ostringstream into;
  into << from.rdbuf();
  if (!from) return status{errc::not_found, "--schema: '" + name + "' cannot be read"};
  return into.str();
}

result<mcap_form> form_of(const export_args& args) {
  mcap_form form;
  form.library = "holdfast " HOLDFAST_VERSION;
  if (!args.encoding.empty()) form.encoding = args.encoding;
  if (args.schema.empty()) return form;
  form.schema_name = args.schema_name;
  form.schema_encoding = args.schema_encoding;
  auto read = whole_file(args.schema);
  if (!read) return read.take_status();
  form.schema = std::move(*read);
  return form;
}

result<std::unique_ptr<message_sink>> open_sink(const export_args& args, output_file& to,
                                                message_decoder* decode) {
  if (args.form == export_args::format::jsonl)
    return std::unique_ptr<message_sink>(std::make_unique<jsonl_sink>(to, decode));
  auto form = form_of(args);
  if (!form) return form.take_status();
  auto made = mcap_sink::open(to, std::move(*form), decode);
  if (!made) return made.take_status();
  return std::unique_ptr<message_sink>(std::move(*made));
}

// One run over the journal.
class exporter {
 public:
  exporter(const export_args& args, journal_reader& from, output_file& to, message_sink& sink,
           stop_signals& signals)
      : args_(args), from_(from), to_(to), sink_(sink), walk_(args.choice), signals_(signals) {}

  int run() {
    auto rows = from_.checkpoint_rows();
    if (!rows) return fail(rows.take_status());
    walk_.names().take_rows(*rows);
    // Lines on the same terminal are progress enough.
    const bool mixed = args_.output.empty() && ::isatty(STDOUT_FILENO) != 0;
    progress shown("export", from_.bytes_before(~std::uint64_t{0}), system_now,
                   mixed ? progress::writer{} : progress::to_terminal());
    auto sum = from_.verify(
        0, [&](const seen_record& seen) { return take(seen, shown); }, walk_.choice());
    shown.end();
    if (!wrote_) return fail(wrote_);
    if (!sum) return fail(sum.take_status());
    if (stopped_) return stopped();
    if (status ended = sink_.finish(); !ended) return fail(ended);
    if (status ended = to_.commit(); !ended) return fail(ended);
    return tell(*sum);
  }

 private:
  bool take(const seen_record& seen, progress& shown) {
    if (seen.record.position >= look_at_) {
      look_at_ = seen.record.position + look_every_bytes;
      shown.at(from_.bytes_before(seen.record.position));
      stopped_ = signals_.take();
    }
    if (stopped_) return false;
    return walk_.feed(seen.record, [this](const stored_message& message) {
      ++messages_;
      wrote_ = sink_.put(message);
      return wrote_.ok();
    });
  }

  int stopped() const {
    complain("export: stopped by a signal" +
             (args_.output.empty() ? std::string("; what was written is not complete")
                                   : "; '" + args_.output + "' was not made"));
    return failed;
  }

  int tell(const verify_summary& sum) const {
    if (!args_.output.empty())
      std::printf("messages %llu, bytes %llu, file %s\n",
                  static_cast<unsigned long long>(messages_),
                  static_cast<unsigned long long>(to_.size()), args_.output.c_str());
    const std::size_t bad = sum.damaged.size() + sum.problems.size();
    if (bad == 0) return done;
    complain("journal '" + args_.directory + "' is damaged in " + std::to_string(bad) +
             " places: everything readable was exported; holdfast journal verify names them");
    return corruption;
  }

  const export_args& args_;
  journal_reader& from_;
  output_file& to_;
  message_sink& sink_;
  message_walk walk_;
  stop_signals& signals_;
  std::uint64_t look_at_ = 0;
  std::uint64_t messages_ = 0;
  status wrote_;
  bool stopped_ = false;
};

}  // namespace

int run(const export_args& args) {
  if (args.form == export_args::format::mcap && args.output.empty() && ::isatty(STDOUT_FILENO) != 0)
    return fail_usage("MCAP is no text for a terminal: give --output FILE, or redirect");
  auto reader = journal_reader::open(args.directory);
  if (!reader) return fail(reader.take_status());
  line_format format;
  decode_option decode;
  if (status opened = decode.open(args.decode, format); !opened) return fail(opened);
  stop_signals signals;  // before there is a file that a signal would leave behind
  auto to =
      args.output.empty() ? result<output_file>(output_file{}) : output_file::create(args.output);
  if (!to) return fail(to.take_status());
  auto sink = open_sink(args, *to, format.decode);
  if (!sink) return fail(sink.take_status());
  return exporter(args, **reader, *to, **sink, signals).run();
}

}  // namespace holdfast::cli
