#include "testmon_precreate/datafile/reading_vfs.hpp"

#include <sqlite3.h>

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace testmon_precreate::datafile {

namespace {

// An index of the log in memory, after the file object of the layer below.
struct PrivateIndex {
  explicit PrivateIndex(const sqlite3_io_methods& methods_below)
      : below(methods_below)
      , methods(methods_below) {}

  const sqlite3_io_methods& below;
  sqlite3_io_methods methods;
  std::vector<std::unique_ptr<std::byte[]>> regions; // NOLINT(*-avoid-c-arrays): SQLite's sizes
};

const sqlite3_vfs& layer_below() { return *sqlite3_vfs_find("unix"); }

// SQLite aligns file objects to eight bytes.
std::size_t index_offset() {
  constexpr std::size_t alignment = alignof(PrivateIndex);
  static_assert(alignment <= 8);
  const auto size = static_cast<std::size_t>(layer_below().szOsFile);
  return (size + alignment - 1) / alignment * alignment;
}

std::byte* place_of_index(sqlite3_file* file) {
  // NOLINTNEXTLINE(*-reinterpret-cast): SQLite hands out one block of szOsFile bytes
  return reinterpret_cast<std::byte*>(file) + index_offset();
}

PrivateIndex& index_of(sqlite3_file* file) {
  // NOLINTNEXTLINE(*-reinterpret-cast): see above
  return *std::launder(reinterpret_cast<PrivateIndex*>(place_of_index(file)));
}

int map_region(sqlite3_file* file, int region, int size, int /*extend*/, void volatile** memory) {
  auto& regions = index_of(file).regions;
  while (regions.size() <= static_cast<std::size_t>(region)) {
    // NOLINTNEXTLINE(*-avoid-c-arrays): see above
    regions.push_back(std::make_unique<std::byte[]>(static_cast<std::size_t>(size)));
  }
  *memory = regions[static_cast<std::size_t>(region)].get();
  return SQLITE_OK;
}

int lock_nothing(sqlite3_file* /*file*/, int /*offset*/, int /*count*/, int /*flags*/) {
  return SQLITE_OK;
}

void order_nothing(sqlite3_file* /*file*/) {}

int unmap_regions(sqlite3_file* file, int /*remove*/) {
  index_of(file).regions.clear();
  return SQLITE_OK;
}

int close_file(sqlite3_file* file) {
  PrivateIndex& index = index_of(file);
  const auto close_below = index.below.xClose;
  index.~PrivateIndex();
  return close_below(file);
}

void use_private_index(sqlite3_file* file) {
  // NOLINTNEXTLINE(*-owning-memory): close_file ends its life, SQLite owns the bytes
  auto& index = *new (place_of_index(file)) PrivateIndex(*file->pMethods);
  index.methods.xShmMap = map_region;
  index.methods.xShmLock = lock_nothing;
  index.methods.xShmBarrier = order_nothing;
  index.methods.xShmUnmap = unmap_regions;
  index.methods.xClose = close_file;
  file->pMethods = &index.methods;
}

int open_to_read(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags,
                 int* out_flags) {
  constexpr int to_write = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_DELETEONCLOSE;
  sqlite3_vfs* const below = sqlite3_vfs_find("unix");
  const int result =
      below->xOpen(below, name, file, (flags & ~to_write) | SQLITE_OPEN_READONLY, out_flags);
  if (result == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0 &&
      sqlite3_uri_boolean(name, "private_index", 0) != 0) {
    use_private_index(file);
  }
  return result;
}

int delete_nothing(sqlite3_vfs* /*vfs*/, const char* /*name*/, int /*sync*/) {
  return SQLITE_READONLY;
}

} // namespace

const char* reading_vfs() {
  // SQLite keeps a list of them.
  static const sqlite3_vfs* const registered = [] {
    static sqlite3_vfs vfs = layer_below();
    vfs.pNext = nullptr;
    vfs.zName = "testmon-precreate-reading";
    vfs.szOsFile = static_cast<int>(index_offset() + sizeof(PrivateIndex));
    vfs.xOpen = open_to_read;
    vfs.xDelete = delete_nothing;
    sqlite3_vfs_register(&vfs, 0);
    return &vfs;
  }();
  return registered->zName;
}

} // namespace testmon_precreate::datafile
