// An endpoint as requests need it: with its signer, and the header lines that are the same for each.
//
// Threads: the dispatcher's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "channels/webhook/signer.h"
#include "hub/webhook.h"

namespace carillon::channels::webhook {

struct Target {
  Target(hub::Endpoint as_stored, const std::vector<hub::WebhookSecret>& secrets)
      : endpoint(std::move(as_stored)), signer(secrets) {
    for (const hub::HeaderField& field : endpoint.headers) own_fields.push_back(field_line(field.name, field.value));
  }

  /// "name: value"; libcurl takes "name;" for a field without a value.
  static std::string field_line(std::string_view name, std::string_view value) {
    std::string line(name);
    return value.empty() ? line.append(";") : line.append(": ").append(value);
  }

  hub::Endpoint endpoint;
  Signer signer;
  std::vector<std::string> own_fields;
};

}  // namespace carillon::channels::webhook
