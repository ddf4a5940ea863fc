// The body that registers or changes a webhook: whatever comes in, it is taken or it is refused with a problem that
// says where; and what is taken keeps its limits.
#include <cstdint>
#include <string_view>

#include "channels/webhook/endpoint_body.h"
#include "hub/json.h"
#include "hub/webhook_secret.h"
#include "tests/fuzz/must.h"

namespace {

using namespace carillon;
using namespace carillon::channels::webhook;
using carillon::fuzz::must;

void check_taken(const EndpointBody& body, EndpointBodyUse use, const UrlPolicy& policy) {
  if (use == EndpointBodyUse::create) must(body.url.has_value());
  if (body.url) must(!url_fault(*body.url, policy));
  if (body.events) must(body.events->bits != 0 && !body.events->has(hub::EventKind::webhook_test));
  if (body.description) must(body.description->size() <= description_bytes_max);
  if (body.secret) must(hub::is_webhook_secret(*body.secret));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool is_object = std::holds_alternative<hub::json::Object>(hub::json::parse_object(text));
  for (const auto use : {EndpointBodyUse::create, EndpointBodyUse::change}) {
    const UrlPolicy policy{use == EndpointBodyUse::change};
    const auto read = read_endpoint_body(text, use, policy);
    if (const auto* body = std::get_if<EndpointBody>(&read)) {
      must(is_object);
      check_taken(*body, use, policy);
    } else {
      const auto& problem = std::get<net::http::Problem>(read);
      must(problem.status == (is_object ? 422 : 400));
    }
  }
  return 0;
}
