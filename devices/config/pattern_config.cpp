#include "devices/config/pattern_config.hpp"

#include <iterator>
#include <limits>
#include <utility>

#include "devices/config/retention_config.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t any32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t any64 = std::numeric_limits<std::uint64_t>::max();

using fields = std::vector<field>;

field address_field(std::string_view key, const pattern_options& of, std::string& out,
                    complaints& errors) {
  return {key, [key, &of, &out, &errors](const YAML::Node& node) {
            const std::string* text = read_scalar(node, key, errors);
            if (text == nullptr) return;
            if (const status holds = check_address(words_of(of), *text); !holds)
              errors.add(node.Mark(), std::string(holds.text()));
            out = *text;
          }};
}

fields own_fields(const pattern_options& of, pipeline_options& p, complaints& errors) {
  fields all = retention_fields("queues", of, p.retention, errors);
  fields own{address_field("default_queue", of, p.default_queue, errors),
             number_field("addresses_max", p.addresses_max, 1, 10'000'000, errors),
             duration_field("lease", p.lease_ns, errors),
             number_field("attempts_max", p.attempts_max, 0, any32, errors),
             duration_field("backoff_min", p.backoff_min_ns, errors),
             duration_field("backoff_max", p.backoff_max_ns, errors)};
  std::move(own.begin(), own.end(), std::back_inserter(all));
  return all;
}

fields own_fields(const pattern_options&, pubsub_options& p, complaints& errors) {
  return {duration_field("retention_age", p.retention_age_ns, errors),
          bytes_field("retention_bytes", p.retention_bytes, 0, any64, errors),
          count_field("retention_records", p.retention_records, errors),
          switch_field("retention_until_acked", p.retention_until_acked, errors),
          number_field("subscriptions_max", p.subscriptions_max, 1, 1'000'000, errors),
          number_field("prefixes_max", p.prefixes_max, 1, 1'000'000, errors)};
}

fields own_fields(const pattern_options& of, reqrep_options& r, complaints& errors) {
  fields all = retention_fields("services", of, r.retention, errors);
  fields own{address_field("default_service", of, r.default_service, errors),
             number_field("addresses_max", r.addresses_max, 1, 10'000'000, errors),
             duration_field("attempt", r.attempt_ns, errors),
             duration_field("deadline", r.deadline_ns, errors),
             number_field("attempts_max", r.attempts_max, 0, any32, errors),
             duration_field("backoff_min", r.backoff_min_ns, errors),
             duration_field("backoff_max", r.backoff_max_ns, errors),
             duration_field("reply_ttl", r.reply_ttl_ns, errors),
             bytes_field("reply_bytes_max", r.reply_bytes_max, 1024, any64, errors),
             number_field("queue_max", r.queue_max, 1, any32, errors),
             duration_ms_field("worker_heartbeat", r.worker_heartbeat_ms, errors),
             number_field("worker_liveness", r.worker_liveness, 1, 1000, errors),
             duration_field("worker_busy", r.worker_busy_ns, errors)};
  std::move(own.begin(), own.end(), std::back_inserter(all));
  return all;
}

}  // namespace

std::vector<field> pattern_fields(pattern_options& of, complaints& errors) {
  return std::visit([&](auto& options) { return own_fields(of, options, errors); }, of);
}

}  // namespace holdfast
