#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace testmon_precreate::pytest {

// os.path.abspath with `base` for the working directory: `.` and `..` are resolved in the text,
// links are not followed, no slash at the end.
[[nodiscard]] std::filesystem::path absolute_path(const std::filesystem::path& base,
                                                  const std::filesystem::path& path);

// os.path.join of a directory and a name in it, as text: quicker than std::filesystem::path.
[[nodiscard]] std::string join(std::string_view directory, std::string_view name);

// `base` / `path` as Python's pathlib joins them: `.` and repeated slashes go, `..` stays.
[[nodiscard]] std::string join_as_pathlib(const std::filesystem::path& base,
                                          const std::filesystem::path& path);

// Whether `path` is `parent` or below it; both absolute and normal.
[[nodiscard]] bool is_within(std::string_view path, std::string_view parent);

// The path part of a node id: what stands before the first `::`.
[[nodiscard]] std::string path_of_node_id(std::string_view node_id);

// These follow links; false also if the system does not tell.
[[nodiscard]] bool path_is_file(const std::filesystem::path& path);
[[nodiscard]] bool path_is_directory(const std::filesystem::path& path);
[[nodiscard]] bool path_exists(const std::filesystem::path& path);

} // namespace testmon_precreate::pytest
