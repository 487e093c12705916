// write_builder: puts one write of the log together: headers and small bodies of records laid out
// in slabs, other bodies as the buffers they came in.
//
// Contract: one thread. The sums of the headers are made when the write is finished: one after the
// other, all of them (journal/format.hpp says why). Slabs are used again once the write was made.
#pragma once

#include <vector>

#include "base/storage.hpp"
#include "journal/format.hpp"
#include "journal/slab_pool.hpp"

namespace holdfast {

class write_builder {
 public:
  bool empty() const noexcept { return write_.file == 0; }
  /// What is added goes to `offset` of `file`. Of no effect while a write is under way, which what
  /// is added continues.
  void begin(file_id file, std::uint64_t offset);
  /// Bytes as they are.
  void add(buffer_ref bytes);
  /// A record that lies at `position`; the bytes it takes.
  std::uint64_t add(const record_header& header, const buffer_ref& body, std::uint64_t position);
  /// The write, its headers sealed with the segment's key; the next one may begin.
  io_op finish(std::uint64_t key);
  /// Forgets what was added since finish().
  void drop();
  /// Frees most of the memory that a burst left empty.
  void give_back() { slabs_.give_back(); }

 private:
  struct unsealed {  // a header whose sum is still to be made
    std::byte* header = nullptr;
    std::uint64_t position = 0;
  };

  void seal_headers(std::uint64_t key);
  std::byte* slab_room(std::size_t size);
  void fresh_slab();
  void close_piece();

  io_op write_;
  std::size_t pieces_before_ = 0;  // pieces of the write before it: what it may need
  std::vector<unsealed> unsealed_;
  slab_pool slabs_;
  std::byte* slab_ = nullptr;  // the last of them; a piece of it is open from slab_from_
  std::size_t slab_from_ = 0;
  std::size_t slab_used_ = 0;
};

}  // namespace holdfast
