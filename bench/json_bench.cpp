// A large result, checked: beside one look at each byte (memchr for what is not there), and beside Poco's parser, which
// builds a tree. Each in the forms that results have: a page as one string, text that is not English, many small
// members, numbers, and strings full of escapes.
#include <Poco/JSON/Parser.h>
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <string_view>

#include "hub/json.h"

namespace carillon::hub::json {
namespace {

constexpr std::size_t result_bytes = 4 * 1024 * 1024;

std::string repeated(std::string_view open, std::string_view part, std::string_view close) {
  std::string text(open);
  while (text.size() + part.size() + close.size() < result_bytes) text += part;
  if (text.back() == ',') text.pop_back();
  return text.append(close);
}

std::string make(int form) {
  switch (form) {
    case 0:  // ASCII, one string
      return repeated(R"({"text":")", "The quick brown fox jumps over the lazy dog, and then it sleeps. ", R"("})");
    case 1:  // Cyrillic, one string
      return repeated(R"({"text":")", "Съешь ещё этих мягких французских булок. ", R"("})");
    case 2:  // Latin with an umlaut here and there
      return repeated(R"({"text":")", "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. ", R"("})");
    case 3:  // records
      return repeated("[", R"({"id":12345,"name":"Widget","price":19.99,"tags":["a","b"],"stock":true},)", "]");
    case 4:  // numbers
      return repeated("[", "0.12345,-17,3.5e10,", "]");
    case 5:  // a page of HTML as JSON has it
      return repeated(R"({"html":")", R"(<div class=\"row\">\n  <a href=\"/p/1\">One</a>\n</div>\n)", R"("})");
    default:  // records, indented
      return repeated("[\n", "    {\n        \"id\": 12345,\n        \"name\": \"Widget\"\n    },", "\n]");
  }
}

constexpr const char* names[] = {"ascii", "cyrillic", "german", "records", "numbers", "html", "indented"};

void done(benchmark::State& state, const std::string& text) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.SetLabel(names[state.range(0)]);
}

void look_at_each_byte(benchmark::State& state) {
  const std::string text = make(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(std::memchr(text.data(), '\x01', text.size()));
  done(state, text);
}
BENCHMARK(look_at_each_byte)->Arg(0);

void check_result(benchmark::State& state) {
  const std::string text = make(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    const auto checked = check(text);
    if (!std::holds_alternative<Value>(checked)) state.SkipWithError("it is sound");
    benchmark::DoNotOptimize(&checked);
  }
  done(state, text);
}
BENCHMARK(check_result)->DenseRange(0, 6);

void parse_with_poco(benchmark::State& state) {
  const std::string text = make(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    Poco::JSON::Parser parser;
    benchmark::DoNotOptimize(parser.parse(text));
  }
  done(state, text);
}
BENCHMARK(parse_with_poco)->DenseRange(0, 6)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace carillon::hub::json
