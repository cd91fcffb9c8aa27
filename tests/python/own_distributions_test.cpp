#include "temporary_directory.hpp"

#include <testmon_precreate/python/distributions.hpp>
#include <testmon_precreate/python/own_distributions.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
namespace python = testmon_precreate::python;
using testmon_precreate::tests::TemporaryDirectory;

// A project, and the site-packages of an environment that lies in it.
class Installation {
public:
  [[nodiscard]] fs::path root() const { return directory_.path() / "project"; }

  [[nodiscard]] fs::path site() const { return root() / ".venv/lib/python3.11/site-packages"; }

  void write(const fs::path& file, std::string_view text) const {
    directory_.write(fs::path("project") / file, text);
  }

  // What pip and its like leave of `name`; `url` as in direct_url.json.
  void install(const std::string& name, const std::string& version, const std::string& url,
               const std::string& more = R"("dir_info": {"editable": true})") const {
    const fs::path info = fs::path(".venv/lib/python3.11/site-packages") / (name + ".dist-info");
    write(info / "METADATA", fmt::format("Name: {}\nVersion: {}\n", name, version));
    write(info / "direct_url.json", fmt::format(R"({{"url": "{}", {}}})", url, more));
  }

  [[nodiscard]] std::string own() const {
    const std::vector<std::string> sys_path = {root(), root() / "src", site()};
    return python::own_distributions(python::find_distributions(sys_path, root(), {3, 11}), root());
  }

  // The names alone.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    std::string text = own();
    for (std::size_t blank = text.find(' '); blank != std::string::npos; blank = text.find(' ')) {
      names.push_back(text.substr(0, blank));
      const std::size_t end = text.find(", ");
      text = end == std::string::npos ? "" : text.substr(end + 2);
    }
    return names;
  }

private:
  TemporaryDirectory directory_;
};

using Names = std::vector<std::string>;

TEST_SUITE("python/own_distributions") {
  TEST_CASE("an editable install from the rootdir or from below it is the project's own") {
    const Installation made;
    CHECK(made.names().empty());
    made.install("shop", "1.2", "file://" + made.root().string());
    made.install("part", "1.2", "file://localhost" + made.root().string() + "/packages/a%20part");
    made.install("elsewhere", "1.2", "file:///elsewhere/project");
    made.install("neighbour", "1.2", "file://" + made.root().string() + "-2");
    made.install("above", "1.2", "file://" + made.root().parent_path().string());
    CHECK(made.names() == Names{"part", "shop"});
  }

  TEST_CASE("what was copied into site-packages, or cannot be read, is none") {
    const Installation made;
    const std::string url = "file://" + made.root().string();
    made.install("copied", "1", url, R"("dir_info": {})");
    made.install("not-now", "1", url, R"("dir_info": {"editable": false})");
    made.install("odd", "1", url, R"("dir_info": 7)");
    made.install("archive", "1", url, R"("archive_info": {})");
    made.install("cloned", "1", "git+https://host/project");
    made.install("broken", "1", url, R"("dir_info": {"editable": true)");
    CHECK(made.own().empty());
  }

  TEST_CASE("metadata that setuptools made in the source tree is") {
    const Installation made;
    made.write("src/shop.egg-info/PKG-INFO", "Name: shop\nVersion: 1\n");
    CHECK(made.own().empty()); // it may be any project's
    made.write("src/shop.egg-info/SOURCES.txt", "setup.py\n");
    CHECK(made.names() == Names{"shop"});
    made.write("src/shop.egg-info/installed-files.txt", "../shop.py\n");
    CHECK(made.own().empty());
  }

  TEST_CASE("an environment in the rootdir is no source tree") {
    const Installation made;
    made.write(".venv/lib/python3.11/site-packages/a.egg-info/PKG-INFO", "Name: a\nVersion: 1\n");
    made.write(".venv/lib/python3.11/site-packages/a.egg-info/SOURCES.txt", "setup.py\n");
    CHECK(made.own().empty());
  }

  TEST_CASE("a name that is also installed in another way is not") {
    const Installation made;
    made.write("src/shop.egg-info/PKG-INFO", "Name: shop\nVersion: 2\n");
    made.write("src/shop.egg-info/SOURCES.txt", "setup.py\n");
    made.install("shop", "1", "https://host/shop.whl", R"("archive_info": {})");
    CHECK(made.own().empty());
    made.install("shop", "1", "file://" + made.root().string());
    CHECK(made.names() == Names{"shop"});
  }

  TEST_CASE("a link to the project is the project") {
    const Installation made;
    const TemporaryDirectory other;
    fs::create_directories(made.root());
    fs::create_directory_symlink(made.root(), other.path() / "link");
    made.install("shop", "1", "file://" + (other.path() / "link").string());
    CHECK(made.names() == Names{"shop"});
  }

  TEST_CASE("the version and the description do not count; entry points and requirements do") {
    const Installation made;
    const std::string url = "file://" + made.root().string();
    const fs::path info = ".venv/lib/python3.11/site-packages/shop.dist-info";
    const auto metadata = [&](const std::string& text) {
      made.install("shop", "1", url);
      made.write(info / "METADATA", "Name: shop\n" + text);
      return made.own();
    };
    const std::string first = metadata("Version: 1\nSummary: a\n\nRequires-Dist: in a text\n");
    CHECK(first == metadata("Version: 2\nSummary: b\n\nRequires-Dist: in another\n"));
    const std::string required = metadata("Version: 2\nRequires-Dist: httpx>=1\n");
    CHECK(required != first);
    CHECK(required != metadata("Version: 2\nRequires-Dist: httpx>=2\n"));
    made.write(info / "entry_points.txt", "[pytest11]\nshop = shop.plugin\n");
    const std::string with_plugin = made.own();
    CHECK(with_plugin != required);
    made.write(info / "requires.txt", "httpx\n");
    CHECK(made.own() != with_plugin);
  }
}

} // namespace
