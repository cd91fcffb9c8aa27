#include "testmon_precreate/python/file_blocks.hpp"

#include "interpreter_call.hpp"
#include "scripts.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace testmon_precreate::python {

namespace {

std::vector<FileBlocks> parse(std::string_view line) {
  const auto answer = nlohmann::json::parse(line);
  std::vector<FileBlocks> files;
  for (const nlohmann::json& entry : answer) {
    FileBlocks file;
    if (!entry.at(0).is_null()) {
      file.fsha = entry.at(0).get<std::string>();
      file.checksums = entry.at(1).get<std::vector<std::int32_t>>();
    }
    files.push_back(std::move(file));
  }
  return files;
}

} // namespace

std::vector<FileBlocks> find_file_blocks(const FileBlocksRequest& request) {
  std::string names;
  for (const std::string& filename : request.filenames) {
    names += filename;
    names += '\0';
  }
  const std::string answer =
      answer_of_interpreter({.arguments = {request.interpreter.string(), "-c", file_blocks_script,
                                           request.rootdir.string()},
                             .working_directory = request.working_directory,
                             .environment = request.environment,
                             .standard_input = std::move(names),
                             .timeout = request.timeout},
                            "testmon-precreate-blocks:");
  try {
    std::vector<FileBlocks> files = parse(answer);
    if (files.size() == request.filenames.size()) {
      return files;
    }
  } catch (const nlohmann::json::exception&) { // NOLINT(bugprone-empty-catch): said below
  }
  throw_interpreter_failed(request.interpreter, "the Python interpreter gave no whole answer");
}

} // namespace testmon_precreate::python
