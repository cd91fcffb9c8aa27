#include "paths.hpp"

#include <system_error>

namespace testmon_precreate::pytest {

namespace fs = std::filesystem;

fs::path absolute_path(const fs::path& base, const fs::path& path) {
  std::string normal = (base / path).lexically_normal().string();
  while (normal.size() > 1 && normal.ends_with('/')) {
    normal.pop_back();
  }
  return normal;
}

std::string join(std::string_view directory, std::string_view name) {
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  path += directory;
  if (!path.empty() && !path.ends_with('/')) {
    path += '/';
  }
  return path += name;
}

std::string join_as_pathlib(const fs::path& base, const fs::path& path) {
  fs::path joined;
  for (const fs::path& part : base / path) {
    if (!part.empty() && part != ".") {
      joined /= part;
    }
  }
  return joined.string();
}

bool is_within(std::string_view path, std::string_view parent) {
  return path.starts_with(parent) &&
         (path.size() == parent.size() || parent.ends_with('/') || path[parent.size()] == '/');
}

std::string path_of_node_id(std::string_view node_id) {
  return std::string(node_id.substr(0, node_id.find("::")));
}

bool path_is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool path_is_directory(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool path_exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

} // namespace testmon_precreate::pytest
