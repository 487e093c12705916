// The floor of what a device that forwards blocks can cost: the same packing, summing and writing,
// and nothing a product needs: no accepts, no acks, no credit, no sessions, no recovery.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>
#include <zmq.hpp>

#include "base/checksum.hpp"
#include "bench/contestants/contestant.hpp"

namespace holdfast::bench {
namespace {

using type = zmq::socket_type;
constexpr std::size_t block_bytes = 256 * 1024, head_bytes = 8;  // a block's sum, an entry's size
constexpr std::uint64_t file_bytes = 256 << 20;
constexpr int wait_ms = 100, under_way_bytes = 16 << 20;

// A block is its sum, then entries: size and body.
std::size_t block_of(std::size_t bytes) {
  return std::max(block_bytes, bytes + 2 * head_bytes);
}

template <class each>
void walk(const zmq::message_t& block, const each& take) {
  const bytes_view all{block.data<std::byte>(), block.size()};
  if (checksum(all.subspan(head_bytes)) != load<std::uint64_t>(all.data()))
    give_up("a block has a wrong sum");
  for (std::size_t at = head_bytes; at < all.size();) {
    const auto size = load<std::uint64_t>(all.data() + at);
    take(all.subspan(at + head_bytes, size));
    at += head_bytes + size;
  }
}

zmq::socket_t socket_of(zmq::context_t& context, type kind, std::size_t bytes) {
  zmq::socket_t made(context, kind);
  const int waiting = std::max(2, under_way_bytes / static_cast<int>(block_of(bytes)));
  made.set(zmq::sockopt::linger, 0);
  made.set(zmq::sockopt::sndhwm, waiting);
  made.set(zmq::sockopt::rcvhwm, waiting);
  made.set(zmq::sockopt::rcvtimeo, wait_ms);
  return made;
}

class packing_end : public sender {
 public:
  packing_end(const std::string& endpoint, std::size_t bytes)
      : socket_(socket_of(context_, type::push, bytes)), room_(block_of(bytes)) {
    socket_.connect(endpoint);
    begin();
  }
  void send(body_view body) override {
    if (used_ + head_bytes + body.size() > room_) finish();
    std::byte* const at = block_.get() + used_;
    store<std::uint64_t>(at, body.size());
    std::copy(body.begin(), body.end(), at + head_bytes);
    used_ += head_bytes + body.size();
  }
  void finish() override {
    store(block_.get(), checksum({block_.get() + head_bytes, used_ - head_bytes}));
    zmq::message_t sent(block_.release(), used_, free_block);
    while (!socket_.send(sent, zmq::send_flags::none)) continue;
    begin();
  }

 private:
  static void free_block(void* block, void*) { delete[] static_cast<std::byte*>(block); }
  void begin() {
    block_ = std::make_unique_for_overwrite<std::byte[]>(room_);
    used_ = head_bytes;
  }

  zmq::context_t context_{1};
  zmq::socket_t socket_;
  const std::size_t room_;
  std::unique_ptr<std::byte[]> block_;
  std::size_t used_ = 0;
};

class walking_end : public receiver {
 public:
  walking_end(const std::string& endpoint, std::size_t bytes)
      : socket_(socket_of(context_, type::pull, bytes)) {
    socket_.connect(endpoint);
  }
  void receive(intake& into) override {
    if (!socket_.recv(block_)) return;
    walk(block_, [&](bytes_view body) { into.take(body); });
  }

 private:
  zmq::context_t context_{1};
  zmq::socket_t socket_;
  zmq::message_t block_;
};

// Written once, so that each block overwrites pages that exist: what a recycled segment is.
class recycled_file {
 public:
  explicit recycled_file(const std::string& path)
      : fd_(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
    const std::vector<std::byte> zeros(1 << 20);
    for (std::uint64_t at = 0; at < file_bytes; at += zeros.size())
      write_at(at, zeros.data(), zeros.size());
  }
  recycled_file(const recycled_file&) = delete;
  recycled_file& operator=(const recycled_file&) = delete;
  ~recycled_file() { ::close(fd_); }
  void append(const zmq::message_t& block) {
    if (end_ + block.size() > file_bytes) end_ = 0;
    write_at(end_, block.data(), block.size());
    end_ += align_up(block.size(), sizeof(std::uint64_t));
  }

 private:
  void write_at(std::uint64_t at, const void* from, std::size_t size) const {
    if (::pwrite(fd_, from, size, static_cast<off_t>(at)) != static_cast<ssize_t>(size))
      give_up("a block could not be written");
  }

  const int fd_;
  std::uint64_t end_ = 0;
};

struct bare_line {
  std::string in, out, file;
};

child start_broker(const bare_line& at, std::size_t bytes) {
  return child([=] {
    zmq::context_t context(1);
    auto from = socket_of(context, type::pull, bytes), to = socket_of(context, type::push, bytes);
    from.bind(at.in);
    to.bind(at.out);
    recycled_file file(at.file);
    for (zmq::message_t block;;) {
      if (!from.recv(block)) continue;
      walk(block, [](bytes_view) {});
      file.append(block);
      while (!to.send(block, zmq::send_flags::none)) continue;
    }
  });
}

}  // namespace

contestant bare_blocks_line() {
  return {
      "bare blocks", "process",
      "no product, its floor: blocks of 256 KiB, summed and checked, written to a recycled file "
      "by one thread, and forwarded; no accepts, acks, credit, recovery",
      [](const work& asked) {
        setup made;
        made.scratch = std::make_unique<scratch_directory>();
        const bare_line at{free_endpoint(), free_endpoint(), made.scratch->path() + "/blocks"};
        made.broker.emplace(start_broker(at, asked.bytes));
        made.make_sender = [=, bytes = asked.bytes] {
          return std::make_unique<packing_end>(at.in, bytes);
        };
        made.make_receiver = [=, bytes = asked.bytes] {
          return std::make_unique<walking_end>(at.out, bytes);
        };
        return made;
      }};
}

}  // namespace holdfast::bench
