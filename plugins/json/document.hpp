// document: reads and writes the MessagePack of documents, item by item.
//
// Contract: pure. The reader's texts are views of what it reads. Containers come as their count;
// what is in them follows. Counts are not believed: the reader just ends early.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::json {

inline constexpr int depth_max = 128;

struct item {
  enum class kind : std::uint8_t {
    nil,
    boolean,
    integer,
    natural,
    real,
    text,
    bytes,
    extension,
    array,
    map
  };
  kind what = kind::nil;
  bool truth = false;
  std::int8_t type = 0;       ///< of an extension
  std::int64_t integer = 0;   ///< below zero
  std::uint64_t natural = 0;  ///< from zero on; the count of a container (pairs of a map)
  double real = 0;
  std::string_view text;  ///< of a text, bytes or an extension
};

class document_reader {
 public:
  explicit document_reader(std::string_view bytes) noexcept : rest_(bytes) {}
  /// False at the end, and where the bytes are not MessagePack.
  bool next(item& into);
  bool at_end() const noexcept { return rest_.empty(); }

 private:
  bool number(unsigned bytes, std::uint64_t& into);
  bool sized(item& into, item::kind what, unsigned width);
  bool take(item& into, item::kind what, std::uint64_t size);
  bool extension(item& into, std::uint64_t size);
  bool wide(item& into, unsigned char first);

  std::string_view rest_;
};

// Writers: append the shortest form.
void put_natural(std::uint64_t value, std::string& out);
void put_integer(std::int64_t value, std::string& out);
void put_real(double value, std::string& out);
void put_text(std::string_view text, std::string& out);
void put_bytes(std::string_view bytes, std::string& out);
void put_extension(std::int8_t type, std::string_view bytes, std::string& out);
void put_array(std::uint32_t count, std::string& out);
void put_map(std::uint32_t count, std::string& out);

}  // namespace holdfast::json
