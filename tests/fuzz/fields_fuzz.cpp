// The fields that say more than one thing: what a client accepts, which page and which trace a request comes from, what
// it asks for in its query. Whatever stands in them, it is read to its end, and what is made of it keeps its form.
//
// Input: one byte that says which field, then its value.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http/field_list.h"
#include "net/http/head.h"
#include "net/http/message.h"
#include "net/http/negotiation.h"
#include "net/http/origin.h"
#include "net/http/trace_context.h"
#include "tests/fuzz/must.h"

namespace {

using namespace carillon::net::http;
using carillon::fuzz::must;

constexpr std::size_t input_bytes_max = 4096;

void read_accepted(std::string_view value) {
  AcceptedCodings codings;
  codings.add(value);
  codings.choice();
  AcceptedType type("text/event-stream");
  type.add(value);
  must(type.weight() >= 0 && type.weight() <= 1000);
  for (std::string_view rest = value; !rest.empty();) {
    const std::size_t before = rest.size();
    const auto element = take_weighted(rest);
    must(rest.size() < before);
    must(!element || (element->weight >= 0 && element->weight <= 1000));
  }
}

void read_list(std::string_view value) {
  for (std::string_view rest = value; !rest.empty();) {
    const std::size_t before = rest.size();
    const std::string_view element = take_until(rest, ',');
    must(rest.size() < before && element == trim(element));
  }
  is_json_type(value);
  is_unsaid_type(value);
}

void read_origin(std::string_view value) {
  const auto origin = canonical_origin(value);
  if (!origin) return;
  must(is_visible_ascii(*origin) && origin->find("://") != std::string::npos);
  must(origin->find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ/?#@", origin->find("://") + 3) == std::string::npos);
  must(canonical_origin(*origin) == origin);
  must(OriginList({*origin}).allows(value));
}

void read_trace(std::string_view value) {
  const std::size_t cut = value.find('\n');
  const std::string_view state = cut == std::string_view::npos ? std::string_view() : value.substr(cut + 1);
  const std::array fields{Field{"traceparent", value.substr(0, cut)}, Field{"Tracestate", state}};
  const auto context = TraceContext::read(fields);
  must(trace_id_of(fields) == (context ? std::string_view(context->id) : std::string_view()));
  TraceContext::from_text(value);
  if (!context) return;
  must(context->state.size() <= TraceContext::state_bytes_max);
  const auto kept = TraceContext::from_text(context->text());
  must(kept && kept->id == context->id && kept->sampled == context->sampled && kept->state == context->state);
  // What is passed on is read as the same by whoever gets it.
  const std::string parent = context->traceparent(7);
  const std::array passed_on{Field{"traceparent", parent}, Field{"tracestate", context->state}};
  const auto there = TraceContext::read(passed_on);
  must(there && there->text() == context->text());
}

void read_query(std::string_view value) {
  Request request;
  request.query = value;
  std::size_t bytes = 0;
  for (const QueryMember& member : request.query_members()) {
    bytes += member.name.size() + member.value.size();
    must(request.query_member(member.name).has_value());
  }
  must(bytes <= value.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > input_bytes_max) return 0;
  const std::string_view value(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      read_accepted(value);
      break;
    case 1:
      read_list(value);
      break;
    case 2:
      read_origin(value);
      break;
    case 3:
      read_trace(value);
      break;
    default:
      read_query(value);
  }
  return 0;
}
