#include "channels/websocket/messages.h"

#include "channels/websocket/frame.h"
#include "hub/json.h"

namespace carillon::channels::websocket {
namespace {

using hub::json::append_number;
using hub::json::append_string;

void close_with_ts(std::string& text, UnixSeconds ts) {
  text += "\"ts\":";
  append_number(text, ts);
  text += '}';
}

std::string simple_frame(std::string_view type, UnixSeconds ts) {
  std::string text = "{\"type\":\"";
  text.append(type).append("\",");
  close_with_ts(text, ts);
  return make_frame(Opcode::text, text);
}

std::string job_frame(std::string_view type, std::string_view job, UnixSeconds ts,
                      std::optional<bool> recovered = std::nullopt) {
  std::string text = "{\"type\":\"";
  text.append(type).append("\",\"job_id\":");
  append_string(text, job);
  if (recovered) text.append(",\"recovered\":").append(*recovered ? "true" : "false");
  text += ',';
  close_with_ts(text, ts);
  return make_frame(Opcode::text, text);
}

/// The members that an event and a job have in common.
struct Update {
  const hub::JobId& job;
  hub::JobStatus status;
  const hub::Text& result;
  const hub::Text& error;
  const hub::Text* progress;
  hub::UnixMs at;
  hub::Seq seq;
};

std::string update_frame(const Update& update, bool with_seq) {
  const std::size_t texts = (update.result ? update.result->size() : 0) + (update.error ? update.error->size() : 0) +
                            (update.progress != nullptr ? (*update.progress)->size() : 0);
  std::string text;
  text.reserve(texts + 192);
  text += "{\"type\":\"job_update\",\"job_id\":\"";
  const std::size_t id_at = text.size();
  text.resize(id_at + hub::JobId::text_bytes);
  update.job.write(text.data() + id_at);
  text.append("\",\"status\":\"").append(to_text(update.status)).append("\",\"result\":");
  text.append(update.result ? std::string_view(*update.result) : "null").append(",\"error\":");
  if (update.error) {
    append_string(text, *update.error);
  } else {
    text += "null";
  }
  if (update.progress != nullptr) text.append(",\"progress\":").append(**update.progress);
  if (with_seq) {
    text += ",\"seq\":";
    append_number(text, update.seq);
  }
  text += ',';
  close_with_ts(text, update.at / 1000);
  return make_frame(Opcode::text, text);
}

}  // namespace

std::string connected_frame(UnixSeconds ts) {
  std::string text = "{\"type\":\"connected\",\"message\":\"WebSocket connection established\",";
  close_with_ts(text, ts);
  return make_frame(Opcode::text, text);
}

std::string connected_frame(UnixSeconds ts, std::string_view epoch) {
  std::string text = "{\"type\":\"connected\",\"message\":\"WebSocket connection established\",\"epoch\":";
  append_string(text, epoch);
  text += ',';
  close_with_ts(text, ts);
  return make_frame(Opcode::text, text);
}

std::string heartbeat_frame(UnixSeconds ts) { return simple_frame("heartbeat", ts); }
std::string pong_frame(UnixSeconds ts) { return simple_frame("pong", ts); }

std::string error_frame(std::string_view message, UnixSeconds ts) {
  std::string text = "{\"type\":\"error\",\"message\":";
  append_string(text, message);
  text += ',';
  close_with_ts(text, ts);
  return make_frame(Opcode::text, text);
}

std::string subscribed_frame(std::string_view job, UnixSeconds ts, std::optional<bool> recovered) {
  return job_frame("subscribed", job, ts, recovered);
}
std::string unsubscribed_frame(std::string_view job, UnixSeconds ts) { return job_frame("unsubscribed", job, ts); }

std::string job_update_frame(const hub::Event& event, bool with_seq) {
  const hub::Text* progress = event.progress ? &event.progress : nullptr;
  return update_frame({event.job, event.status, event.result, event.error, progress, event.at, event.seq}, with_seq);
}

std::string job_update_frame(const hub::Job& job, bool with_seq) {
  // A finished job's last progress is history; the events that brought it are past.
  const bool running = job.status == hub::JobStatus::running && job.progress;
  return update_frame(
      {job.id, job.status, job.result, job.error, running ? &job.progress : nullptr, job.updated_at, job.seq},
      with_seq);
}

}  // namespace carillon::channels::websocket
