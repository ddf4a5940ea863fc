#include "channels/refusal.h"

namespace carillon::channels {

using net::http::Problem;

namespace {

/// "/url is missing; /colour is not known here."
std::string listed(const std::vector<net::http::Invalid>& invalid) {
  std::string list;
  for (const net::http::Invalid& one : invalid) {
    list.append(list.empty() ? "" : "; ").append(one.pointer).append(" ").append(one.detail);
  }
  return list + '.';
}

}  // namespace

Problem problem_for(hub::Refusal refusal, std::string detail) {
  switch (refusal) {
    case hub::Refusal::not_found:
      return {404, "not_found", std::move(detail), {}, 0};
    case hub::Refusal::already_exists:
      return {409, "already_exists", std::move(detail), {}, 0};
    case hub::Refusal::bad_transition:
      return {409, "invalid_transition", std::move(detail), {}, 0};
    case hub::Refusal::not_running:
      return {409, "job_not_running", std::move(detail), {}, 0};
    case hub::Refusal::not_final:
      return {409, "job_not_final", std::move(detail), {}, 0};
    case hub::Refusal::key_reused:
      return {422, "idempotency_key_reused", std::move(detail), {}, 0};
    case hub::Refusal::endpoint_disabled:
      return {409, "endpoint_disabled", std::move(detail), {}, 0};
    case hub::Refusal::limit_reached:
      return {409, "limit_reached", std::move(detail), {}, 0};
    case hub::Refusal::unknown_owner:
      return {422, "validation_error", std::move(detail), {{"/owner", "is not the id of a client key"}}, 0};
    case hub::Refusal::overloaded:
      return {503, "overloaded", "More changes are waiting than the hub takes on; nothing was changed.", {}, 1};
    case hub::Refusal::unavailable:
      return {503, "store_unavailable", "The store cannot write now; nothing was changed.", {}, 5};
  }
  return {500, "internal_error", std::move(detail), {}, 0};
}

Problem store_unreadable() { return {503, "store_unavailable", "The store cannot be read now.", {}, 5}; }

Problem problem_for(hub::AuthRefusal refusal) {
  const auto detail = [&](std::string_view help) { return std::string(to_text(refusal)) + std::string(help); };
  switch (refusal) {
    case hub::AuthRefusal::missing:
      return {401, "missing_api_key", detail(": send it as X-API-Key or as Authorization: Bearer."), {}, 0};
    case hub::AuthRefusal::invalid:
      return {401, "invalid_api_key", detail("."), {}, 0};
    case hub::AuthRefusal::disabled:
      return {401, "api_key_disabled", detail("."), {}, 0};
    case hub::AuthRefusal::expired:
      return {401, "api_key_expired", detail("."), {}, 0};
    case hub::AuthRefusal::suspended:
      return {403, "account_suspended", detail("."), {}, 0};
  }
  return {401, "invalid_api_key", detail("."), {}, 0};
}

Problem problem_for(const hub::json::Error& error) {
  return {400,
          "invalid_json",
          "The body is not sound JSON: " + error.what + " (at byte " + std::to_string(error.offset) + ").",
          {},
          0};
}

net::http::Problem problem_for(std::vector<net::http::Invalid> invalid, bool too_large) {
  std::string detail = "The body is not valid: " + listed(invalid);
  return {too_large ? 413 : 422, too_large ? "too_large" : "validation_error", std::move(detail), std::move(invalid),
          0};
}

net::http::Problem problem_for_query(std::vector<net::http::Invalid> invalid) {
  std::string detail = "The query is not valid: " + listed(invalid);
  return {422, "validation_error", std::move(detail), std::move(invalid), 0};
}

bool append_faults(std::vector<net::http::Invalid>& invalid, const hub::Faults& faults) {
  bool too_large = false;
  for (const hub::Fault& fault : faults) {
    invalid.push_back({fault.pointer, fault.detail});
    too_large = too_large || fault.too_large;
  }
  return too_large;
}

}  // namespace carillon::channels
