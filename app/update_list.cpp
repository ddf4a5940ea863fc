#include "app/update_list.h"

#include <utility>
#include <variant>

#include "channels/refusal.h"

namespace carillon::app {
namespace {

using hub::json::append_number;
using hub::json::append_string;
using net::http::Invalid;
using net::http::Problem;

constexpr std::size_t answer_bytes_expected = 80;

void append_job(std::string& out, const hub::JobId& job) {
  out += R"({"job_id":")";
  const std::size_t at = out.size();
  out.resize(at + hub::JobId::text_bytes);
  job.write(out.data() + at);
  out += '"';
}

/// What follows the job's id.
void append_problem(std::string& out, const Problem& problem) {
  out += R"(,"status":)";
  append_number(out, problem.status);
  out += R"(,"error":)";
  append_string(out, problem.code);
  out += R"(,"message":)";
  append_string(out, problem.detail);
  if (!problem.invalid.empty()) {
    out += R"(,"errors":[)";
    for (const Invalid& invalid : problem.invalid) {
      if (&invalid != &problem.invalid.front()) out += ',';
      out += R"({"pointer":)";
      append_string(out, invalid.pointer);
      out += R"(,"detail":)";
      append_string(out, invalid.detail);
      out += '}';
    }
    out += ']';
  }
  out += '}';
}

std::string refused_json(const hub::Intake::RefusedUpdate& refused) {
  std::vector<Invalid> invalid;
  const bool too_large = channels::append_faults(invalid, refused.faults);
  std::string out;
  if (refused.job) {
    append_job(out, *refused.job);
  } else {
    out += R"({"job_id":null)";
  }
  append_problem(out, channels::problem_for(std::move(invalid), too_large));
  return out;
}

}  // namespace

void UpdateList::take(const hub::json::Value& element, const hub::json::Object& members) {
  if (count_++ >= updates_max_) return;
  auto read = intake_.read_update(by_, element, members, "/updates/" + std::to_string(count_ - 1));
  if (auto* report = std::get_if<hub::Report>(&read)) {
    items_.push_back({report->job});
    reports_.push_back(std::move(*report));
  } else {
    refused_.push_back(refused_json(std::get<hub::Intake::RefusedUpdate>(read)));
    items_.push_back({{}, refused_.size()});
  }
}

std::string UpdateList::answer(const hub::ReportOutcomes& outcomes) const {
  std::string out;
  out.reserve(16 + items_.size() * answer_bytes_expected);
  out += R"({"results":[)";
  auto outcome = outcomes.begin();
  for (const Item& item : items_) {
    if (&item != &items_.front()) out += ',';
    if (item.refused > 0) {
      out += refused_[item.refused - 1];
      continue;
    }
    append_job(out, item.job);
    if (*outcome) {
      out += R"(,"status":200,"seq":)";
      append_number(out, **outcome);
      out += '}';
    } else {
      append_problem(out, channels::problem_for(outcome->refusal(), outcome->detail()));
    }
    ++outcome;
  }
  out += "]}";
  return out;
}

}  // namespace carillon::app
