#include "net/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <utility>

namespace carillon::net {
namespace {

constexpr std::size_t pieces_per_write = 64;
/// A chunk in its list, and where it is not shared a string on the heap.
constexpr std::size_t cost_of_piece_bytes = 96;
constexpr std::size_t spare_outboxes_max = 1024;  // as many connections may have something to write in one turn

constexpr std::size_t spare_outbox_chunks_max = 16;

}  // namespace

struct Connection::Outbox {
  struct Chunk {
    SharedBytes bytes;
    MonotonicMs since_ms;
  };
  std::vector<Chunk> chunks;
  std::size_t first = 0;   ///< the chunk that is being written
  std::size_t offset = 0;  ///< how much of it has left
  std::size_t bytes = 0;   ///< what has not left, of all chunks

  void clear() {
    chunks.clear();
    first = offset = bytes = 0;
  }
};

Connection* ConnectionRef::get() const {
  if (table == nullptr || slot >= table->slots_.size()) return nullptr;
  const auto& entry = table->slots_[slot];
  return entry.generation == generation ? entry.connection.get() : nullptr;
}

Connection::Connection(ConnectionTable& table, ConnectionRef self, std::unique_ptr<Transport> transport)
    : table_(table), self_(self), transport_(std::move(transport)) {}

Connection::~Connection() = default;

EventLoop& Connection::loop() const { return table_.loop(); }

void Connection::start(std::unique_ptr<Protocol> protocol) {
  protocol_ = std::move(protocol);
  loop().watch(transport_->fd(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
}

std::string Connection::peer() const {
  sockaddr_storage address{};
  socklen_t bytes = sizeof address;
  if (getpeername(transport_->fd(), reinterpret_cast<sockaddr*>(&address), &bytes) != 0) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text.data(), text.size());
  } else if (address.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text.data(), text.size());
  }
  return text.data();
}

void Connection::on_io(std::uint32_t events) {
  if ((events & EPOLLERR) != 0) return go();
  if ((events & EPOLLOUT) != 0) {
    if (blocked_) {
      blocked_ = false;
      flush();
      if (gone_) return;
    } else {
      transport_->push();
    }
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) {
    readable_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP)) != 0) end_seen_ = true;
    read_ready();
    // Both directions are shut, and whoever waits for an answer will never read it.
    if (!gone_ && (events & EPOLLHUP) != 0) return go();
    tell_hangup();
  }
}

void Connection::read_ready() {
  while (readable_ && !paused_ && !gone_ && !input_ended_) {
    const auto scratch = loop().scratch();
    const Transport::Result result = transport_->read(scratch.data(), scratch.size());
    switch (result.status) {
      case Transport::Status::would_block:
        readable_ = false;
        break;
      case Transport::Status::failed:
        return go();
      case Transport::Status::ended:
        input_ended_ = true;
        if (ending_) {
          if (write_shut_) return go();
        } else {
          protocol_->on_end_of_input();
        }
        break;
      case Transport::Status::done:
        // A short read has emptied the socket; the next byte brings a new edge. An end that was already announced
        // brings none, so it is read for.
        if (result.bytes < scratch.size() && !end_seen_ && !transport_->has_buffered()) readable_ = false;
        if (!ending_) offer({scratch.data(), result.bytes});
        break;
    }
  }
}

void Connection::tell_hangup() {
  if (paused_ && (end_seen_ || input_ended_) && !ending_ && !gone_) protocol_->on_hangup();
}

void Connection::offer(std::string_view fresh) {
  std::unique_ptr<std::string> held = std::move(unconsumed_);
  std::string_view bytes = fresh;
  if (held) {
    held->append(fresh);
    bytes = *held;
  }
  offering_ = true;
  while (!bytes.empty() && !paused_ && !ending_ && !gone_) {
    const Protocol* const before = protocol_.get();
    const std::size_t consumed = protocol_->on_bytes(bytes);
    bytes.remove_prefix(consumed);
    former_.reset();
    if (consumed == 0 && protocol_.get() == before && !resumed_) break;
    resumed_ = false;
  }
  offering_ = false;
  if (bytes.empty() || ending_ || gone_) return;
  if (held && bytes.size() == held->size()) {
    unconsumed_ = std::move(held);
  } else {
    unconsumed_ = std::make_unique<std::string>(bytes);
  }
}

void Connection::resume_reading() {
  if (!paused_) return;
  paused_ = false;
  if (offering_) {
    resumed_ = true;
    return;
  }
  if (unconsumed_) offer({});
  if (gone_) return;
  if (input_ended_ && !paused_ && !ending_) return protocol_->on_end_of_input();
  read_ready();
  tell_hangup();
}

void Connection::write(SharedBytes bytes) {
  if (ending_ || gone_ || bytes->empty()) return;
  queue(std::move(bytes));
}

void Connection::write(std::string bytes) { write(std::make_shared<const std::string>(std::move(bytes))); }

void Connection::queue(SharedBytes bytes) {
  if (!outbox_) {
    auto& spare = table_.spare_outboxes_;
    if (spare.empty()) {
      outbox_ = std::make_unique<Outbox>();
    } else {
      outbox_ = std::move(spare.back());
      spare.pop_back();
    }
  }
  outbox_->bytes += bytes->size();
  outbox_->chunks.push_back({std::move(bytes), loop().now_ms()});
  if (!flush_asked_ && !blocked_) {
    flush_asked_ = true;
    loop().at_turn_end(*this);
  }
}

std::size_t Connection::unsent_bytes() const { return outbox_ ? outbox_->bytes : 0; }

std::size_t Connection::unsent_cost_bytes() const {
  return outbox_ ? outbox_->bytes + (outbox_->chunks.size() - outbox_->first) * cost_of_piece_bytes : 0;
}

MonotonicMs Connection::unsent_since_ms() const {
  return outbox_ && outbox_->bytes > 0 ? outbox_->chunks[outbox_->first].since_ms : loop().now_ms();
}

void Connection::discard_unsent() {
  if (!outbox_ || outbox_->bytes == 0) return;
  const std::size_t keep = outbox_->offset > 0 ? 1 : 0;
  outbox_->chunks.resize(outbox_->first + keep);
  outbox_->bytes = keep == 0 ? 0 : outbox_->chunks.back().bytes->size() - outbox_->offset;
}

void Connection::on_turn_end() {
  flush_asked_ = false;
  flush();
}

void Connection::flush() {
  while (outbox_ && outbox_->bytes > 0) {
    Outbox& box = *outbox_;
    std::array<iovec, pieces_per_write> pieces;
    std::size_t count = 0;
    std::size_t wanted = 0;
    for (std::size_t i = box.first; i < box.chunks.size() && count < pieces.size(); ++i) {
      const std::string& bytes = *box.chunks[i].bytes;
      const std::size_t skip = i == box.first ? box.offset : 0;
      pieces[count++] = {const_cast<char*>(bytes.data()) + skip, bytes.size() - skip};
      wanted += bytes.size() - skip;
    }
    const Transport::Result result = transport_->write(pieces.data(), count);
    if (result.status == Transport::Status::failed || result.status == Transport::Status::ended) return go();
    const std::size_t sent = result.status == Transport::Status::done ? result.bytes : 0;
    box.bytes -= sent;
    box.offset += sent;
    while (box.first < box.chunks.size() && box.offset >= box.chunks[box.first].bytes->size()) {
      box.offset -= box.chunks[box.first].bytes->size();
      box.chunks[box.first].bytes.reset();
      ++box.first;
    }
    if (sent < wanted) {
      blocked_ = true;
      // What was written need not be remembered while the rest waits.
      box.chunks.erase(box.chunks.begin(), box.chunks.begin() + static_cast<std::ptrdiff_t>(box.first));
      box.first = 0;
      if (!ending_) protocol_->on_blocked();
      return;
    }
  }
  if (outbox_) {
    outbox_->clear();
    auto& spare = table_.spare_outboxes_;
    if (spare.size() < spare_outboxes_max && outbox_->chunks.capacity() <= spare_outbox_chunks_max) {
      spare.push_back(std::move(outbox_));
    }
    outbox_.reset();
  }
  if (!transport_->push()) {
    blocked_ = true;
    return;
  }
  if (ending_ && !write_shut_) {
    write_shut_ = true;
    if (input_ended_) return go();
    transport_->shutdown_write();
  }
}

void Connection::end(MonotonicMs linger_ms) {
  if (ending_ || gone_) return;
  ending_ = true;
  unconsumed_.reset();
  if (!flush_asked_ && !blocked_) {
    flush_asked_ = true;
    loop().at_turn_end(*this);
  }
  loop().set_timer_in(*this, linger_ms);
  // What still comes in is read and thrown away: closing with it unread would reset the connection, and the other end
  // could lose what was sent last (RFC 9112, section 9.6).
  paused_ = false;
  if (!offering_) read_ready();
}

void Connection::drop() { go(); }

void Connection::become(std::unique_ptr<Protocol> protocol) {
  former_ = std::exchange(protocol_, std::move(protocol));
  if (!offering_) {
    former_.reset();
    if (unconsumed_ && !paused_) offer({});
  }
}

void Connection::set_timer_at(MonotonicMs at_ms) {
  if (!ending_ && !gone_) loop().timers().set(*this, at_ms);
}

void Connection::set_timer_in(MonotonicMs delay_ms) { set_timer_at(loop().now_ms() + delay_ms); }

void Connection::clear_timer() {
  if (!ending_) cancel();
}

void Connection::on_timer() {
  if (ending_) return go();
  protocol_->on_time();
}

void Connection::go() {
  if (gone_) return;
  gone_ = true;
  cancel();
  loop().unwatch(transport_->fd(), *this);
  if (flush_asked_) loop().forget(*this);
  protocol_->on_gone();
  table_.bury(*this);
}

// --- the table -------------------------------------------------------------------------------------------------------

ConnectionTable::ConnectionTable(EventLoop& loop) : loop_(loop) {}

ConnectionTable::~ConnectionTable() {
  for_each([](Connection& connection) { connection.drop(); });
  loop_.forget(*this);
}

Connection& ConnectionTable::insert(std::unique_ptr<Transport> transport) {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Slot& entry = slots_[slot];
  entry.connection =
      std::make_unique<Connection>(*this, ConnectionRef{this, slot, entry.generation}, std::move(transport));
  ++live_;
  return *entry.connection;
}

void ConnectionTable::bury(Connection& connection) {
  Slot& entry = slots_[connection.ref().slot];
  if (dead_.empty()) loop_.at_turn_end(*this);
  dead_.push_back(std::move(entry.connection));
  ++entry.generation;
  free_.push_back(connection.ref().slot);
  --live_;
}

void ConnectionTable::on_turn_end() { dead_.clear(); }

}  // namespace carillon::net
