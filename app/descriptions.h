// What the hub serves, described for programs: OpenAPI for HTTP, AsyncAPI for the WebSocket. They are written by hand
// in docs/, are part of the program, and are held to it by tests (tests/unit/app/descriptions_test.cpp,
// tests/e2e/test_openapi.py, tests/e2e/test_asyncapi.py).
//
// Threads: a router belongs to its loop; what is served is constant.
#pragma once

#include "net/http/router.h"

namespace carillon::app {

/// GET /api/v1/openapi.json and /api/v1/asyncapi.json: no key is needed, and nothing is computed but the head.
void add_descriptions(net::http::Router& router);

}  // namespace carillon::app
