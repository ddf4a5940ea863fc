// A job as the REST side shows it.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "hub/job.h"
#include "net/http/body.h"

namespace carillon::channels::polling {

/// `{"job_id","status","result","error","progress","metadata","created_at","updated_at","ts","seq"}`; what a job does
/// not have is null. Times are RFC 3339 in UTC, `ts` is the last change in whole seconds since 1970. A large result is
/// not copied: the body holds it as the job does.
net::http::Body job_json(const hub::Job& job);
/// The same, behind what is there already.
void append_job(net::http::Body& body, const hub::Job& job);

/// The strong entity tag (RFC 9110, section 8.8.3) of a job as it stands: `"<seq>"`, quotes and all.
std::string job_etag(const hub::Job& job);

/// Whether an If-None-Match field (a list of tags, or `*`) names this tag; compared weakly, as RFC 9110, section
/// 13.1.2 has it.
bool etag_matches(std::string_view if_none_match, std::string_view etag);

}  // namespace carillon::channels::polling
