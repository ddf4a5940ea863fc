// Reading what a client sends: a subscribe as it comes, whole and in one read; the same deflated; and long text.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "channels/websocket/deflate.h"
#include "channels/websocket/frame.h"
#include "channels/websocket/message_reader.h"

namespace {

using namespace carillon::channels::websocket;

const std::string subscribe = R"({"action":"subscribe","job_id":"550e8400-e29b-41d4-a716-446655440000"})";

std::string masked(std::string frame) {
  constexpr std::array<std::uint8_t, 4> mask{0x37, 0xFA, 0x21, 0x3D};
  const std::size_t head_bytes = frame.size() - payload_of(frame).size();
  unmask(frame.data() + head_bytes, payload_of(frame), mask);
  frame[1] = static_cast<char>(static_cast<unsigned char>(frame[1]) | 0x80U);
  return frame.insert(head_bytes, reinterpret_cast<const char*>(mask.data()), mask.size());
}

/// `stream` over and over, in reads of at most `read_bytes`.
void read(benchmark::State& state, const std::string& stream, std::size_t read_bytes) {
  ReadingDesk desk{.message_bytes_max = 16 * 1024 * 1024};
  MessageReader reader(Deflate::yes);
  for (auto _ : state) {
    for (std::string_view rest = stream; !rest.empty(); rest.remove_prefix(std::min(rest.size(), read_bytes))) {
      std::string_view piece = rest.substr(0, read_bytes);
      while (!piece.empty()) benchmark::DoNotOptimize(reader.next(piece, desk));
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(stream.size()));
}

std::string deflated_subscribe() {
  Deflater deflater(6);
  // Padded, for a single subscribe has nothing to leave out.
  return make_deflated_frame(Opcode::text, deflater.deflate(subscribe + std::string(40, ' ')).value());
}

constexpr std::size_t any = 64 * 1024;
BENCHMARK_CAPTURE(read, subscribe, masked(make_frame(Opcode::text, subscribe)), any);
BENCHMARK_CAPTURE(read, subscribe_in_two_reads, masked(make_frame(Opcode::text, subscribe)), 60);
BENCHMARK_CAPTURE(read, subscribe_deflated, masked(deflated_subscribe()), any);
BENCHMARK_CAPTURE(read, ascii_60k_in_one_read, masked(make_frame(Opcode::text, std::string(60'000, 'x'))), any);
BENCHMARK_CAPTURE(read, ascii_4m, masked(make_frame(Opcode::text, std::string(4 << 20, 'x'))), any);
BENCHMARK_CAPTURE(read, greek_60k,
                  masked(make_frame(Opcode::text,
                                    [] {
                                      std::string text;
                                      while (text.size() < 60'000) text += "κόσμε ";
                                      return text;
                                    }())),
                  any);

}  // namespace
