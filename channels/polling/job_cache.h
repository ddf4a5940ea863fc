// The jobs that were asked for last, as they stand, each with its JSON: who polls asks again and again for what has not
// changed.
//
// What is given is never behind what anyone was told, on whatever loop or channel: it is given from memory only where
// every commit that there can have been news of has passed by on_commit(), and is read from the store otherwise. So a
// client that was answered on one connection finds the same, or what came later, on any other.
//
// Bounded by the number of jobs and by their bytes: those that were not asked for longest go, half at a time.
//
// Threads: belongs to its loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "hub/store.h"
#include "net/http/body.h"

namespace carillon::channels::polling {

class JobCache {
 public:
  struct Limits {
    std::size_t jobs = 16'384;
    std::size_t bytes = 8 * 1024 * 1024;
    std::size_t bytes_of_job = 64 * 1024;  ///< one that is larger is read each time
  };

  /// All outlive the cache.
  JobCache(hub::Reader& reader, const hub::Store& store) : JobCache(reader, store, Limits()) {}
  JobCache(hub::Reader& reader, const hub::Store& store, Limits limits)
      : reader_(reader), store_(store), limits_(limits) {}
  JobCache(const JobCache&) = delete;
  JobCache& operator=(const JobCache&) = delete;

  struct Known {
    hub::Job job;
    net::http::Body json;  ///< job_json(job)
  };
  /// Null where there is no such job. Holds until the next call. Throws StoreError when it must be read and cannot be.
  const Known* find(const hub::JobId& id);

  /// Before the first commit that is passed on.
  void begin_after(const hub::Store::Beginning& told) { told_ = told.number; }
  void on_commit(const hub::CommitBatch& batch);

  std::size_t jobs() const { return young_.jobs.size() + old_.jobs.size(); }
  std::size_t bytes() const { return young_.bytes + old_.bytes; }

 private:
  using Jobs = std::unordered_map<hub::JobId, Known, hub::JobIdHash>;
  /// Half of what is kept.
  struct Half {
    Jobs jobs;
    std::size_t bytes = 0;
  };

  static std::size_t bytes_of(const Known& known);

  /// Moves it among the young.
  const Known* find_kept(const hub::JobId& id);
  const Known* keep(Jobs::node_type node);
  void drop(const hub::JobId& id);
  static Jobs::node_type take(Half& half, const hub::JobId& id);

  hub::Reader& reader_;
  const hub::Store& store_;
  const Limits limits_;
  std::uint64_t told_ = 0;  ///< the number of the last batch that was passed on
  Half young_;              ///< asked for since the halves were last changed
  Half old_;
  std::optional<Known> unkept_;
};

}  // namespace carillon::channels::polling
