#include "testmon_precreate/datafile/file_system.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <sys/vfs.h>

namespace testmon_precreate::datafile {

namespace {

// statfs(2) and linux/magic.h; the three that are in neither come from their projects' sources.
constexpr std::array network_file_systems = {
    std::pair{0x6969UL, std::string_view("NFS")},
    std::pair{0xff534d42UL, std::string_view("CIFS")},
    std::pair{0xfe534d42UL, std::string_view("SMB")},
    std::pair{0x517bUL, std::string_view("SMB")},
    std::pair{0x01021997UL, std::string_view("9P")},
    std::pair{0x5346414fUL, std::string_view("AFS")},
    std::pair{0x73757245UL, std::string_view("Coda")},
    std::pair{0x564cUL, std::string_view("NCP")},
    std::pair{0x00c36400UL, std::string_view("Ceph")},
    std::pair{0x7461636fUL, std::string_view("OCFS2")},
    std::pair{0x01161970UL, std::string_view("GFS2")},
    std::pair{0x0bd00bd0UL, std::string_view("Lustre")},
    std::pair{0x47504653UL, std::string_view("GPFS")},
    std::pair{0x19830326UL, std::string_view("BeeGFS")},
};

} // namespace

std::string_view network_file_system(unsigned long type) {
  const auto* const found = std::find_if(network_file_systems.begin(), network_file_systems.end(),
                                         [type](const auto& entry) { return entry.first == type; });
  return found == network_file_systems.end() ? std::string_view() : found->second;
}

std::string_view network_file_system_of(const std::filesystem::path& directory) {
  struct statfs status {};

  if (::statfs(directory.c_str(), &status) != 0) {
    return {};
  }
  constexpr unsigned long magic_bits = 0xffffffff; // the field's sign differs among systems
  return network_file_system(static_cast<unsigned long>(status.f_type) & magic_bits);
}

} // namespace testmon_precreate::datafile
