#include "app/check.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "app/commands.h"
#include "app/control_client.h"
#include "app/data_directory.h"
#include "app/data_owner.h"
#include "app/disk_watch.h"
#include "app/text_table.h"
#include "hub/clock.h"
#include "hub/json.h"
#include "net/listener.h"
#include "net/tls_context.h"
#include "storage/sqlite/schema.h"

namespace carillon::app {
namespace {

using Verdict = Finding::Verdict;

constexpr std::int64_t s_per_day = 24 * 3600;
constexpr std::int64_t certificate_warning_s = 21 * s_per_day;
/// No hub was built before; a clock that says so was never set.
constexpr hub::UnixMs earliest_ms = 1'767'225'600'000;  // 2026-01-01
constexpr std::uint64_t mib = 1024 * 1024;

std::string of_errno(int error) { return std::generic_category().message(error); }

std::string user_name() { return "user " + std::to_string(geteuid()); }

/// The findings as they are made.
class Findings {
 public:
  void good(std::string subject, std::string detail) { add(Verdict::good, std::move(subject), std::move(detail)); }
  void warning(std::string subject, std::string detail) {
    add(Verdict::warning, std::move(subject), std::move(detail));
  }
  void problem(std::string subject, std::string detail) {
    add(Verdict::problem, std::move(subject), std::move(detail));
  }
  std::vector<Finding> take() { return std::move(all_); }

 private:
  void add(Verdict verdict, std::string subject, std::string detail) {
    all_.push_back({verdict, std::move(subject), std::move(detail)});
  }
  std::vector<Finding> all_;
};

/// Whether a hub serves the data directory now.
bool is_served(const std::string& data) {
  if (!DataDirectory::exists(data)) return false;
  try {
    ControlClient(data).probe();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

/// The directory itself, or where it is yet to be made the nearest that is there.
std::filesystem::path nearest_existing(const std::string& path) {
  std::error_code error;
  std::filesystem::path at = std::filesystem::absolute(path, error).lexically_normal();
  while (!at.empty() && at != at.root_path() && !std::filesystem::exists(at, error)) at = at.parent_path();
  return at;
}

void look_at_directory(const std::string& data, Findings& found) {
  const std::filesystem::path at = nearest_existing(data);
  struct stat state {};
  if (stat(at.c_str(), &state) != 0) return found.problem("data", at.string() + ": " + of_errno(errno));
  if (!S_ISDIR(state.st_mode)) return found.problem("data", at.string() + " is no directory");
  if (access(at.c_str(), R_OK | W_OK | X_OK) != 0) {
    return found.problem("data", at.string() + " cannot be written by " + user_name() + ": " + of_errno(errno));
  }
  if (!DataDirectory::exists(data)) return found.good("data", data + " will be made");
  constexpr mode_t others = S_IRWXG | S_IRWXO;
  if ((state.st_mode & others) != 0) {
    return found.warning("data", data + " is open to other users: chmod 700 closes it");
  }
  found.good("data", data);
}

void look_at_disk(const Settings& settings, Findings& found) {
  const std::uint64_t floor = settings.store.disk_free_min_bytes;
  const DiskWatch disk(nearest_existing(settings.data).string(), database_file_in(settings.data), floor);
  const std::string free = std::to_string(disk.free_bytes() / mib) + " MiB free";
  if (disk.low()) return found.problem("disk", free + ", below store.disk_free_min_bytes: such a hub is not ready");
  if (disk.free_bytes() < 4 * floor) return found.warning("disk", free + ", not far above store.disk_free_min_bytes");
  found.good("disk", free);
}

void look_at_database(const std::string& data, bool served, Findings& found) {
  const std::string file = database_file_in(data);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return found.good("database", "will be made");
  try {
    const storage::sqlite::Schema schema = storage::sqlite::read_schema(file);
    const std::string at = "schema " + std::to_string(schema.number());
    if (schema.missing.empty()) return found.good("database", at + (served ? ", in use" : ""));
    found.warning("database", at + "; a start brings it to " + std::to_string(schema.known()) +
                                  ", and keeps a backup of it as it was");
  } catch (const std::exception& why) {
    found.problem("database", why.what());
  }
}

void look_at_secret_key(const Settings& settings, Findings& found) {
  if (settings.webhooks.secrets == SecretsAtRest::plain) {
    return found.warning("secrets", "webhook secrets lie in the database as they are (webhooks.secrets)");
  }
  const std::string file = secret_key_file(settings);
  struct stat state {};
  if (stat(file.c_str(), &state) != 0) {
    if (errno == ENOENT) return found.good("secrets", file + " will be made");
    return found.problem("secrets", file + ": " + of_errno(errno));
  }
  if (access(file.c_str(), R_OK) != 0) {
    return found.problem("secrets", file + " cannot be read by " + user_name() + ": " + of_errno(errno));
  }
  constexpr mode_t others = S_IRWXG | S_IRWXO;
  if ((state.st_mode & others) != 0) return found.warning("secrets", file + " is open to other users: chmod 600");
  found.good("secrets", "encrypted with the key in " + file + ", which belongs into every backup");
}

void look_at_certificate(const Settings& settings, hub::UnixMs now_ms, Findings& found) {
  if (settings.tls_cert.empty()) return;
  try {
    const net::TlsContext tls({settings.tls_cert, settings.tls_key});
    const std::int64_t now_s = now_ms / 1000;
    const std::string until = hub::rfc3339_seconds(tls.valid_until_s() * 1000);
    if (now_s < tls.valid_from_s()) {
      return found.problem("certificate", "does not hold before " + hub::rfc3339_seconds(tls.valid_from_s() * 1000));
    }
    if (now_s >= tls.valid_until_s()) return found.problem("certificate", "has expired, " + until);
    if (now_s + certificate_warning_s >= tls.valid_until_s())
      return found.warning("certificate", "ends soon, " + until);
    found.good("certificate", "holds until " + until);
  } catch (const std::exception& why) {
    found.problem("certificate", why.what());
  }
}

void look_at_address(const std::string& key, const std::string& address, bool served, Findings& found) {
  if (served) return found.good(key, "a hub serves this data directory");
  try {
    net::ListeningSocket::tcp(address);
    found.good(key, address + " is free");
  } catch (const std::exception& why) {
    found.problem(key, why.what());
  }
}

void look_at_clock(hub::UnixMs now_ms, Findings& found) {
  const std::string now = hub::rfc3339_seconds(now_ms);
  if (now_ms < earliest_ms) {
    return found.problem("clock", now + " cannot be: certificates, signatures and retries go by it");
  }
  timex state{};
  if (adjtimex(&state) == TIME_ERROR) return found.warning("clock", now + ", which nothing keeps right (no NTP)");
  found.good("clock", now);
}

void look_at_files(const Settings& settings, Findings& found) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  const std::string most = std::to_string(files.rlim_max) + " files may be open";
  if (files.rlim_max != RLIM_INFINITY && files.rlim_max < settings.limits.connections) {
    return found.warning("files", most + ", and a connection is one: limits.connections is " +
                                      std::to_string(settings.limits.connections));
  }
  found.good("files", files.rlim_max == RLIM_INFINITY ? "any number may be open" : most);
}

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::good:
      return "ok";
    case Verdict::warning:
      return "warning";
    case Verdict::problem:
      return "problem";
  }
  return {};
}

void print_json(const std::vector<Finding>& findings, bool sound) {
  std::string out = std::string(R"({"ok":)") + (sound ? "true" : "false") + R"(,"findings":[)";
  for (const Finding& finding : findings) {
    out += std::string(&finding == &findings.front() ? "" : ",") + R"({"verdict":")";
    out += std::string(to_text(finding.verdict)) + R"(","subject":")" + finding.subject + R"(","detail":)";
    hub::json::append_string(out, finding.detail);
    out += '}';
  }
  std::cout << out << "]}\n";
}

}  // namespace

std::vector<Finding> look_at(const Settings& settings) {
  // What is looked at is what the hub's own user can do.
  become_owner_of(settings.data);
  const hub::UnixMs now_ms = hub::SystemClock().now_ms();
  const bool served = is_served(settings.data);
  Findings found;
  look_at_directory(settings.data, found);
  look_at_disk(settings, found);
  look_at_database(settings.data, served, found);
  look_at_secret_key(settings, found);
  look_at_certificate(settings, now_ms, found);
  look_at_address("listen", settings.listen, served, found);
  if (!settings.metrics_listen.empty()) look_at_address("metrics_listen", settings.metrics_listen, served, found);
  look_at_clock(now_ms, found);
  look_at_files(settings, found);
  return found.take();
}

int check(const Settings& settings, const OutputOptions& output) {
  const std::vector<Finding> findings = look_at(settings);
  const bool sound = std::none_of(findings.begin(), findings.end(),
                                  [](const Finding& finding) { return finding.verdict == Verdict::problem; });
  if (output.json) {
    print_json(findings, sound);
  } else {
    std::vector<std::vector<std::string>> rows;
    rows.reserve(findings.size());
    for (const Finding& finding : findings) {
      rows.push_back({std::string(to_text(finding.verdict)), finding.subject, finding.detail});
    }
    std::cout << text_table(rows);
  }
  return sound ? exit_ok : exit_failed;
}

}  // namespace carillon::app
