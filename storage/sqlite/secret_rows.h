// Webhook secrets in their rows: sealed, or plain where that is asked for, each bound to what it belongs to.
//
// Threads: those of the statement.
#pragma once

#include <string>
#include <string_view>

#include "hub/id.h"
#include "hub/webhook.h"
#include "storage/secret_box.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

/// What a secret is bound to: the id of its endpoint or account. The key beside it has a place of its own.
inline std::string secret_place(std::string_view of) { return std::string(of); }
inline std::string signing_key_place(std::string_view of) { return std::string(of) + " signing_key"; }

inline constexpr std::string_view secret_columns = "secret, signing_key, valid_until";

/// Throws hub::StoreError where it cannot be opened.
hub::WebhookSecret read_secret(const Statement& row, const SecretBox& box, std::string_view of);

/// The signing key as it is to be kept; none where there is none.
std::optional<SecretBox::Bytes> seal_signing_key(const SecretBox& box, const std::string& key, std::string_view of);

}  // namespace carillon::storage::sqlite
