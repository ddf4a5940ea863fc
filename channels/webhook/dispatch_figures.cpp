#include "channels/webhook/dispatch_figures.h"

namespace carillon::channels::webhook {

AttemptClass class_of(const TransferResult& result) {
  switch (result.failure) {
    case TransferFailure::timeout:
      return AttemptClass::timeout;
    case TransferFailure::refused_address:
      return AttemptClass::refused;
    case TransferFailure::tls:
      return AttemptClass::tls;
    case TransferFailure::unreachable:
      return AttemptClass::unreachable;
    case TransferFailure::none:
      break;
  }
  switch (result.http_status / 100) {
    case 2:
      return AttemptClass::delivered;
    case 3:
      return AttemptClass::redirect;
    case 4:
      return AttemptClass::client_error;
    default:
      return AttemptClass::server_error;
  }
}

void DispatchFigures::count(hub::EndpointId endpoint, AttemptClass attempt, double seconds) {
  const auto place = static_cast<std::size_t>(attempt);
  ++attempts[place];
  attempt_seconds.observe(seconds);
  if (too_many_) return;
  const std::lock_guard lock(mutex_);
  EndpointFigures& figures = endpoints_[endpoint];
  ++figures.attempts[place];
  figures.seconds += seconds;
  if (endpoints_.size() <= endpoints_max) return;
  endpoints_.clear();
  too_many_ = true;
}

std::vector<std::pair<hub::EndpointId, EndpointFigures>> DispatchFigures::endpoints() const {
  const std::lock_guard lock(mutex_);
  return {endpoints_.begin(), endpoints_.end()};
}

}  // namespace carillon::channels::webhook
