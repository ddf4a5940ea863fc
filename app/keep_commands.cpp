#include "app/keep_commands.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <vector>

#include "app/commands.h"
#include "app/data_directory.h"
#include "app/progress_bar.h"
#include "app/start_turn.h"
#include "app/text_table.h"
#include "hub/clock.h"
#include "hub/json.h"
#include "storage/new_file.h"
#include "storage/secret_box.h"
#include "storage/sqlite/backup.h"
#include "storage/sqlite/restoring.h"
#include "storage/sqlite/schema.h"

namespace carillon::app {
namespace {

namespace fs = std::filesystem;
namespace db = storage::sqlite;
using storage::NewFile;

constexpr int niceness = 10;
constexpr const char* key_suffix = ".webhook-secrets.key";

/// One line of JSON, member by member.
class JsonLine {
 public:
  JsonLine& add(const char* name, std::string_view text) {
    hub::json::append_string(begin(name), text);
    return *this;
  }
  JsonLine& add(const char* name, std::int64_t number) {
    hub::json::append_number(begin(name), number);
    return *this;
  }
  JsonLine& add_raw(const char* name, std::string_view json) {
    begin(name).append(json);
    return *this;
  }
  /// Null for an empty text.
  JsonLine& add_or_null(const char* name, std::string_view text) {
    return text.empty() ? add_raw(name, "null") : add(name, text);
  }
  std::string end() const { return json_ + "}"; }

 private:
  std::string& begin(const char* name) {
    json_.append(json_.size() == 1 ? "\"" : ",\"").append(name).append("\":");
    return json_;
  }
  std::string json_ = "{";
};

std::string database_of(const Settings& settings) {
  if (!DataDirectory::exists(settings.data)) {
    throw std::runtime_error("data directory '" + settings.data + "': there is none of that name");
  }
  return DataDirectory(settings.data, DataDirectory::Use::visit).database_file();
}

/// No hub serves the directory while this lives, and none starts.
class AloneInDirectory {
 public:
  /// `what` is said where a hub serves it: "restore".
  AloneInDirectory(const std::string& data, const std::string& what) : turn_(data) {
    try {
      directory_.emplace(data, DataDirectory::Use::serve);
    } catch (const DataDirectoryBusy&) {
      throw std::runtime_error("data directory '" + data + "': a hub serves it; stop it, then " + what);
    }
  }
  std::string database_file() const { return directory_->database_file(); }

 private:
  StartTurn turn_;
  std::optional<DataDirectory> directory_;
};

bool same_file(const std::string& one, const std::string& other) {
  std::error_code error;
  return fs::equivalent(one, other, error);
}

/// The database, what SQLite has beside it, or a name for one of these that is not there now.
bool is_of_database(const std::string& file, const std::string& database) {
  const fs::path folder = fs::path(file).parent_path();
  if (!same_file(folder.empty() ? "." : folder.string(), fs::path(database).parent_path().string())) {
    return same_file(file, database);
  }
  const std::string name = fs::path(file).filename().string();
  const std::string own = fs::path(database).filename().string();
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    if (name == own + suffix) return true;
  }
  return same_file(file, database);
}

NewFile::Existing existing(bool replace) { return replace ? NewFile::Existing::replaced : NewFile::Existing::refused; }

bool is_key(const std::string& file, const std::string& id) {
  return db::is_file(file) && storage::SecretBox::with_key_in(file).key_id() == id;
}

void copy_key(const std::string& from, const std::string& to, NewFile::Existing if_there) {
  NewFile copy(to, if_there);
  copy.write(storage::read_small_file(from));
  copy.give_to_owner_of(fs::path(to).parent_path().string());
  copy.put_in_place();
}

/// Where the key goes that the backup's webhook secrets are encrypted with; empty where none are, or it stays.
std::string back_up_key(const Settings& settings, const BackupWish& wish, const db::DatabaseFacts& facts) {
  if (facts.secrets_key_id.empty() || !wish.with_secret_key) return "";
  const std::string key = secret_key_file(settings);
  std::string beside = wish.file + key_suffix;
  if (!is_key(key, facts.secrets_key_id)) {
    throw std::runtime_error("'" + wish.file + "' was made, but " + key +
                             " does not hold the key that its webhook secrets are encrypted with");
  }
  // The same key may be there from the backup before.
  if (!is_key(beside, facts.secrets_key_id)) copy_key(key, beside, existing(wish.replace));
  return beside;
}

/// Sees to it that the data directory has the key that the secrets in the backup are encrypted with. Says what is left
/// to do where it cannot.
std::string restore_key(const Settings& settings, const std::string& file, const db::DatabaseFacts& facts) {
  if (facts.secrets_key_id.empty()) return "";
  const std::string key = secret_key_file(settings);
  const std::string beside = file + key_suffix;
  if (db::is_file(key)) {
    if (storage::SecretBox::with_key_in(key).key_id() == facts.secrets_key_id) return "";
    throw std::runtime_error("the webhook secrets in '" + file + "' are encrypted with another key than the one in " +
                             key + "; nothing was changed: move that file away, and restore again with the right key" +
                             " in its place or in " + beside);
  }
  if (is_key(beside, facts.secrets_key_id)) {
    copy_key(beside, key, NewFile::Existing::refused);
    return "";
  }
  return "its webhook secrets are encrypted: before the hub is started, put the key that belongs to it at " + key;
}

std::string show_schema(int number) { return "schema " + std::to_string(number); }

std::string migration_json(const db::AppliedMigration& migration) {
  return JsonLine()
      .add("number", migration.number)
      .add("name", migration.name)
      .add("applied_at", hub::rfc3339_seconds(migration.applied_at))
      .end();
}

std::string array_of(const std::vector<std::string>& elements) {
  std::string json = "[";
  for (const std::string& element : elements) json.append(json.size() == 1 ? "" : ",").append(element);
  return json + "]";
}

}  // namespace

int backup(const Settings& settings, const BackupWish& wish, const OutputOptions& output) {
  const std::string database = database_of(settings);
  if (is_of_database(wish.file, database)) throw std::runtime_error("'" + wish.file + "' is the database itself");
  if (!wish.replace && fs::exists(fs::symlink_status(wish.file))) {
    throw std::runtime_error("'" + wish.file + "' is there already; --force replaces it");
  }
  ::setpriority(PRIO_PROCESS, 0, niceness);  // a hub that serves goes first
  const auto begun_at = std::chrono::steady_clock::now();
  db::DatabaseFacts facts;
  {
    ProgressBar bar;
    facts = db::back_up(database, wish.file, existing(wish.replace),
                        [&](auto what, auto done, auto all) { bar.show(what, done, all); });
  }
  const std::string key = back_up_key(settings, wish, facts);
  const auto took_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun_at).count();
  const bool encrypted = !facts.secrets_key_id.empty();
  std::string note = "'" + wish.file + "' holds all up to now: " + in_bytes(facts.bytes) + ", " +
                     show_schema(facts.schema) + ", checked";
  if (!key.empty()) {
    note += "\nits webhook secrets are encrypted; the key is in '" + key + "': keep it elsewhere";
  } else if (encrypted) {
    note += "\nits webhook secrets are encrypted: to be of use it needs " + secret_key_file(settings) +
            " too (--with-secret-key copies it)";
  }
  return print_change(JsonLine()
                          .add("file", wish.file)
                          .add("bytes", static_cast<std::int64_t>(facts.bytes))
                          .add("schema", facts.schema)
                          .add_raw("secrets_encrypted", encrypted ? "true" : "false")
                          .add_or_null("secret_key_file", key)
                          .add("took_ms", took_ms)
                          .end(),
                      output, note);
}

int restore(const Settings& settings, const RestoreWish& wish, const OutputOptions& output) {
  if (!db::is_file(wish.file)) throw std::runtime_error("'" + wish.file + "' is no file");
  const AloneInDirectory alone(settings.data, "restore");
  const std::string database = alone.database_file();
  if (same_file(wish.file, database)) throw std::runtime_error("'" + wish.file + "' is the database itself");
  if (db::is_file(database) && !wish.replace) {
    throw std::runtime_error("there is a database at " + database +
                             "; --force keeps it aside and puts the backup in its place");
  }
  db::Restoring::Done done;
  db::DatabaseFacts facts;
  std::string left_to_do;
  {
    ProgressBar bar;
    db::Restoring restoring(wish.file, database, [&](auto what, auto bytes, auto all) { bar.show(what, bytes, all); });
    facts = restoring.facts();
    left_to_do = restore_key(settings, wish.file, facts);
    done = restoring.put_in_place(hub::SystemClock().now_ms());
  }
  std::string note = "'" + wish.file + "' was restored (" + in_bytes(facts.bytes) + ", " + show_schema(facts.schema) +
                     "); clients that go on from before are told so (epoch " + done.epoch + ")";
  if (!done.kept_aside.empty()) note += "\nthe database that was there is kept as " + done.kept_aside;
  if (!left_to_do.empty()) note += "\n" + left_to_do;
  return print_change(JsonLine()
                          .add("database", database)
                          .add("bytes", static_cast<std::int64_t>(facts.bytes))
                          .add("schema", facts.schema)
                          .add("epoch", done.epoch)
                          .add_or_null("kept_aside", done.kept_aside)
                          .add_raw("secret_key_missing", left_to_do.empty() ? "false" : "true")
                          .end(),
                      output, note);
}

int migrate_status(const Settings& settings, const OutputOptions& output) {
  const db::Schema schema = db::read_schema(database_of(settings));
  if (output.json) {
    std::vector<std::string> applied;
    std::vector<std::string> missing;
    for (const auto& migration : schema.applied) applied.push_back(migration_json(migration));
    for (const auto& name : schema.missing) hub::json::append_string(missing.emplace_back(), name);
    std::cout << JsonLine()
                     .add("schema", schema.number())
                     .add("known", schema.known())
                     .add_raw("applied", array_of(applied))
                     .add_raw("missing", array_of(missing))
                     .end()
              << "\n";
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows{{"migration", "applied_at"}};
  for (const auto& migration : schema.applied) {
    rows.push_back({migration.name, hub::rfc3339_seconds(migration.applied_at)});
  }
  for (const auto& name : schema.missing) rows.push_back({name, "missing"});
  std::cout << text_table(rows);
  std::cerr << show_schema(schema.number())
            << (schema.missing.empty() ? ", up to date"
                                       : " of " + std::to_string(schema.known()) +
                                             ": 'carillon migrate up', or the next start, brings it up to date")
            << "\n";
  return exit_ok;
}

int migrate_up(const Settings& settings, const OutputOptions& output) {
  const std::string database = database_of(settings);
  db::Upgrade done;
  const db::Schema schema = db::read_schema(database);
  done.from = done.to = schema.number();
  if (!schema.missing.empty()) {
    const AloneInDirectory alone(settings.data, "migrate");
    ProgressBar bar;
    const auto upgrade = db::bring_up_to_date(database, hub::SystemClock(),
                                              [&](auto what, auto bytes, auto all) { bar.show(what, bytes, all); });
    if (upgrade) done = *upgrade;
  }
  std::string note = done.from == done.to
                         ? show_schema(done.to) + ", up to date already"
                         : "brought from schema " + std::to_string(done.from) + " to " + std::to_string(done.to);
  if (!done.backup.empty()) note += "; as it was before it is in " + done.backup;
  return print_change(JsonLine().add("from", done.from).add("schema", done.to).add_or_null("backup", done.backup).end(),
                      output, note);
}

void KeepCommands::add(CLI::App& app, CLI::App& migrate, const Make& make, const OutputOptions& output) {
  CLI::App& back_up = make(app, "backup", "Copy the database to a file, while the hub serves or not.",
                           [this, &output](const Settings& settings) { return backup(settings, backup_, output); });
  back_up.add_option("FILE", backup_.file, "Where to; it appears when it is whole and checked.")
      ->required()
      ->type_name("");
  back_up.add_flag("--force", backup_.replace, "Replace a file that is there.");
  back_up.add_flag("--with-secret-key", backup_.with_secret_key,
                   "Copy the key of the webhook secrets too, to FILE.webhook-secrets.key.");

  CLI::App& put_back = make(app, "restore", "Put a backup in the database's place, while no hub serves.",
                            [this, &output](const Settings& settings) { return restore(settings, restore_, output); });
  put_back.add_option("FILE", restore_.file, "What 'carillon backup' has made.")->required()->type_name("");
  put_back.add_flag("--force", restore_.replace, "Also where there is a database, which is kept aside.");

  make(migrate, "status", "Show which migrations the database has seen, and which it lacks.",
       [&output](const Settings& settings) { return migrate_status(settings, output); });
  make(migrate, "up", "Bring the database up to date, with a backup first, as each start does.",
       [&output](const Settings& settings) { return migrate_up(settings, output); });
}

}  // namespace carillon::app
