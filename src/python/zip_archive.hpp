#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace testmon_precreate::python {

// A zip file on sys.path: a zipped egg, an archive of a whole application. Its central directory is
// read once.
class ZipArchive {
public:
  using NameFilter = std::function<bool(std::string_view)>;

  // Nothing where `file` is not a zip file or its directory is damaged: Python passes over those
  // too. Entries are remembered only where `is_wanted` holds for the first part of their name.
  [[nodiscard]] static std::optional<ZipArchive> open(const std::filesystem::path& file,
                                                      const NameFilter& is_wanted);

  // The wanted first parts of names: the files and directories at the top.
  [[nodiscard]] const std::set<std::string>& children() const { return children_; }

  // Begins to read an entry. Returns false where there is no such file.
  // Throws std::runtime_error where it is encrypted or packed in a way that is not supported.
  [[nodiscard]] bool start_entry(const std::string& name);

  // Appends up to `size` more bytes of the entry to `text`; returns how many, 0 at the end.
  // Throws std::runtime_error where the entry is damaged.
  [[nodiscard]] std::size_t read_more(std::string& text, std::size_t size);

private:
  struct Position {
    unsigned long long in_directory = 0;
    unsigned long long number = 0;
  };

  struct Close {
    void operator()(void* archive) const noexcept;
  };

  explicit ZipArchive(void* archive)
      : archive_(archive) {}

  [[nodiscard]] bool read_directory(const NameFilter& is_wanted);
  void remember_entry(const std::string& name, const NameFilter& is_wanted);

  std::unique_ptr<void, Close> archive_;
  std::set<std::string> children_;
  std::map<std::string, Position> entries_;
};

} // namespace testmon_precreate::python
