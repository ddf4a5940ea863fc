// Reading a request's head: the project's reader beside Poco's, on the head of a poll and on one as a browser sends it.
#include <Poco/MemoryStream.h>
#include <Poco/Net/HTTPRequest.h>
#include <benchmark/benchmark.h>

#include <string>

#include "net/http/head.h"

namespace {

using carillon::net::http::Head;
using carillon::net::http::HeadLimits;

const std::string poll =
    "GET /api/v1/jobs/0189c9d4-6f3e-7c1a-9d2b-1b2c3d4e5f60 HTTP/1.1\r\n"
    "Host: hub.example:8080\r\n"
    "X-API-Key: sk_live_0123456789abcdefghijABCDEFGHIJ0123456789\r\n"
    "Accept: */*\r\n"
    "\r\n";

const std::string browser =
    "GET /api/v1/ws/jobs HTTP/1.1\r\n"
    "Host: hub.example\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: */*\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Origin: https://app.example\r\n"
    "Sec-WebSocket-Protocol: carillon.v1, sk_live_0123456789abcdefghijABCDEFGHIJ0123456789\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Connection: keep-alive, Upgrade\r\n"
    "Pragma: no-cache\r\n"
    "Cache-Control: no-cache\r\n"
    "Upgrade: websocket\r\n"
    "\r\n";

void carillon_head(benchmark::State& state, const std::string& text) {
  Head head;
  for (auto _ : state) {
    benchmark::DoNotOptimize(carillon::net::http::read_head(text, HeadLimits{}, head));
    benchmark::ClobberMemory();
  }
}

void poco_head(benchmark::State& state, const std::string& text) {
  for (auto _ : state) {
    Poco::MemoryInputStream stream(text.data(), static_cast<std::streamsize>(text.size()));
    Poco::Net::HTTPRequest request;
    request.read(stream);
    benchmark::DoNotOptimize(request.getContentLength64());
  }
}

BENCHMARK_CAPTURE(carillon_head, poll, poll);
BENCHMARK_CAPTURE(poco_head, poll, poll);
BENCHMARK_CAPTURE(carillon_head, browser, browser);
BENCHMARK_CAPTURE(poco_head, browser, browser);

}  // namespace
