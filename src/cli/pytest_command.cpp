#include "testmon_precreate/cli/pytest_command.hpp"

#include <filesystem>
#include <string_view>

namespace testmon_precreate::cli {

namespace fs = std::filesystem;

namespace {

bool is_pytest(const std::string& word) {
  const std::string name = fs::path(word).filename().string();
  return name == "pytest" || name == "py.test";
}

bool is_python(const std::string& word) {
  const std::string name = fs::path(word).filename().string();
  return name.starts_with("python") || name.starts_with("pypy");
}

// A script `venv/bin/pytest` belongs to `venv/bin/python`.
std::optional<std::string> interpreter_beside(const fs::path& script) {
  const fs::path python = script.parent_path() / "python";
  std::error_code ignored;
  if (script.has_parent_path() && fs::exists(python, ignored)) {
    return python.string();
  }
  return std::nullopt;
}

std::optional<std::string> last_python(std::span<const std::string> words) {
  for (std::size_t i = words.size(); i > 0; --i) {
    if (is_python(words[i - 1])) {
      return words[i - 1];
    }
  }
  return std::nullopt;
}

} // namespace

std::optional<PytestCommand> find_leading_command(std::span<const std::string> words) {
  if (words.empty()) {
    return std::nullopt;
  }
  std::error_code ignored;
  const fs::path first = words.front();
  if (is_pytest(words.front()) && (first.has_parent_path() || !fs::exists(first, ignored))) {
    return find_pytest_command(words);
  }
  std::optional<PytestCommand> found =
      is_python(words.front()) ? find_pytest_command(words) : std::nullopt;
  return found && found->is_module ? std::move(found) : std::nullopt;
}

std::optional<PytestCommand> find_pytest_command(std::span<const std::string> command) {
  for (std::size_t i = 0; i < command.size(); ++i) {
    const bool is_module =
        (i > 0 && command[i - 1] == "-m" && command[i] == "pytest") || command[i] == "-mpytest";
    if (is_module || is_pytest(command[i])) {
      const auto rest = command.subspan(i + 1);
      return PytestCommand{.arguments = {rest.begin(), rest.end()},
                           .is_module = is_module,
                           .interpreter = is_module ? last_python(command.first(i))
                                                    : interpreter_beside(command[i])};
    }
  }
  return std::nullopt;
}

} // namespace testmon_precreate::cli
