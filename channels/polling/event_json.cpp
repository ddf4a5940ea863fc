#include "channels/polling/event_json.h"

#include <utility>

#include "hub/json.h"

namespace carillon::channels::polling {

void append_event(std::string& out, const hub::Event& event, const PayloadOptions& options) {
  const std::string_view told = *payload(event, options);
  out += R"({"seq":)";
  hub::json::append_number(out, event.seq);
  out += ',';
  out += told.substr(1);
}

void FeedPage::add(const hub::Event& event, const PayloadOptions& options) {
  if (events_++ > 0) text_ += ',';
  append_event(text_, event, options);
}

net::http::Body FeedPage::end(hub::Seq next_after, bool has_more, std::string_view epoch) {
  text_ += R"(],"next_after":)";
  hub::json::append_number(text_, next_after);
  text_.append(R"(,"has_more":)").append(has_more ? "true" : "false").append(R"(,"epoch":)");
  hub::json::append_string(text_, epoch);
  text_ += '}';
  net::http::Body page(std::move(text_));
  page.share();
  return page;
}

}  // namespace carillon::channels::polling
