// Signing a delivery: with a Signer that is kept, and with one that is set up for it.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <string>
#include <vector>

#include "channels/webhook/signer.h"
#include "hub/webhook_secret.h"

namespace {

using namespace carillon;
using channels::webhook::Signer;

const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string message = "msg_0123456789abcdefABCDEF";
constexpr std::int64_t timestamp_s = 1'614'265'330;

std::string body_of(const benchmark::State& state) {
  return std::string(static_cast<std::size_t>(state.range(0)), 'x');
}

void set_up_for_one(benchmark::State& state) {
  const std::string body = body_of(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(Signer({{secret, {}, {}}}).signature(message, timestamp_s, body, 0));
  }
}

void sign(benchmark::State& state, const std::vector<hub::WebhookSecret>& secrets) {
  const std::string body = body_of(state);
  Signer signer(secrets);
  for (auto _ : state) benchmark::DoNotOptimize(signer.signature(message, timestamp_s, body, 0));
}

void kept_ready(benchmark::State& state) { sign(state, {{secret, {}, {}}}); }
void kept_ready_rotated(benchmark::State& state) { sign(state, {{secret, {}, {}}, {secret, {}, 1}}); }
void ed25519(benchmark::State& state) { sign(state, {{secret, hub::make_signing_key().secret, {}}}); }

void legacy(benchmark::State& state) {
  const std::string body = body_of(state);
  Signer signer({{secret, {}, {}}});
  for (auto _ : state) benchmark::DoNotOptimize(signer.legacy_signature(body));
}

/// And what one keeps: `bytes`.
void make_one(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Signer({{secret, {}, {}}}));
  constexpr std::size_t count = 1000;
  std::vector<Signer> signers;
  signers.reserve(count);
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < count; ++i) signers.emplace_back(std::vector<hub::WebhookSecret>{{secret, {}, {}}});
  state.counters["bytes"] = static_cast<double>(mallinfo2().uordblks - before) / count;
}

BENCHMARK(set_up_for_one)->Arg(200)->Arg(20'000);
BENCHMARK(kept_ready)->Arg(200)->Arg(20'000);
BENCHMARK(kept_ready_rotated)->Arg(200);
BENCHMARK(ed25519)->Arg(200)->Arg(20'000);
BENCHMARK(legacy)->Arg(200);
BENCHMARK(make_one);

}  // namespace
