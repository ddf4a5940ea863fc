// Writes SQLite's write-ahead log in one piece for each commit.
//
// SQLite writes every page of a commit to the log in two calls, a head of 24 bytes and the page. Between two syncs
// nobody but the writer reads what it writes there (other connections read no further than the last commit, which is
// published after its sync), so the pieces are gathered in memory and leave in one write when the log is synced, or
// earlier when they are read back, do not follow one another, or are many.
//
// A commit is on disk when its sync has returned, as before; what cannot be written fails the sync, and with it the
// commit.
//
// Threads: install_log_gathering() before any connection is opened, once; the rest as SQLite calls it.
#pragma once

namespace carillon::storage::sqlite {

/// Makes a VFS that gathers writes to logs, and is SQLite's default one in all else, the default one of this process.
void install_log_gathering();

}  // namespace carillon::storage::sqlite
