#pragma once

namespace testmon_precreate::datafile {

// The name of an SQLite file layer (https://sqlite.org/vfs.html) that reads and never writes, not
// even where SQLite's own `mode=ro` does: that one opens a write-ahead log for writing and may
// delete it. Registers the layer at the first call.
//
// With the URI parameter `private_index=1` the log's index is built in memory and locks nothing:
// right only if no process has the file open, and needed there because an index that no one
// keeps up to date cannot be trusted.
[[nodiscard]] const char* reading_vfs();

} // namespace testmon_precreate::datafile
