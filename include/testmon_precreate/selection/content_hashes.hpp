#pragma once

#include <string>
#include <string_view>

namespace testmon_precreate::selection {

// The hashes that testmon may record for one content of a file (its `fsha`), as lower-case
// hexadecimal SHA-1. For a tracked file without changes testmon takes the blob's name from git's
// index, for any other one it computes a hash of its own (testmon/process_code.py, get_source_sha
// and bytes_to_string_and_fsha).
struct ContentHashes {
  std::string git;      // the blob's name
  std::string git_text; // the same of a text that git checked out with CRLF; empty: no CRLF in it
  std::string testmon;  // testmon's own; empty if it is not known: the text is no UTF-8

  // Whether testmon gets the same blocks, one at least, from both kinds of file if it is Python. It
  // passes the text of its own kind through textwrap.dedent, which also empties lines that are
  // nothing but white space. What has no block counts by the hash that testmon takes, and so does a
  // file that is no Python: the plugin records it that way (input_records.py).
  bool one_reading = true;

  // Whether `fsha` was recorded for this content.
  [[nodiscard]] bool match(std::string_view fsha) const {
    return !fsha.empty() && (fsha == git || fsha == testmon || fsha == git_text);
  }

  // Whether git's index makes no difference to what testmon will compute.
  [[nodiscard]] bool without_git() const { return git == testmon && git_text.empty(); }

  bool operator==(const ContentHashes&) const = default;
};

[[nodiscard]] ContentHashes hash_content(std::string_view content);

} // namespace testmon_precreate::selection
