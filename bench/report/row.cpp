#include "bench/report/row.hpp"

#include <algorithm>

namespace holdfast::bench {
namespace {

template <class field>
double median(const std::vector<sample>& all, field sample::*which) {
  std::vector<double> values;
  values.reserve(all.size());
  for (const sample& one : all) values.push_back(static_cast<double>(one.*which));
  return spread_of(std::move(values)).median;
}

double ratio_of(const paired_sample& round, measured by) {
  return by == measured::rate ? round.own.per_second / round.base.per_second
                              : round.own.p50_us / round.base.p50_us;
}

}  // namespace

spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const double middle =
      values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {middle, values.front(), values.back()};
}

void judge(row& of, const std::vector<paired_sample>& rounds) {
  std::vector<sample> good;
  std::vector<double> rates, ratios;
  for (const paired_sample& round : rounds) {
    if (!round.own.failure.empty()) {
      of.failures.push_back(round.own.failure);
      continue;
    }
    good.push_back(round.own);
    rates.push_back(round.own.per_second);
    if (round.base.failure.empty()) ratios.push_back(ratio_of(round, of.by));
    of.broker_peak_bytes = std::max(of.broker_peak_bytes, round.own.broker_peak_bytes);
  }
  of.rounds = static_cast<unsigned>(good.size());
  of.messages_per_s = spread_of(rates);
  of.ratio = spread_of(ratios);
  of.producer_us = median(good, &sample::producer_us);
  of.broker_us = median(good, &sample::broker_us);
  of.consumer_us = median(good, &sample::consumer_us);
  of.p50_us = median(good, &sample::p50_us);
  of.p99_us = median(good, &sample::p99_us);
  of.p999_us = median(good, &sample::p999_us);
}

}  // namespace holdfast::bench
