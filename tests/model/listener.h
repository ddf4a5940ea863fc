// A WebSocket client of the trial's, and what it is to hear: each event of what it listens to, once, in order, from
// where it began, and nothing of anyone else's.
//
// Threads: the trial's.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "tests/model/clients.h"
#include "tests/model/reference.h"

namespace carillon::model {

class Listener {
 public:
  Listener(const Reference& reference, const Caller& who, std::shared_ptr<Wire> wire, bool resume);

  const Caller& who() const { return who_; }
  bool resumes() const { return resume_; }
  Wire& wire() { return client_.wire(); }

  void subscribe(const hub::JobId& job, std::optional<hub::Seq> after = {}, const std::string& epoch = {});
  void subscribe_to_all(std::optional<hub::Seq> after = {}, const std::string& epoch = {});
  void unsubscribe(const hub::JobId& job);
  void unsubscribe_from_all();
  void ping();

  /// Takes in what has come, as far as the reference can account for it. Throws Divergence.
  void take_in();
  /// It has heard all there is for it, and each of its messages is answered.
  bool up_to_date() const;
  /// What came and is not accounted for.
  bool has_unexplained() const { return !unread_.empty(); }
  const std::deque<std::string>& unexplained() const { return unread_; }
  int closed_with() const { return client_.closed_with(); }
  bool ended() { return client_.ended(); }
  std::string missing() const;

  bool hears(const hub::JobId& job) const { return told_.contains(job); }
  bool hears_all() const { return all_from_.has_value(); }
  const std::map<hub::JobId, hub::Seq>& jobs() const { return told_; }
  /// All events of its key up to here were told; only where it hears all.
  hub::Seq told_of_all() const;

  bool stalled = false;
  bool may_be_closed_as_slow = false;
  bool may_be_told_to_try_again = false;

 private:
  struct Awaited {
    enum class What : std::uint8_t { subscribed, subscribed_to_all, unsubscribed, unsubscribed_from_all, error, pong };
    What what;
    hub::JobId job{};
    std::optional<hub::Seq> after{};
    hub::Seq known = 0;  ///< the last event when it was sent
  };

  /// False where the reference does not know of it yet.
  bool explain(const std::string& frame);
  bool explain_update(const std::string& frame);
  void expect(const std::string& message, Awaited awaited);

  const Reference& reference_;
  const Caller& who_;
  const bool resume_;
  WebSocketClient client_;
  bool connected_ = false;
  std::deque<std::string> unread_;
  std::deque<Awaited> awaited_;
  std::map<hub::JobId, hub::Seq> told_;  ///< of each that it subscribed to: the last that it was told
  std::optional<hub::JobId> state_of_;   ///< whose present state comes next
  hub::Seq state_not_before_ = 0;
  std::optional<hub::Seq> all_from_;            ///< it hears all that is later
  std::map<hub::JobId, hub::Seq> told_by_all_;  ///< the last of each job since then
};

}  // namespace carillon::model
