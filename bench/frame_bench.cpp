// The frame codec alone: making a frame of an update, reading a client's head, taking the mask off.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <string>

#include "channels/websocket/frame.h"

namespace {

using namespace carillon::channels::websocket;

constexpr std::array<std::uint8_t, 4> mask{0x37, 0xFA, 0x21, 0x3D};

void make(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(make_frame(Opcode::text, payload));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(make)->Arg(125)->Arg(400)->Arg(100'000);

void read_head(benchmark::State& state) {
  // The three forms of the length, each with a mask.
  std::string bytes = make_frame(Opcode::text, std::string(static_cast<std::size_t>(state.range(0)), 'x'));
  const std::size_t head_bytes = bytes.size() - payload_of(bytes).size();
  bytes[1] = static_cast<char>(static_cast<unsigned char>(bytes[1]) | 0x80U);
  bytes.insert(head_bytes, reinterpret_cast<const char*>(mask.data()), mask.size());
  FrameHead head;
  for (auto _ : state) {
    if (read_frame_head(bytes, Deflate::no, head).state != FrameState::complete) state.SkipWithError("not a head");
    benchmark::DoNotOptimize(head);
  }
}
BENCHMARK(read_head)->Arg(70)->Arg(400)->Arg(100'000);

void unmask(benchmark::State& state) {
  std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    carillon::channels::websocket::unmask(payload.data(), payload, mask);
    benchmark::DoNotOptimize(payload.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(unmask)->Arg(70)->Arg(4'000)->Arg(100'000);

}  // namespace
