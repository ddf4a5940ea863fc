// Events of no job, on their way from the store to the log: an operator should read that a webhook was disabled where
// its owner does not look.
//
// Threads: told on the store's thread, take() from one other.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "hub/store.h"

namespace carillon::app {

class OwnerNews final : public hub::CommitListener {
 public:
  struct DisabledWebhook {
    std::string id;
    std::string url;  ///< without its query: what goes to a log must hold no secret of the owner's
    std::string reason;
  };

  void on_commit(const hub::CommitBatchPtr& batch, hub::Replies replies) noexcept override;

  /// What has come since; what is more than anybody would read at once is left out.
  std::vector<DisabledWebhook> take();

 private:
  static constexpr std::size_t waiting_max = 1'000;

  std::mutex mutex_;
  std::vector<hub::EventPtr> waiting_;
};

}  // namespace carillon::app
