#include "journal/troubles.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

namespace holdfast {
namespace {

constexpr std::uint64_t lately_ns = 60 * second_ns;

std::string meaning(const io_result& done, troubles::outcome after) {
  switch (asker_of(done.tag)) {
    case asker::log:
      if (after == troubles::outcome::failed)
        return "nothing more is taken; what was accepted at level disk is safe, free or replace "
               "the "
               "disk and start the device again";
      if (after == troubles::outcome::one_copy)
        return "it was the second copy of that segment's header; its records are safe, and it is "
               "not used again";
      return "what was not durable is written again to a fresh segment; nothing that was accepted "
             "is lost";
    case asker::spare:
      return "it held nothing yet; what is there is used first, then producers are held; it is "
             "tried "
             "again every second";
    case asker::checkpoint: return "the former checkpoints stay in force; another one is tried";
    case asker::load:
      return want_of_descriptors(done.error)
                 ? "messages there wait until it can be opened; raise the limit of open files"
                 : "messages there are reported as unreadable, all others go on";
    case asker::index: return "the messages are safe; it is made again after the next start";
    case asker::removal: return "the file stays, and is removed after the next start";
    case asker::recovery: break;
  }
  return "nothing was changed";
}

}  // namespace

void troubles::note(const io_result& done, outcome after, std::uint64_t now_ns) {
  const asker who = asker_of(done.tag);
  if (who == asker::removal && done.error == ENOENT) return;  // it was never made
  const bool again = who == last_who_ && done.file == last_file_;
  if (again && after != outcome::failed && !waiting_.empty())
    return;  // the operations queued behind it fail as well
  last_who_ = who;
  last_file_ = done.file;
  const std::string what = done.text.empty()
                               ? std::string("an operation failed: ") + std::strerror(done.error)
                               : done.text;
  std::string text = what + "; " + meaning(done, after);
  if (!said_lately(text, now_ns)) add(std::move(text));
}

bool troubles::said_lately(const std::string& text, std::uint64_t now_ns) {
  std::erase_if(said_at_, [=](const auto& said) { return now_ns >= said.second + lately_ns; });
  if (said_at_.size() >= waiting_max) return false;
  return !said_at_.try_emplace(text, now_ns).second;
}

void troubles::note_lost(const std::string& what) {
  io_result gone;
  gone.what = io_op::kind::load;
  gone.tag = make_tag(asker::load, 0);
  add(what + "; " + meaning(gone, outcome::rewritten));
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
