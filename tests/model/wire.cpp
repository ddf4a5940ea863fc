#include "tests/model/wire.h"

#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace carillon::model {

class Wire::HubEnd final : public net::Transport {
 public:
  explicit HubEnd(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  ~HubEnd() override {
    const std::lock_guard lock(wire_->mutex_);
    wire_->hub_gone_ = true;
    wire_->arrivals_.tell();
  }
  HubEnd(const HubEnd&) = delete;
  HubEnd& operator=(const HubEnd&) = delete;

  Result read(char* into, std::size_t bytes) override {
    Wire& wire = *wire_;
    const std::lock_guard lock(wire.mutex_);
    if (wire.reset_) return {Status::failed};
    if (wire.to_hub_.empty()) return {wire.client_closed_ ? Status::ended : Status::would_block};
    if (wire.storms()) return {Status::would_block};
    const std::size_t count = wire.piece_of(std::min(bytes, wire.to_hub_.size()));
    wire.to_hub_.copy(into, count);
    wire.to_hub_.erase(0, count);
    if (!wire.to_hub_.empty() || wire.client_closed_) wire.edge();
    wire.arrivals_.tell();
    return {Status::done, count};
  }

  Result write(const iovec* pieces, std::size_t count) override {
    Wire& wire = *wire_;
    const std::lock_guard lock(wire.mutex_);
    if (wire.reset_ || wire.client_closed_) return {Status::failed};
    if (wire.storms()) return {Status::would_block};
    const std::size_t room = wire.window_ > wire.to_client_.size() ? wire.window_ - wire.to_client_.size() : 0;
    std::size_t wanted = 0;
    for (std::size_t i = 0; i < count; ++i) wanted += pieces[i].iov_len;
    if (room == 0) {
      wire.hub_waits_ = true;
      return {Status::would_block};
    }
    const std::size_t taken = wire.piece_of(std::min(room, wanted));
    std::size_t left = taken;
    for (std::size_t i = 0; i < count && left > 0; ++i) {
      const std::size_t part = std::min(left, pieces[i].iov_len);
      wire.to_client_.append(static_cast<const char*>(pieces[i].iov_base), part);
      left -= part;
    }
    if (taken < wanted) {
      if (taken < room) {
        wire.edge();
      } else {
        wire.hub_waits_ = true;
      }
    }
    wire.arrivals_.tell();
    return {Status::done, taken};
  }

  int fd() const override { return wire_->event_; }

  void shutdown_write() override {
    const std::lock_guard lock(wire_->mutex_);
    wire_->hub_ended_ = true;
    wire_->arrivals_.tell();
  }

 private:
  std::shared_ptr<Wire> wire_;
};

Wire::Wire(Arrivals& arrivals, const Weather& weather, std::uint64_t seed)
    : arrivals_(arrivals),
      weather_(weather),
      dice_(seed),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      window_(weather.window_bytes) {}

Wire::~Wire() { ::close(event_); }

std::unique_ptr<net::Transport> Wire::hub_end(const std::shared_ptr<Wire>& wire) {
  return std::make_unique<HubEnd>(wire);
}

void Wire::edge() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_, &one, sizeof one);
}

std::size_t Wire::piece_of(std::size_t bytes) {
  if (weather_.piece_bytes_max == 0) return bytes;
  return std::min(bytes, 1 + dice_.below(weather_.piece_bytes_max));
}

bool Wire::storms() {
  if (weather_.storm_one_in == 0) return false;
  if (storm_left_ == 0 && dice_.one_in(weather_.storm_one_in)) storm_left_ = 1 + dice_.below(4);
  if (storm_left_ == 0) return false;
  --storm_left_;
  edge();
  return true;
}

void Wire::send(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  to_hub_.append(bytes);
  edge();
}

std::string Wire::take() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(hub_waits_, false)) edge();
  return std::exchange(to_client_, {});
}

void Wire::set_window(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  window_ = bytes;
  if (std::exchange(hub_waits_, false)) edge();
}

void Wire::close() {
  const std::lock_guard lock(mutex_);
  client_closed_ = true;
  edge();
}

void Wire::reset() {
  const std::lock_guard lock(mutex_);
  reset_ = true;
  edge();
}

bool Wire::all_read() {
  const std::lock_guard lock(mutex_);
  return to_hub_.empty() || reset_ || hub_gone_;
}

bool Wire::ended() {
  const std::lock_guard lock(mutex_);
  return (hub_ended_ || hub_gone_) && to_client_.empty();
}

bool Wire::left_by_hub() {
  const std::lock_guard lock(mutex_);
  return hub_gone_;
}

}  // namespace carillon::model
