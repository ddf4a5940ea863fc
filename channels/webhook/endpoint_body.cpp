#include "channels/webhook/endpoint_body.h"

#include <array>
#include <utility>
#include <variant>

#include "channels/webhook/event_filter.h"
#include "channels/webhook/header_rules.h"
#include "hub/json.h"
#include "hub/webhook_secret.h"

namespace carillon::channels::webhook {
namespace {

using hub::json::append_number;
using hub::json::append_string;
using hub::json::Kind;
using hub::json::Value;

std::string header_pointer(std::string_view name) { return "/headers" + pointer_to(name); }

std::vector<hub::HeaderField> read_headers(const Value& value, BodyReader& reader) {
  std::vector<hub::HeaderField> headers;
  const auto parsed = hub::json::members_of(value);
  if (const auto* error = std::get_if<hub::json::Error>(&parsed)) {
    reader.refuse("headers", "cannot be read: " + error->what);
    return headers;
  }
  const auto& members = std::get<hub::json::Object>(parsed).members();
  if (members.size() > headers_max)
    reader.refuse("headers", "has more than " + std::to_string(headers_max) + " members");
  for (const auto& [name, content] : members) {
    const auto refuse = [&reader, pointer = header_pointer(name)](std::string detail) {
      reader.invalid().push_back({pointer, std::move(detail)});
    };
    if (auto fault = header_name_fault(name)) {
      refuse(std::move(*fault));
    } else if (find_header(headers, name) != nullptr) {
      refuse("stands twice: names of headers are compared without case");
    } else if (!content.is(Kind::string)) {
      refuse("must be a string");
    } else if (auto value_fault = header_value_fault(content.string())) {
      refuse(std::move(*value_fault));
    } else {
      headers.push_back({name, content.string()});
    }
  }
  return headers;
}

void read_common(BodyReader& reader, const UrlPolicy& policy, EndpointBody& body) {
  body.url = reader.take_string("url");
  if (body.url) {
    if (auto fault = url_fault(*body.url, policy)) reader.refuse("url", std::move(*fault));
  }
  body.description = reader.take_string("description");
  if (body.description && body.description->size() > description_bytes_max) {
    reader.refuse("description", "is longer than " + std::to_string(description_bytes_max) + " bytes");
  }
  if (const Value* events = reader.take("events")) {
    body.events = read_event_filter(*events, "/events", reader.invalid());
  }
  if (const Value* headers = reader.take("headers", Kind::object)) body.headers = read_headers(*headers, reader);
  body.ordered = reader.take_boolean("ordered");
  if (const auto rate = reader.take_integer("max_per_second", 0, max_per_second_max)) {
    body.max_per_second = static_cast<int>(*rate);
  }
  body.legacy_signature = reader.take_string("legacy_signature");
  if (body.legacy_signature) {
    if (auto fault = header_name_fault(*body.legacy_signature)) reader.refuse("legacy_signature", std::move(*fault));
  }
  if (body.headers && body.legacy_signature) {
    if (const auto* header = find_header(*body.headers, *body.legacy_signature)) {
      reader.invalid().push_back({header_pointer(header->name), "is the header that legacy_signature names"});
    }
  }
}

void read_only_of_create(BodyReader& reader, EndpointBody& body) {
  if (!reader.has("url") || reader.is_null("url")) reader.refuse("url", "is missing");
  body.secret = reader.take_string("secret");
  if (body.secret && !hub::is_webhook_secret(*body.secret)) {
    reader.refuse("secret", hub::webhook_secret_wanted);
  }
  if (const auto signing = reader.take_string("signing")) {
    if (*signing == to_text(hub::Signing::hmac)) {
      body.signing = hub::Signing::hmac;
    } else if (*signing == to_text(hub::Signing::ed25519)) {
      body.signing = hub::Signing::ed25519;
    } else {
      reader.refuse("signing", "must be one of hmac, ed25519");
    }
  }
}

void read_only_of_change(BodyReader& reader, EndpointBody& body) {
  if (const auto status = reader.take_string("status")) {
    if (*status == to_text(hub::EndpointStatus::enabled)) {
      body.status = hub::EndpointStatus::enabled;
    } else if (*status == to_text(hub::EndpointStatus::disabled)) {
      body.status = hub::EndpointStatus::disabled;
    } else {
      reader.refuse("status", "must be one of enabled, disabled");
    }
  }
  for (const std::string_view never_null : {"url", "status"}) {
    if (reader.is_null(never_null)) reader.refuse(never_null, "must not be null");
  }
  reader.take("secret");
  if (reader.has("secret")) reader.refuse("secret", "is changed by POST /webhooks/{id}/rotate-secret");
  reader.take("signing");
  if (reader.has("signing")) reader.refuse("signing", "cannot be changed: register another webhook");

  const hub::Endpoint fresh;
  if (reader.is_null("description")) body.description = fresh.description;
  if (reader.is_null("events")) body.events = fresh.events;
  if (reader.is_null("headers")) body.headers = fresh.headers;
  if (reader.is_null("ordered")) body.ordered = fresh.ordered;
  if (reader.is_null("max_per_second")) body.max_per_second = fresh.max_per_second;
  if (reader.is_null("legacy_signature")) body.legacy_signature = fresh.legacy_signature;
}

void append_member(std::string& out, std::string_view name) {
  out.append(out.size() > 1 ? ",\"" : "\"").append(name).append("\":");
}

void append_text(std::string& out, std::string_view name, std::string_view text) {
  append_member(out, name);
  append_string(out, text);
}

void append_text_or_null(std::string& out, std::string_view name, std::string_view text) {
  append_member(out, name);
  text.empty() ? void(out += "null") : append_string(out, text);
}

void append_time(std::string& out, std::string_view name, std::optional<hub::UnixMs> time) {
  append_text_or_null(out, name, time ? hub::rfc3339_ms(*time) : std::string());
}

std::string headers_json(const std::vector<hub::HeaderField>& headers) {
  std::string out = "{";
  for (const hub::HeaderField& header : headers) append_text(out, header.name, header.value);
  return out + "}";
}

}  // namespace

Read<EndpointBody> read_endpoint_body(std::string_view text, EndpointBodyUse use, const UrlPolicy& policy) {
  return read_body<EndpointBody>(text, [&](BodyReader& reader) {
    EndpointBody body;
    read_common(reader, policy, body);
    use == EndpointBodyUse::create ? read_only_of_create(reader, body) : read_only_of_change(reader, body);
    return reader.end(std::move(body));
  });
}

std::optional<net::http::Problem> clash_of(const std::vector<hub::HeaderField>& headers,
                                           std::string_view legacy_signature) {
  const auto* header = legacy_signature.empty() ? nullptr : find_header(headers, legacy_signature);
  if (header == nullptr) return std::nullopt;
  return problem_for({{header_pointer(header->name), "is the header that legacy_signature names"}});
}

std::string endpoint_json(const hub::Endpoint& endpoint, const EndpointExtras& extras) {
  std::string out = "{";
  append_text(out, "id", to_text(endpoint.id));
  append_text(out, "kind", endpoint.for_jobs ? "jobs" : "registered");
  if (!extras.account.empty()) append_text(out, "account", extras.account);
  append_text(out, "owner", to_text(endpoint.owner.key));
  append_text(out, "url", endpoint.url);
  append_text(out, "description", endpoint.description);
  append_member(out, "events");
  out += event_filter_json(endpoint.events);
  append_member(out, "headers");
  out += headers_json(endpoint.headers);
  append_text(out, "signing", to_text(endpoint.signing));
  if (!endpoint.public_key.empty()) append_text(out, "public_key", endpoint.public_key);
  append_member(out, "ordered");
  out += endpoint.ordered ? "true" : "false";
  append_member(out, "max_per_second");
  append_number(out, endpoint.max_per_second);
  append_text_or_null(out, "legacy_signature", endpoint.legacy_signature);
  append_text(out, "status", to_text(endpoint.status));
  append_text_or_null(out, "disabled_reason", endpoint.disabled_reason);
  append_time(out, "failing_since", endpoint.failing_since);
  append_time(out, "held_until", endpoint.held_until);
  append_time(out, "created_at", endpoint.created_at);
  if (!extras.secret.empty()) append_text(out, "secret", extras.secret);
  if (extras.previous_valid_until) append_time(out, "previous_valid_until", extras.previous_valid_until);
  out += '}';
  return out;
}

}  // namespace carillon::channels::webhook
