#include "channels/webhook/endpoint_call_bodies.h"

#include <utility>

#include "hub/json.h"
#include "hub/webhook_secret.h"

namespace carillon::channels::webhook {
namespace {

using hub::json::Kind;
using hub::json::Value;

constexpr std::int64_t ms_per_s = 1000;
/// The end of the year 9999, as far as RFC 3339 reaches.
constexpr std::int64_t unix_s_max = 253'402'300'799;

std::optional<hub::UnixMs> take_time(BodyReader& reader, std::string_view name) {
  const Value* value = reader.take(name);
  if (value == nullptr) return std::nullopt;
  std::optional<hub::UnixMs> time;
  if (value->is(Kind::string)) time = hub::parse_rfc3339(value->string());
  if (value->is(Kind::number)) {
    const auto seconds = value->integer();
    if (seconds && *seconds >= 0 && *seconds <= unix_s_max) time = *seconds * ms_per_s;
  }
  if (!time) reader.refuse(name, "must be a time, as \"2026-11-23T17:42:05Z\" or in whole seconds since 1970");
  return time;
}

}  // namespace

Read<ReplayBody> read_replay_body(std::string_view text) {
  return read_body<ReplayBody>(text, [](BodyReader& reader) {
    ReplayBody body;
    const auto since = take_time(reader, "since");
    if (!reader.has("since") || reader.is_null("since")) reader.refuse("since", "is missing");
    body.since = since.value_or(0);
    body.until = take_time(reader, "until");
    if (since && body.until && *body.until <= *since) reader.refuse("until", "must be later than since");
    if (const auto status = reader.take_string("status")) {
      body.delivered_too = *status == "all";
      if (*status != "failed" && *status != "all") reader.refuse("status", "must be one of failed, all");
    }
    return reader.end(body);
  });
}

Read<SecretRotationBody> read_secret_rotation_body(std::string_view text) {
  return read_optional_body<SecretRotationBody>(text, [](BodyReader& reader) {
    SecretRotationBody body;
    body.secret = reader.take_string("secret");
    if (body.secret && !hub::is_webhook_secret(*body.secret)) {
      reader.refuse("secret", hub::webhook_secret_wanted);
    }
    body.overlap_s = reader.take_integer("overlap_s", 0, secret_overlap_s_max);
    return reader.end(std::move(body));
  });
}

}  // namespace carillon::channels::webhook
