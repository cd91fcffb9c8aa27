#include "zip_archive.hpp"

#include <minizip/unzip.h>
#include <stdexcept>

namespace testmon_precreate::python {

namespace {

// A central directory holds a name's size in 16 bits.
constexpr std::size_t longest_name = 0xFFFF + 1;

constexpr unsigned long encrypted_flag = 1;

} // namespace

void ZipArchive::Close::operator()(void* archive) const noexcept { unzClose(archive); }

std::optional<ZipArchive> ZipArchive::open(const std::filesystem::path& file,
                                           const NameFilter& is_wanted) {
  void* const handle = unzOpen64(file.c_str());
  if (handle == nullptr) {
    return std::nullopt;
  }
  ZipArchive archive(handle);
  if (!archive.read_directory(is_wanted)) {
    return std::nullopt;
  }
  return archive;
}

bool ZipArchive::read_directory(const NameFilter& is_wanted) {
  std::string name(longest_name, '\0');
  int status = unzGoToFirstFile(archive_.get());
  while (status == UNZ_OK) {
    if (unzGetCurrentFileInfo64(archive_.get(), nullptr, name.data(), name.size(), nullptr, 0,
                                nullptr, 0) != UNZ_OK) {
      return false;
    }
    remember_entry(name.substr(0, name.find('\0')), is_wanted);
    status = unzGoToNextFile(archive_.get());
  }
  return status == UNZ_END_OF_LIST_OF_FILE;
}

void ZipArchive::remember_entry(const std::string& name, const NameFilter& is_wanted) {
  const std::string child = name.substr(0, name.find('/'));
  if (!is_wanted(child)) {
    return;
  }
  unz64_file_pos position{};
  unzGetFilePos64(archive_.get(), &position);
  // As in Python's zipfile, the last of two entries of one name counts.
  entries_.insert_or_assign(name, Position{.in_directory = position.pos_in_zip_directory,
                                           .number = position.num_of_file});
  children_.insert(child);
}

bool ZipArchive::start_entry(const std::string& name) {
  const auto entry = entries_.find(name);
  if (entry == entries_.end()) {
    return false;
  }
  const unz64_file_pos position{.pos_in_zip_directory = entry->second.in_directory,
                                .num_of_file = entry->second.number};
  unz_file_info64 info{};
  if (unzGoToFilePos64(archive_.get(), &position) != UNZ_OK ||
      unzGetCurrentFileInfo64(archive_.get(), &info, nullptr, 0, nullptr, 0, nullptr, 0) !=
          UNZ_OK) {
    throw std::runtime_error("damaged zip file");
  }
  if ((info.flag & encrypted_flag) != 0) {
    throw std::runtime_error("encrypted in a zip file");
  }
  if (unzOpenCurrentFile(archive_.get()) != UNZ_OK) {
    throw std::runtime_error("damaged, or packed in a way that is not supported, in a zip file");
  }
  return true;
}

std::size_t ZipArchive::read_more(std::string& text, std::size_t size) {
  const std::size_t old_size = text.size();
  text.resize(old_size + size);
  const int count =
      unzReadCurrentFile(archive_.get(), text.data() + old_size, static_cast<unsigned int>(size));
  text.resize(old_size + static_cast<std::size_t>(count > 0 ? count : 0));
  if (count < 0) {
    throw std::runtime_error("damaged in a zip file");
  }
  return text.size() - old_size;
}

} // namespace testmon_precreate::python
