#include "channels/webhook/delivery_json.h"

#include "hub/json.h"

namespace carillon::channels::webhook {
namespace {

using hub::json::append_number;
using hub::json::append_string;

std::string attempt_json(const hub::AttemptRecord& attempt) {
  std::string out = R"({"number":)";
  append_number(out, attempt.number);
  out += R"(,"started_at":)";
  append_string(out, hub::rfc3339_ms(attempt.started_at));
  out += R"(,"duration_ms":)";
  append_number(out, attempt.duration_ms);
  out += R"(,"status":)";
  attempt.http_status != 0 ? append_number(out, attempt.http_status) : void(out += "null");
  out += R"(,"error":)";
  attempt.error.empty() ? void(out += "null") : append_string(out, attempt.error);
  out += R"(,"response":)";
  append_string(out, attempt.response);
  return out + "}";
}

}  // namespace

std::string delivery_json(const hub::DeliveryReport& delivery) {
  std::string out = R"({"id":)";
  append_string(out, to_text(delivery.id));
  out += R"(,"webhook_id":)";
  append_string(out, to_text(delivery.endpoint));
  out += R"(,"message_id":)";
  append_string(out, hub::to_text(delivery.message));
  out += R"(,"event":)";
  append_string(out, to_text(delivery.kind));
  out += R"(,"job_id":)";
  delivery.job ? append_string(out, delivery.job->text()) : void(out += "null");
  out += R"(,"seq":)";
  delivery.seq != 0 ? append_number(out, delivery.seq) : void(out += "null");
  out += R"(,"status":)";
  append_string(out, to_text(delivery.state));
  out += R"(,"attempt_count":)";
  append_number(out, delivery.attempts);
  out += R"(,"next_attempt_at":)";
  delivery.due_at ? append_string(out, hub::rfc3339_ms(*delivery.due_at)) : void(out += "null");
  out += R"(,"created_at":)";
  append_string(out, hub::rfc3339_ms(delivery.created_at));
  return out + "}";
}

std::string delivery_json(const hub::DeliveryReport& delivery, const std::vector<hub::AttemptRecord>& attempts) {
  std::string out = delivery_json(delivery);
  out.pop_back();
  out += R"(,"attempts":[)";
  for (const hub::AttemptRecord& attempt : attempts) {
    if (&attempt != &attempts.front()) out += ',';
    out += attempt_json(attempt);
  }
  return out + "]}";
}

net::http::Response delivery_accepted(const hub::DeliveryReport& delivery) {
  auto response = net::http::json_response(202, delivery_json(delivery));
  response.with("Location", "/api/v1/deliveries/" + to_text(delivery.id));
  return response;
}

}  // namespace carillon::channels::webhook
