// Queries over one connection of its own: a WAL reader neither waits for the writer nor holds it up.
//
// Threads: one at a time.
#pragma once

#include <memory>
#include <string>

#include "hub/store.h"
#include "storage/secret_box.h"

namespace carillon::storage::sqlite {

/// Throws hub::StoreError that names the file. `clock` tells when a rotated key's old secret has ended; it must outlive
/// the reader. `box` opens the webhook secrets.
std::unique_ptr<hub::Reader> open_reader(const std::string& path, const hub::Clock& clock, const SecretBox& box);

}  // namespace carillon::storage::sqlite
