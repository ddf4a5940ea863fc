// The idempotency keys of submissions that were handed to the store and have not been answered yet, on any loop.
//
// Threads: any.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "hub/id.h"

namespace carillon::app {

class SubmissionsUnderWay {
 public:
  /// Under way for as long as this lives.
  class Place {
   public:
    Place(SubmissionsUnderWay& all, std::pair<hub::KeyId, std::string> key) : all_(all), key_(std::move(key)) {}
    ~Place() { all_.leave(key_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    SubmissionsUnderWay& all_;
    const std::pair<hub::KeyId, std::string> key_;
  };

  /// Null where one is under way already with that key of that caller. Outlived by this object.
  std::shared_ptr<Place> enter(hub::KeyId by, const std::string& key) {
    const std::lock_guard lock(mutex_);
    if (!keys_.emplace(by, key).second) return nullptr;
    return std::make_shared<Place>(*this, std::pair(by, key));
  }

 private:
  void leave(const std::pair<hub::KeyId, std::string>& key) {
    const std::lock_guard lock(mutex_);
    keys_.erase(key);
  }

  std::mutex mutex_;
  std::set<std::pair<hub::KeyId, std::string>> keys_;
};

}  // namespace carillon::app
