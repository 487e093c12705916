#include "journal/write_builder.hpp"

#include <cstring>
#include <utility>

namespace holdfast {
namespace {

constexpr std::size_t copied_body_max = 256;  // cheaper copied than as a piece of its own

std::span<std::byte, record_header_bytes> header_at(std::byte* place) {
  return std::span<std::byte, record_header_bytes>(place, record_header_bytes);
}

}  // namespace

void write_builder::begin(file_id file, std::uint64_t offset) {
  if (!empty()) return;
  write_.what = io_op::kind::write;
  write_.file = file;
  write_.at = offset;
  write_.pieces.reserve(pieces_before_);
}

void write_builder::add(buffer_ref bytes) {
  close_piece();
  write_.pieces.push_back(std::move(bytes));
}

std::uint64_t write_builder::add(const record_header& header, const buffer_ref& body,
                                 std::uint64_t position) {
  const std::uint64_t size = record_size(body.size());
  const bool copied = body.size() <= copied_body_max;
  std::byte* const to = slab_room(copied ? size : record_header_bytes);
  lay_out_record_header(header, header_at(to));
  unsealed_.push_back({to, position});
  if (body.size() == 0) return size;
  if (copied) {
    std::memset(to + size - record_unit, 0, record_unit);  // what the body does not cover
    std::memcpy(to + record_header_bytes, body.data(), body.size());
  } else {
    const std::uint64_t padding = size - record_header_bytes - body.size();
    add(body);
    std::memset(slab_room(padding), 0, padding);
  }
  return size;
}

io_op write_builder::finish(std::uint64_t key) {
  seal_headers(key);
  close_piece();
  pieces_before_ = write_.pieces.size();
  return std::exchange(write_, {});
}

void write_builder::drop() {
  write_ = {};
  unsealed_.clear();
  slab_from_ = slab_used_;
}

void write_builder::seal_headers(std::uint64_t key) {
  for (const unsealed& one : unsealed_)
    seal_record_header(header_at(one.header), key, one.position);
  unsealed_.clear();
}

// The next bytes of the write, to be filled, in the slab.
std::byte* write_builder::slab_room(std::size_t size) {
  if (!slab_ || slab_used_ + size > slab_pool::slab_bytes) fresh_slab();
  slab_used_ += size;
  return slab_ + slab_used_ - size;
}

void write_builder::fresh_slab() {
  close_piece();
  slab_ = slabs_.next();
  slab_from_ = slab_used_ = 0;
}

void write_builder::close_piece() {
  if (slab_used_ == slab_from_) return;
  write_.pieces.push_back(slabs_.slice(slab_from_, slab_used_ - slab_from_));
  slab_from_ = slab_used_;
}

}  // namespace holdfast
