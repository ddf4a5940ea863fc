#include "app/descriptions.h"

#include <string>
#include <utility>

#include "app/embedded.h"
#include "channels/polling/job_json.h"

namespace carillon::app {
namespace {

using net::http::Request;
using net::http::Responder;
using net::http::Response;

net::http::Handler serving(const embedded::File& file) {
  return [&file](const Request& request, const Responder& responder) {
    const auto if_none_match = request.field("If-None-Match");
    const bool known = if_none_match && channels::polling::etag_matches(*if_none_match, file.etag);
    Response response{304, {}, {}, {}};
    if (!known) {
      response = net::http::json_response(200, std::string(file.text));
      response.body.keep_gzipped(file.gzipped);
    }
    response.with("ETag", file.etag);
    response.with("Cache-Control", "no-cache");
    responder.send(std::move(response));
  };
}

}  // namespace

void add_descriptions(net::http::Router& router) {
  router.add(net::http::Method::get, "/api/v1/openapi.json", serving(embedded::openapi));
  router.add(net::http::Method::get, "/api/v1/asyncapi.json", serving(embedded::asyncapi));
}

}  // namespace carillon::app
