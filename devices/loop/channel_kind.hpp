// channel_kind: the one place that knows what each pattern is made of: its word, its state machine,
// and the sockets that face its plain peers.
//
// Contract: pure, apart from make_channel(). A new pattern is a row here and its options in
// devices/device_options.hpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "devices/device_options.hpp"
#include "devices/transport/socket.hpp"
#include "patterns/catalog.hpp"
#include "patterns/pattern.hpp"

namespace holdfast {

struct channel_kind {
  std::string_view word;
  socket_kind in;   ///< pull or sub: messages; router: requests, each from a known connection
  socket_kind out;  ///< push, xpub or dealer
  /// Of the journal, kept for records that let others be trimmed. Replies as large as their
  /// requests need two beside the last: with one less a full disk could hold a single reply too
  /// few.
  std::uint32_t reserve_segments;
};

const channel_kind& kind_of(const channel_options& channel) noexcept;
/// The stream of plain endpoints that name none.
std::string_view default_address(const channel_options& channel) noexcept;
std::unique_ptr<pattern> make_channel(const channel_options& channel, catalog& names,
                                      std::uint64_t seed);

/// Every pattern's word.
std::vector<std::string_view> pattern_words();
/// A pattern's options by its word; false if there is none.
bool choose_pattern(std::string_view word, pattern_options& into);

}  // namespace holdfast
