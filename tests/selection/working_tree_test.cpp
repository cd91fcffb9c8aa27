#include "temporary_directory.hpp"

#include <testmon_precreate/selection/comparison.hpp>
#include <testmon_precreate/util/files.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>

#include <fcntl.h>
#include <sys/stat.h>

namespace {

namespace fs = std::filesystem;
namespace selection = testmon_precreate::selection;
using selection::RecordedContent;
using selection::Verdict;
using selection::WorkingTree;
using testmon_precreate::tests::TemporaryDirectory;

struct Project {
  TemporaryDirectory directory;
  fs::path cache = directory.path() / "cache";

  void write(const char* name, std::string_view content) const {
    static_cast<void>(directory.write(name, content));
  }

  // As it would be seen `later`.
  [[nodiscard]] WorkingTree tree(std::chrono::seconds later = std::chrono::seconds(0)) const {
    return {directory.path(), cache, std::chrono::system_clock::now() + later};
  }

  [[nodiscard]] fs::path cache_file() const { return fs::directory_iterator(cache)->path(); }
};

std::unordered_map<std::string, std::string> no_git() { return {}; }

std::vector<Verdict> compare(const Project& project, const std::vector<RecordedContent>& contents,
                             const selection::GitIndex& git = no_git) {
  WorkingTree tree(project.directory.path(), {});
  return selection::compare_with_disk(contents, tree, git);
}

} // namespace

TEST_CASE("a file is read once, and remembered once it has settled") {
  const Project project;
  project.write("a.py", "x = 1\n");
  {
    WorkingTree tree = project.tree();
    const auto* const first = tree.look_at("a.py");
    REQUIRE(first != nullptr);
    CHECK(tree.look_at("a.py") == first);
    CHECK(tree.files_read() == 1);
    tree.remember(); // too young
  }
  WorkingTree young = project.tree();
  CHECK(young.look_at("a.py") != nullptr);
  CHECK(young.files_read() == 1);
  WorkingTree settled = project.tree(std::chrono::seconds(3));
  CHECK(settled.look_at("a.py") != nullptr);
  CHECK(settled.files_read() == 1);
  settled.remember();
  WorkingTree remembering = project.tree();
  REQUIRE(remembering.look_at("a.py") != nullptr);
  CHECK(*remembering.look_at("a.py") == selection::hash_content("x = 1\n"));
  CHECK(remembering.files_read() == 0);

  SUBCASE("another content of the same size and time") {
    struct stat before {};

    REQUIRE(::stat((project.directory.path() / "a.py").c_str(), &before) == 0);
    project.write("a.py", "x = 2\n");
    const std::array<timespec, 2> times{before.st_atim, before.st_mtim};
    REQUIRE(::utimensat(AT_FDCWD, (project.directory.path() / "a.py").c_str(), times.data(), 0) ==
            0);
    WorkingTree after = project.tree();
    REQUIRE(after.look_at("a.py") != nullptr);
    CHECK(*after.look_at("a.py") == selection::hash_content("x = 2\n"));
  }
  SUBCASE("a damaged cache, or one that others may write to, is as good as none") {
    const std::string text = testmon_precreate::util::read_file(project.cache_file(), 1 << 20);
    testmon_precreate::util::write_file_atomically(project.cache_file(), text.substr(0, 90));
    WorkingTree damaged = project.tree();
    CHECK(damaged.look_at("a.py") != nullptr);
    CHECK(damaged.files_read() == 1);
    testmon_precreate::util::write_file_atomically(project.cache_file(), text, 0666);
    fs::permissions(project.cache_file(), fs::perms::all);
    WorkingTree suspicious = project.tree();
    CHECK(suspicious.look_at("a.py") != nullptr);
    CHECK(suspicious.files_read() == 1);
  }
}

TEST_CASE("what is no regular file has no content") {
  const Project project;
  project.write("directory/file", "");
  REQUIRE(::mkfifo((project.directory.path() / "fifo").c_str(), 0600) == 0);
  WorkingTree tree = project.tree();
  CHECK(tree.look_at("directory") == nullptr);
  CHECK(tree.look_at("fifo") == nullptr); // without waiting for its writer
  CHECK(tree.look_at("absent") == nullptr);
  CHECK(tree.look_at("directory/file") != nullptr);
}

TEST_CASE("a recorded content is current where its hash is the disk's") {
  const Project project;
  project.write("a.py", "x = 1\n");
  const std::string hash = selection::hash_content("x = 1\n").git;
  CHECK(compare(project, {{"a.py", hash}, {"a.py", "other"}, {"a.py", ""}, {"b.py", hash}}) ==
        std::vector{Verdict::current, Verdict::stale, Verdict::stale, Verdict::stale});
  CHECK(compare(project, {}).empty());
}

TEST_CASE("two readings: a current content is compared by blocks once another one is stale") {
  const Project project;
  project.write("a.py", "x = '''\n  \n'''\n");
  const std::string hash = selection::hash_content("x = '''\n  \n'''\n").git;
  CHECK(compare(project, {{"a.py", hash}}) == std::vector{Verdict::current});
  CHECK(compare(project, {{"a.py", hash}, {"a.py", "other"}}) ==
        std::vector{Verdict::stale_with_another, Verdict::stale});
}

TEST_CASE("two hashes and two readings: git's index decides, and is asked once") {
  const Project project;
  const std::string content = "x = '''é\n  \n'''\n";
  project.write("a.py", content);
  project.write("b.py", content);
  const auto hashes = selection::hash_content(content);
  int asked = 0;
  std::unordered_map<std::string, std::string> index;
  const auto git = [&] {
    ++asked;
    return index;
  };
  const std::vector<RecordedContent> contents{{"a.py", hashes.git}, {"b.py", hashes.testmon}};
  CHECK(compare(project, contents, git) == std::vector{Verdict::stale, Verdict::current});
  CHECK(asked == 1);
  index = {{"a.py", hashes.git}, {"b.py", hashes.git}};
  CHECK(compare(project, contents, git) == std::vector{Verdict::current, Verdict::stale});

  asked = 0;
  project.write("plain.py", "x = 'é'\n"); // one reading: git makes no difference
  const auto plain = selection::hash_content("x = 'é'\n");
  CHECK(compare(project, {{"plain.py", plain.git}, {"plain.py", plain.testmon}}, git) ==
        std::vector{Verdict::current, Verdict::current});
  CHECK(asked == 0);
}
