// The endpoint that a path names, for who may see it.
//
// Threads: as the reader's.
#pragma once

#include <optional>
#include <string_view>

#include "hub/ownership.h"
#include "hub/principal.h"
#include "hub/store.h"

namespace carillon::channels::webhook {

/// None for one that is not there, one that is not the caller's, and what is no id: who asks cannot tell them apart.
std::optional<hub::Endpoint> find_visible_endpoint(hub::Reader& reader, const hub::Ownership& ownership,
                                                   const hub::Principal& who, std::string_view id);

}  // namespace carillon::channels::webhook
