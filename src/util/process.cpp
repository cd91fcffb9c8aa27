#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/process.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

namespace testmon_precreate::util {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t buffer_size = 16384;
constexpr std::size_t largest_stat = 65536;

[[noreturn]] void throw_errno(const std::string& operation, int error) {
  throw std::system_error(error, std::generic_category(), operation);
}

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw_errno("pipe", errno);
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

class SpawnActions {
public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }

  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  SpawnActions(SpawnActions&&) = delete;
  SpawnActions& operator=(SpawnActions&&) = delete;

  void duplicate(const FileDescriptor& from, int to) {
    ::posix_spawn_file_actions_adddup2(&actions_, from.get(), to);
  }

  void change_directory(const fs::path& directory) {
    ::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
  }

  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
  posix_spawn_file_actions_t actions_{};
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_block(const ProcessEnvironment& environment) {
  std::vector<std::string> block;
  for (const auto& [name, value] : environment.variables()) {
    block.push_back(fmt::format("{}={}", name, value));
  }
  return block;
}

pid_t spawn(const ProcessCall& call, const Pipe& in, const Pipe& out, const Pipe& err) {
  SpawnActions actions;
  actions.duplicate(in.read_end, STDIN_FILENO);
  actions.duplicate(out.write_end, STDOUT_FILENO);
  actions.duplicate(err.write_end, STDERR_FILENO);
  if (!call.working_directory.empty()) {
    actions.change_directory(call.working_directory);
  }
  std::vector<std::string> arguments = call.arguments;
  std::vector<std::string> block = environment_block(call.environment);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, arguments.front().c_str(), actions.get(), nullptr,
                                   pointers_to(arguments).data(), pointers_to(block).data());
  if (error != 0) {
    throw_errno(call.arguments.front(), error);
  }
  return pid;
}

int wait_for_exit(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) {
      throw_errno("waitpid", errno);
    }
  }
  constexpr int signal_base = 128;
  return WIFSIGNALED(status) ? signal_base + WTERMSIG(status) : WEXITSTATUS(status);
}

// Moves what is readable into `target`; closes the descriptor at its end.
void drain(FileDescriptor& source, std::string& target) {
  std::array<char, buffer_size> buffer; // NOLINT(*-member-init): filled by read
  const ssize_t count = ::read(source.get(), buffer.data(), buffer.size());
  if (count > 0) {
    target.append(buffer.data(), static_cast<std::size_t>(count));
  } else if (count == 0 || errno != EINTR) {
    source.close();
  }
}

void feed(FileDescriptor& sink, std::string_view& content) {
  const ssize_t count = ::write(sink.get(), content.data(), content.size());
  if (count > 0) {
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  if (content.empty() || (count < 0 && errno != EINTR && errno != EAGAIN)) {
    sink.close();
  }
}

// A child that does not read its input must not end us.
class IgnoreBrokenPipe {
public:
  IgnoreBrokenPipe()
      : previous_(std::signal(SIGPIPE, SIG_IGN)) {}

  ~IgnoreBrokenPipe() { static_cast<void>(std::signal(SIGPIPE, previous_)); }

  IgnoreBrokenPipe(const IgnoreBrokenPipe&) = delete;
  IgnoreBrokenPipe& operator=(const IgnoreBrokenPipe&) = delete;
  IgnoreBrokenPipe(IgnoreBrokenPipe&&) = delete;
  IgnoreBrokenPipe& operator=(IgnoreBrokenPipe&&) = delete;

private:
  void (*previous_)(int);
};

// Serves the three pipes until the child has closed its ends or `deadline` has passed.
// Returns whether the child kept to the deadline.
bool serve(FileDescriptor& in, FileDescriptor& out, FileDescriptor& err, std::string_view input,
           ProcessOutput& result, std::chrono::steady_clock::time_point deadline) {
  while (out || err) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return false;
    }
    std::array<pollfd, 3> polled{pollfd{in.get(), POLLOUT, 0}, pollfd{out.get(), POLLIN, 0},
                                 pollfd{err.get(), POLLIN, 0}};
    if (::poll(polled.data(), polled.size(), static_cast<int>(left.count())) < 0) {
      if (errno == EINTR) {
        continue;
      }
      throw_errno("poll", errno);
    }
    if (polled[0].revents != 0) {
      feed(in, input);
    }
    if (polled[1].revents != 0) {
      drain(out, result.standard_output);
    }
    if (polled[2].revents != 0) {
      drain(err, result.standard_error);
    }
  }
  return true;
}

// The text of /proc/PID/stat; empty where there is no such process.
std::string read_process_stat(pid_t pid) {
  try {
    return read_file(fmt::format("/proc/{}/stat", pid), largest_stat);
  } catch (const fs::filesystem_error&) {
    return {};
  }
}

// The fields of /proc/PID/stat from number 3, the state, on; one empty text where there are none.
std::vector<std::string_view> fields_from_state(std::string_view stat) {
  // The name in field 2 may hold blanks and parentheses: count from the last ')'.
  const std::size_t name_end = stat.rfind(')');
  const bool complete = name_end != std::string_view::npos && name_end + 2 < stat.size();
  return split(complete ? stat.substr(name_end + 2) : std::string_view(), ' ');
}

// Field `number` as proc(5) counts them.
template <typename Number>
std::optional<Number> number_of(const std::vector<std::string_view>& fields, std::size_t number) {
  constexpr std::size_t first = 3;
  if (fields.size() <= number - first) {
    return std::nullopt;
  }
  const std::string_view text = fields[number - first];
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

} // namespace

ProcessOutput run_process(const ProcessCall& call) {
  const IgnoreBrokenPipe guard;
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  ::fcntl(in.write_end.get(), F_SETFL, O_NONBLOCK);
  const auto deadline =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(call.timeout);
  const pid_t pid = spawn(call, in, out, err);
  in.read_end.close();
  out.write_end.close();
  err.write_end.close();
  if (call.standard_input.empty()) {
    in.write_end.close();
  }
  ProcessOutput result;
  result.timed_out =
      !serve(in.write_end, out.read_end, err.read_end, call.standard_input, result, deadline);
  if (result.timed_out) {
    ::kill(pid, SIGKILL);
  }
  result.exit_code = wait_for_exit(pid);
  return result;
}

std::optional<std::uint64_t> process_start_ticks(pid_t pid) {
  const std::string stat = read_process_stat(pid);
  const auto fields = fields_from_state(stat);
  const bool ended = fields[0] == "Z" || fields[0] == "X";
  return ended ? std::nullopt : number_of<std::uint64_t>(fields, 22);
}

std::optional<pid_t> parent_of(pid_t pid) {
  const std::string stat = read_process_stat(pid);
  return number_of<pid_t>(fields_from_state(stat), 4);
}

Seconds start_ticks_to_wall_clock(std::uint64_t ticks) {
  timespec boot_time{};
  ::clock_gettime(CLOCK_BOOTTIME, &boot_time);
  const Seconds since_boot =
      std::chrono::seconds(boot_time.tv_sec) + std::chrono::nanoseconds(boot_time.tv_nsec);
  const Seconds start(static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  return wall_clock_now() - since_boot + start;
}

std::string boot_id() {
  try {
    return std::string(strip(read_file("/proc/sys/kernel/random/boot_id", 4096)));
  } catch (const fs::filesystem_error&) {
    return {};
  }
}

std::string hostname() {
  utsname names{};
  return ::uname(&names) == 0 ? std::string(names.nodename) : std::string();
}

std::string pid_namespace() {
  std::error_code none;
  return fs::read_symlink("/proc/self/ns/pid", none).string();
}

} // namespace testmon_precreate::util
