// What the HTTP floor adds to an answer: compressing it, and asking whether its caller may have it.
#include <benchmark/benchmark.h>

#include <string>

#include "net/http/gzip.h"
#include "net/rate_table.h"

namespace {

using carillon::net::RateTable;
using carillon::net::TokenBucket;
using carillon::net::http::Body;
using carillon::net::http::Gzip;

/// As long as it is to be, and about as repetitive as a job's result is.
std::string json_of(std::size_t bytes) {
  std::string text = "{\"results\":[";
  for (unsigned i = 1; text.size() < bytes; i = i * 1'664'525U + 1'013'904'223U) {
    text += "{\"url\":\"https://example.com/items/" + std::to_string(i) + "\",\"status_code\":200,\"title\":\"Item " +
            std::to_string(i >> 16U) + "\",\"price\":" + std::to_string(i % 10'000) + ",\"in_stock\":true},";
  }
  text.resize(bytes);
  return text;
}

void gzip(benchmark::State& state) {
  const Body body(json_of(static_cast<std::size_t>(state.range(0))));
  Gzip gzip;
  std::size_t bytes = 0;
  for (auto _ : state) {
    const Body compressed = gzip.compress(body);
    bytes = compressed.size();
    benchmark::DoNotOptimize(compressed.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes);
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(gzip)->RangeMultiplier(2)->Range(512, 8192)->Arg(65'536)->Arg(262'144)->Arg(1'048'576);

/// As many loops as there are threads, each with callers of its own, or all with the same.
void take_from_rate_table(benchmark::State& state) {
  static RateTable table(65'536);
  constexpr TokenBucket::Rate rate{.per_second = 1'000'000, .burst = 1'000'000};
  const bool same = state.range(0) == 1;
  const std::uint64_t first = same ? 1 : 1 + static_cast<std::uint64_t>(state.thread_index()) * 1000;
  std::uint64_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.take(first + i % 1000, static_cast<std::int64_t>(1000 + (i >> 8U)), rate));
    ++i;
  }
}
BENCHMARK(take_from_rate_table)->ArgName("same_callers")->Arg(0)->Arg(1)->Threads(1)->Threads(2)->Threads(4);

}  // namespace
