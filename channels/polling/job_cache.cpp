#include "channels/polling/job_cache.h"

#include <utility>

#include "channels/polling/job_json.h"

namespace carillon::channels::polling {
namespace {

/// A place in the table, and the texts' own heads.
constexpr std::size_t bytes_of_place = 512;

std::size_t bytes_of(const hub::Text& text) { return text ? text->size() : 0; }

}  // namespace

std::size_t JobCache::bytes_of(const Known& known) {
  const hub::Job& job = known.job;
  return bytes_of_place + polling::bytes_of(job.result) + polling::bytes_of(job.error) +
         polling::bytes_of(job.progress) + polling::bytes_of(job.metadata) + known.json.size();
}

const JobCache::Known* JobCache::find(const hub::JobId& id) {
  unkept_.reset();
  const bool all_told = store_.newest_commit() == told_;
  if (all_told) {
    if (const Known* known = find_kept(id)) return known;
  }
  auto job = reader_.find_job(id);
  if (!job) return nullptr;
  if (!all_told) {
    // An event of it may be on its way here; that it has not changed saves making its JSON anew all the same.
    if (const Known* known = find_kept(id); known != nullptr && known->job.seq == job->seq) return known;
    drop(id);
  }
  Known known{std::move(*job), {}};
  known.json = job_json(known.job);
  if (bytes_of(known) > limits_.bytes_of_job) return &unkept_.emplace(std::move(known));
  Jobs fresh;
  fresh.emplace(id, std::move(known));
  return keep(fresh.extract(fresh.begin()));
}

const JobCache::Known* JobCache::find_kept(const hub::JobId& id) {
  if (const auto found = young_.jobs.find(id); found != young_.jobs.end()) return &found->second;
  Jobs::node_type node = take(old_, id);
  return node ? keep(std::move(node)) : nullptr;
}

const JobCache::Known* JobCache::keep(Jobs::node_type node) {
  const std::size_t bytes = bytes_of(node.mapped());
  if (young_.jobs.size() >= limits_.jobs / 2 || young_.bytes + bytes > limits_.bytes / 2) {
    old_ = std::exchange(young_, {});
  }
  young_.bytes += bytes;
  return &young_.jobs.insert(std::move(node)).position->second;
}

JobCache::Jobs::node_type JobCache::take(Half& half, const hub::JobId& id) {
  Jobs::node_type node = half.jobs.extract(id);
  if (node) half.bytes -= bytes_of(node.mapped());
  return node;
}

void JobCache::drop(const hub::JobId& id) {
  take(young_, id);
  take(old_, id);
}

void JobCache::on_commit(const hub::CommitBatch& batch) {
  told_ = batch.number;
  if (jobs() == 0) return;
  if (batch.jobs_gone) {
    young_ = old_ = {};
    return;
  }
  for (const hub::EventPtr& event : batch.events) drop(event->job);
  for (const hub::JobId& job : batch.jobs_erased) drop(job);
}

}  // namespace carillon::channels::polling
