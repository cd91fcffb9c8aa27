#pragma once

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>

namespace testmon_precreate::datafile {

// The data file cannot be read as one: moving it aside (`--rebuild`) helps, waiting does not.
class DamagedFile : public core::DatabaseError {
public:
  using DatabaseError::DatabaseError;
};

// Throws DamagedFile where `seen` is no sound database, or a log lies beside a file that is gone.
void require_sound(const Inspection& seen, const std::filesystem::path& file);

// Throws DamagedFile where this program does not know `data_version`.
void require_known_version(int data_version, const std::filesystem::path& file);

// Throws the DatabaseError (or DamagedFile) that tells a user what SQLite's error means.
// `waited` is how long the lock of another process was waited for.
[[noreturn]] void throw_translated(const SQLite::Exception& error,
                                   const std::filesystem::path& file, util::Seconds waited);
[[noreturn]] void throw_translated(const std::filesystem::filesystem_error& error,
                                   const std::filesystem::path& file);

} // namespace testmon_precreate::datafile
