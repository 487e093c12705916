// journal_measures: what journal_bench measures, a function each. Each adds its rows to the report.
#pragma once

#include "bench/journal_report.hpp"
#include "bench/journal_rig.hpp"

namespace holdfast::bench {

// journal_append.cpp
void measure_append(const journal_bench_options& chosen, journal_report& into);
void measure_append_latency(const journal_bench_options& chosen, journal_report& into);
void measure_throughput(const journal_bench_options& chosen, journal_report& into);

// journal_disk.cpp
void measure_accepted(const journal_bench_options& chosen, journal_report& into);
void measure_amplification(const journal_bench_options& chosen, journal_report& into);

// journal_comeback.cpp
void measure_open(const journal_bench_options& chosen, journal_report& into);
void measure_memory(const journal_bench_options& chosen, journal_report& into);
void measure_acks(const journal_bench_options& chosen, journal_report& into);

}  // namespace holdfast::bench
