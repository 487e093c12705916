#include "journal/troubles.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

namespace holdfast {
namespace {

constexpr std::uint64_t lately_ns = 60 * second_ns;

std::string meaning(asker who, bool failed) {
  switch (who) {
    case asker::log:
      return failed ? "nothing more is taken; what was accepted at level disk is safe, free or "
                      "replace the disk and start the device again"
                    : "what was not durable is written again to a fresh segment; nothing that was "
                      "accepted is lost";
    case asker::spare:
      return "it held nothing yet; what is there is used first, then producers are held; it is "
             "tried "
             "again every second";
    case asker::checkpoint: return "the former checkpoints stay in force; another one is tried";
    case asker::load: return "messages there are reported as unreadable, all others go on";
    case asker::removal: return "the file stays, and is removed after the next start";
    case asker::recovery: break;
  }
  return "nothing was changed";
}

}  // namespace

void troubles::note(const io_result& done, bool failed, std::uint64_t now_ns) {
  const asker who = asker_of(done.tag);
  if (who == asker::removal && done.error == ENOENT) return;  // it was never made
  const bool again = who == last_who_ && done.file == last_file_;
  if (again && !failed && !waiting_.empty())
    return;  // the operations queued behind it fail as well
  last_who_ = who;
  last_file_ = done.file;
  const std::string what = done.text.empty()
                               ? std::string("an operation failed: ") + std::strerror(done.error)
                               : done.text;
  std::string text = what + "; " + meaning(who, failed);
  if (!said_lately(text, now_ns)) add(std::move(text));
}

bool troubles::said_lately(const std::string& text, std::uint64_t now_ns) {
  std::erase_if(said_at_, [=](const auto& said) { return now_ns >= said.second + lately_ns; });
  if (said_at_.size() >= waiting_max) return false;
  return !said_at_.try_emplace(text, now_ns).second;
}

void troubles::note_lost(const std::string& what) {
  add(what + "; " + meaning(asker::load, false));
}

void troubles::add(std::string text) {
  if (waiting_.size() < waiting_max)
    waiting_.push_back(std::move(text));
  else
    ++left_out_;
}

std::vector<std::string> troubles::take() {
  if (left_out_ != 0)
    waiting_.push_back(std::to_string(std::exchange(left_out_, 0)) + " more operations failed");
  return std::exchange(waiting_, {});
}

}  // namespace holdfast
