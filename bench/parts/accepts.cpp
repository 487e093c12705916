// How long one lonely message takes to be accepted, beside what that is made of: a round trip
// between two processes on plain sockets, and an fdatasync of a page. In turns of a few, so that
// all see the same machine.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include <zmq.hpp>

#include "bench/contestants/plain_ends.hpp"
#include "bench/contestants/reliable_ends.hpp"
#include "bench/parts/parts.hpp"
#include "bench/report/report.hpp"

namespace holdfast::bench {
namespace {

constexpr int turn = 10, warm_up_turns = 5, turns_min = 5;
constexpr std::size_t message_bytes = 64, page_bytes = 4096, file_bytes = 16 << 20;
const std::string round_trip_path = "round trip DEALER<->REP", sync_path = "fdatasync of 4 KiB";

struct timings {
  times round_trip, process, disk, sync;
};

[[noreturn]] void reply_at(const std::string& endpoint) {
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::rep);
  socket.bind(endpoint);
  for (zmq::message_t message;;)
    if (socket.recv(message)) socket.send(message, zmq::send_flags::none);
}

/// Writes pages over a file that was written before, as the journal does with its segments.
class page_writer {
 public:
  explicit page_writer(const std::string& directory)
      : fd_(open((directory + "/pages").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    for (std::size_t at = 0; at < file_bytes; at += page_bytes) write_at(at);
    fsync(fd_);
  }
  page_writer(const page_writer&) = delete;
  page_writer& operator=(const page_writer&) = delete;
  ~page_writer() { close(fd_); }
  void write_one() {
    write_at(next_);
    if (fdatasync(fd_) != 0) give_up("fdatasync failed");
    next_ = (next_ + page_bytes) % file_bytes;
  }

 private:
  void write_at(std::size_t at) {
    const auto size = static_cast<ssize_t>(page_.size());
    if (pwrite(fd_, page_.data(), page_.size(), static_cast<off_t>(at)) != size)
      give_up("a page cannot be written");
  }

  const std::array<std::byte, page_bytes> page_{};
  const int fd_;
  std::size_t next_ = 0;
};

struct endpoints {
  std::string plain = free_endpoint(), process = free_endpoint(), disk = free_endpoint();
};

template <class action>
void time_turn(times& into, bool noted, const action& act) {
  for (int i = 0; i < turn; ++i) {
    const double begin = now_seconds();
    act();
    if (noted) into.note(now_seconds() - begin);
  }
}

void take_turns(const endpoints& at, const std::string& directory, double seconds, timings& into) {
  const auto plain = ask_at({at.plain, message_bytes}, 1);
  const auto process = produce_to({at.process, durability::process});
  const auto disk = produce_to({at.disk, durability::disk});
  page_writer pages(directory);
  bodies all(message_bytes);
  const auto send_through = [&](sender& to) {
    return [&] {
      to.send(all.of(0));
      to.finish();
    };
  };
  const double until = now_seconds() + seconds;
  for (int done = -warm_up_turns; done < turns_min || now_seconds() < until; ++done) {
    time_turn(into.round_trip, done >= 0, send_through(*plain));
    time_turn(into.process, done >= 0, send_through(*process));
    time_turn(into.disk, done >= 0, send_through(*disk));
    time_turn(into.sync, done >= 0, [&] { pages.write_one(); });
  }
}

child start_device(const plan& chosen, const scratch_directory& data, const std::string& endpoint,
                   const std::string& level) {
  return child({chosen.device, "pipeline", "--data", data.path(), "--log", "warning", "--reliable",
                "@" + endpoint, "--durability", level},
               "holdfast: ready");
}

sample sample_of(const times& all) {
  sample made;
  made.p50_us = all.us_at(0.5);
  made.p99_us = all.us_at(0.99);
  made.p999_us = all.us_at(0.999);
  made.per_second = 1e6 / made.p50_us;
  return made;
}

struct round_of_accepts {
  sample round_trip, process, disk, sync;
};

round_of_accepts play_round(const plan& chosen) {
  const endpoints at;
  const scratch_directory process_data, disk_data, pages;
  const child replier([&] { reply_at(at.plain); });
  const child process = start_device(chosen, process_data, at.process, "process");
  const child disk = start_device(chosen, disk_data, at.disk, "disk");
  const auto into = make_shared_memory<timings>();
  child client([&] { take_turns(at, pages.path(), chosen.seconds, *into); });
  if (!client.wait()) give_up("the accepts were not measured");
  return {sample_of(into->round_trip), sample_of(into->process), sample_of(into->disk),
          sample_of(into->sync)};
}

// What the disk adds to an accept.
sample difference(const sample& more, const sample& less) {
  sample made;
  made.p50_us = more.p50_us - less.p50_us;
  made.p99_us = more.p99_us - less.p99_us;
  made.p999_us = more.p999_us - less.p999_us;
  made.per_second = 1e6 / made.p50_us;
  return made;
}

row words_of(const std::string& path, const std::string& durability, const std::string& base) {
  row made;
  made.part = "accept of one message";
  made.path = path;
  made.durability = durability;
  made.base = base;
  made.by = measured::time;
  made.bytes = message_bytes;
  made.settings = "one at a time, in turns of ten with the others of this part";
  return made;
}

void add_row(rows& to, row made, const std::vector<paired_sample>& rounds) {
  judge(made, rounds);
  std::printf("%s\n", table_line(made).c_str());
  to.push_back(std::move(made));
}

template <class own, class base>
std::vector<paired_sample> paired(const std::vector<round_of_accepts>& rounds, own of, base with) {
  std::vector<paired_sample> all;
  all.reserve(rounds.size());
  for (const round_of_accepts& one : rounds) all.push_back({of(one), with(one)});
  return all;
}

}  // namespace

rows measure_accepts(const plan& chosen) {
  using one = const round_of_accepts&;
  std::vector<round_of_accepts> all;
  for (unsigned i = 0; i < chosen.rounds; ++i) all.push_back(play_round(chosen));
  const auto round_trip = [](one of) { return of.round_trip; };
  const auto process = [](one of) { return of.process; };
  const auto disk = [](one of) { return of.disk; };
  const auto sync = [](one of) { return of.sync; };
  const auto added = [](one of) { return difference(of.disk, of.process); };
  rows made;
  std::printf("%s\n", table_head(words_of("", "", "")).c_str());
  add_row(made, words_of(round_trip_path, "none", round_trip_path),
          paired(all, round_trip, round_trip));
  add_row(made, words_of("holdfast accept", "process", round_trip_path),
          paired(all, process, round_trip));
  add_row(made, words_of("holdfast accept", "disk", round_trip_path),
          paired(all, disk, round_trip));
  add_row(made, words_of(sync_path, "disk", sync_path), paired(all, sync, sync));
  add_row(made, words_of("holdfast disk - process", "disk", sync_path), paired(all, added, sync));
  return made;
}

}  // namespace holdfast::bench
