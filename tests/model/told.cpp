#include "tests/model/told.h"

#include "tests/model/trial_error.h"

namespace carillon::model {

Told::Told(std::string_view text) : text_(text) {
  auto parsed = hub::json::parse_object(text_);
  if (std::holds_alternative<hub::json::Error>(parsed)) throw Divergence("no JSON object: " + text_);
  object_ = std::move(std::get<hub::json::Object>(parsed));
}

std::string Told::json(std::string_view name) const {
  const auto* value = object_.find(name);
  return value == nullptr || value->is(hub::json::Kind::null) ? std::string() : std::string(value->text);
}

std::string Told::text(std::string_view name) const {
  const auto* value = object_.find(name);
  return value != nullptr && value->is(hub::json::Kind::string) ? value->string() : std::string();
}

std::int64_t Told::number(std::string_view name) const {
  const auto* value = object_.find(name);
  return value != nullptr && value->is(hub::json::Kind::number) ? value->integer().value_or(-1) : -1;
}

std::vector<hub::json::Value> Told::list(std::string_view name) const {
  const auto* value = object_.find(name);
  if (value == nullptr || !value->is(hub::json::Kind::array)) throw Divergence("no list " + std::string(name));
  return hub::json::elements_of(*value);
}

Change Told::change() const {
  Change change;
  const auto job = hub::JobId::parse(text("job_id"));
  if (!job) throw Divergence("no job: " + text_);
  const auto status = hub::parse_job_status(text("status"));
  if (!status) throw Divergence("no status: " + text_);
  change.job = *job;
  change.status = *status;
  change.kind = hub::kind_of(*status);
  change.result = json("result");
  change.error = json("error");
  change.progress = json("progress");
  const std::int64_t seq = number("seq");
  change.seq = seq < 0 ? 0 : seq;
  return change;
}

}  // namespace carillon::model
