#include "storage/sqlite/job_lists.h"

#include <algorithm>
#include <string>
#include <utility>

#include "storage/sqlite/event_log.h"
#include "storage/sqlite/moment.h"
#include "storage/sqlite/rows.h"

namespace carillon::storage::sqlite {
namespace {

using hub::Reader;

/// Of 4096 submissions each, looked past in about a millisecond.
constexpr int blocks_per_page_max = 1'000;

constexpr std::string_view by_row = "jobs AS j JOIN job_states AS s ON s.n = j.n WHERE j.n = ?";

/// The columns of a job, its result replaced by whether it has one.
std::string columns_without_result() {
  static constexpr std::string_view result = "j.result";
  std::string columns(job_columns);
  columns.resize(columns.size() - result.size());
  return columns + "j.result IS NOT NULL";
}

/// Of the owner's part of a block, the newest first.
std::string rows_of(std::string_view owner) {
  return std::string(
             "SELECT j.n, s.status FROM jobs AS j INDEXED BY jobs_by_owner LEFT JOIN job_states AS s ON s.n = j.n "
             "WHERE j.n >> 12 = ?2 AND ")
      .append(owner)
      .append(" AND j.n < ?1 ORDER BY j.n DESC");
}

}  // namespace

JobLists::JobLists(sqlite3* handle)
    : ends_(handle, "SELECT coalesce((SELECT max(n) FROM job_states), 0), coalesce((SELECT min(n) FROM jobs), 0)"),
      of_all_(handle, "SELECT n, status FROM job_states WHERE n < ?1 ORDER BY n DESC"),
      of_account_(handle, rows_of("j.owner_account = ?3")),
      of_key_(handle, rows_of("j.owner_account = ?3 AND j.owner_key = ?4")),
      by_row_(handle, select(job_columns, by_row)),
      by_row_without_result_(handle, select(columns_without_result(), by_row)),
      by_id_(handle, select(job_columns, job_by_id)),
      by_id_without_result_(handle, select(columns_without_result(), job_by_id)) {
  static_assert(block_bits == 12, "the statements above say so");
}

Reader::JobList JobLists::page(const Reader::JobPage& page) {
  ends_.bind().step();
  const Moment moment(ends_);
  const Found found = find(page);
  Reader::JobList list;
  if (found.next) list.next = hub::JobPlace{*found.next};
  Room room{page.result_bytes_max};
  for (const std::int64_t row : found.rows) {
    if (auto job = read(by_row_, by_row_without_result_, row, page.of, room)) list.jobs.push_back(std::move(*job));
  }
  return list;
}

std::vector<Reader::ListedJob> JobLists::some(const hub::Sight& of, const std::vector<hub::JobId>& ids,
                                              std::size_t result_bytes_max) {
  ends_.bind().step();
  const Moment moment(ends_);
  std::vector<Reader::ListedJob> jobs;
  Room room{result_bytes_max};
  for (const hub::JobId& id : ids) {
    if (auto job = read(by_id_, by_id_without_result_, id, of, room)) jobs.push_back(std::move(*job));
  }
  return jobs;
}

JobLists::Found JobLists::find(const Reader::JobPage& page) {
  Found found;
  std::size_t looked_at = 0;
  std::int64_t before = ends_.integer(0) + 1;
  const std::int64_t first_block = ends_.integer(1) >> block_bits;
  if (page.before) before = std::min(before, page.before->value);

  /// True when the page has come to its end.
  const auto take = [&](Statement& rows) {
    const Moment at(rows);
    while (rows.step()) {
      if (found.rows.size() == page.limit || looked_at == page.looked_at_max) return true;
      ++looked_at;
      before = rows.integer(0);
      if (!rows.optional_integer(1)) continue;  // erased
      if (!page.status || static_cast<hub::JobStatus>(rows.integer(1)) == *page.status) found.rows.push_back(before);
    }
    return false;
  };

  if (page.of.of == hub::Sight::Of::all) {
    if (take(of_all_.bind(before))) found.next = before;
    return found;
  }
  const bool of_key = page.of.of == hub::Sight::Of::key;
  std::int64_t block = (before - 1) >> block_bits;
  for (int looked = 0; block >= first_block; --block, ++looked) {
    if (looked == blocks_per_page_max) {
      found.next = (block + 1) << block_bits;
      break;
    }
    Statement& rows = of_key ? of_key_.bind(before, block, page.of.account, page.of.key)
                             : of_account_.bind(before, block, page.of.account);
    if (take(rows)) {
      found.next = before;
      break;
    }
  }
  return found;
}

template <typename Id>
std::optional<Reader::ListedJob> JobLists::read(Statement& whole, Statement& without_result, const Id& id,
                                                const hub::Sight& of, Room& room) {
  const bool has_room = room.bytes_left > 0;
  Statement& row = has_room ? whole : without_result;
  row.bind(id);
  if (!row.step()) return std::nullopt;
  const Moment moment(row);
  // Before anything of it takes room.
  if (!of.takes_in(read_job_owner(row))) return std::nullopt;
  Reader::ListedJob listed{read_job(row).job, false};
  if (has_room) {
    const std::size_t bytes = listed.job.result ? listed.job.result->size() : 0;
    room.bytes_left -= std::min(room.bytes_left, bytes);
  } else {
    listed.result_left_out = *listed.job.result == "1";
    listed.job.result = nullptr;
  }
  return listed;
}

}  // namespace carillon::storage::sqlite
