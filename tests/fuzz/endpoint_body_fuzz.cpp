// The body that registers or changes a webhook: whatever comes in, it is taken or it is refused with a problem that
// says where; and what is taken keeps its limits.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "channels/webhook/endpoint_body.h"
#include "hub/json.h"
#include "hub/webhook_secret.h"

namespace {

using namespace carillon;
using namespace carillon::channels::webhook;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_taken(const EndpointBody& body, EndpointBodyUse use, const UrlPolicy& policy) {
  if (use == EndpointBodyUse::create) require(body.url.has_value());
  if (body.url) require(!url_fault(*body.url, policy));
  if (body.events) require(body.events->bits != 0 && !body.events->has(hub::EventKind::webhook_test));
  if (body.description) require(body.description->size() <= description_bytes_max);
  if (body.secret) require(hub::is_webhook_secret(*body.secret));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool is_object = std::holds_alternative<hub::json::Object>(hub::json::parse_object(text));
  for (const auto use : {EndpointBodyUse::create, EndpointBodyUse::change}) {
    const UrlPolicy policy{use == EndpointBodyUse::change};
    const auto read = read_endpoint_body(text, use, policy);
    if (const auto* body = std::get_if<EndpointBody>(&read)) {
      require(is_object);
      check_taken(*body, use, policy);
    } else {
      const auto& problem = std::get<net::http::Problem>(read);
      require(problem.status == (is_object ? 422 : 400));
    }
  }
  return 0;
}
