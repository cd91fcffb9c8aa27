#include "testmon_precreate/util/process.hpp"
#include <testmon_precreate/util/errno_exceptions.hpp>
#include <testmon_precreate/util/exec_arguments.hpp>
#include <testmon_precreate/util/exit_codes.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

namespace testmon_precreate::util {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t buffer_size = 16384;

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

pid_t spawn(const ProcessCall& call, const Pipe& in, const Pipe& out, const Pipe& err) {
  SpawnActions actions;
  actions.duplicate(in.read_end, STDIN_FILENO);
  actions.duplicate(out.write_end, STDOUT_FILENO);
  actions.duplicate(err.write_end, STDERR_FILENO);
  if (!call.working_directory.empty()) {
    actions.change_directory(call.working_directory);
  }
  const ExecArguments arguments(call.arguments, call.environment);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, arguments.program(), actions.get(), nullptr,
                                   arguments.argv(), arguments.envp());
  if (error != 0) {
    throw_errno(call.arguments.front(), error);
  }
  return pid;
}

int wait_for_exit(pid_t pid) {
  int status = 0;
  if (uninterrupted([&] { return ::waitpid(pid, &status, 0); }) < 0) {
    throw_errno("waitpid", errno);
  }
  return exit_code_of_status(status);
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

// What a signal does as long as the object lives.
class SignalAction {
public:
  SignalAction(int signal_number, void (*action)(int))
      : signal_number_(signal_number)
      , previous_(std::signal(signal_number, action)) {}

  ~SignalAction() { static_cast<void>(std::signal(signal_number_, previous_)); }

  SignalAction(const SignalAction&) = delete;
  SignalAction& operator=(const SignalAction&) = delete;
  SignalAction(SignalAction&&) = delete;
  SignalAction& operator=(SignalAction&&) = delete;

private:
  int signal_number_;
  void (*previous_)(int);
};

// A child that is killed and waited for unless `wait` has been called.
class Child {
public:
  explicit Child(pid_t pid)
      : pid_(pid) {}

  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child(Child&&) = delete;
  Child& operator=(Child&&) = delete;

  void kill() const { ::kill(pid_, SIGKILL); }

  [[nodiscard]] int wait() { return wait_for_exit(std::exchange(pid_, 0)); }

private:
  pid_t pid_;
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

} // namespace

ProcessOutput run_process(const ProcessCall& call) {
  // Ignored, an inherited setting, no child would leave its status.
  const SignalAction children_leave_their_status(SIGCHLD, SIG_DFL);
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  ::fcntl(in.write_end.get(), F_SETFL, O_NONBLOCK);
  const auto deadline =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(call.timeout);
  Child child(spawn(call, in, out, err));
  // A child that does not read its input must not end this process.
  const SignalAction broken_pipes_are_errors(SIGPIPE, SIG_IGN);
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
    child.kill();
  }
  result.exit_code = child.wait();
  return result;
}

} // namespace testmon_precreate::util
