// Deflating an update by its size and level: what it costs, and the part of the bytes that is left ("ratio").
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <string_view>

#include "channels/websocket/deflate.h"

namespace {

using carillon::channels::websocket::Deflater;
using carillon::channels::websocket::Inflater;

/// An update as the hub sends it for a job that fetched a page: a little JSON around text that people wrote.
std::string update(std::size_t bytes) {
  static constexpr std::string_view words[] = {
      "the",
      "of",
      "price",
      "<div class=\\\"item\\\">",
      "and",
      "delivery",
      "in stock",
      "review",
      "https://example.com/item/",
      "</div>",
      "camera",
      "lens",
      "with",
      "black",
      "customers",
      "bought",
      "this",
      "also",
      "<a href=",
      "EUR",
      "a",
      "light",
      "to",
      "is",
      "rated",
      "stars",
      "days",
  };
  std::string text =
      R"({"type":"job_update","job_id":"550e8400-e29b-41d4-a716-446655440000","status":"succeeded","result":)"
      R"({"url":"https://example.com","status_code":200,"text":")";
  std::minstd_rand random(7);
  while (text.size() + 40 < bytes) {
    const auto number = random();
    text += number % 11 == 0 ? std::to_string(number) : std::string(words[number / 11 % std::size(words)]);
    text += ' ';
  }
  return text + R"("},"error":null,"ts":1730451148})";
}

void deflate(benchmark::State& state) {
  const std::string message = update(static_cast<std::size_t>(state.range(0)));
  Deflater deflater(static_cast<int>(state.range(1)));
  std::size_t bytes = message.size();
  for (auto _ : state) {
    const auto payload = deflater.deflate(message);
    bytes = payload ? payload->size() : message.size();
    benchmark::DoNotOptimize(payload);
  }
  state.counters["ratio"] = static_cast<double>(bytes) / static_cast<double>(message.size());
  state.counters["saved"] = static_cast<double>(message.size() - bytes);
}

void inflate(benchmark::State& state) {
  const std::string message = update(static_cast<std::size_t>(state.range(0)));
  Deflater deflater(6);
  const std::string payload(deflater.deflate(message).value_or(""));
  Inflater inflater;
  std::string again;
  for (auto _ : state) benchmark::DoNotOptimize(inflater.inflate(payload, message.size(), again));
}

BENCHMARK(deflate)
    ->ArgNames({"bytes", "level"})
    ->ArgsProduct({{200, 512, 1024, 2048, 4096, 16384, 65536, 1 << 20, 4 << 20}, {1, 3, 6}});
BENCHMARK(inflate)->ArgName("bytes")->Arg(200)->Arg(4096)->Arg(65536);

}  // namespace
