#include "control.hpp"

#include <postern/policy/load.hpp>

#include <catch.hpp>

#include <string>

namespace postern::daemon {
namespace {

policy::MasterSettings settings_of(const std::string& root, const std::string& folder,
                                   const std::string& text = "") {
  return policy::load_master(policy::Bundle::of(root, folder, text)).settings;
}

TEST_CASE("control socket: is found by the configuration's path alone", "[daemon][control]") {
  struct Row {
    const char *root, *folder, *socket;
  };
  const auto row = GENERATE(values<Row>({
      {"/etc/postern/postern.toml", "/etc/postern", "/run/postern/control"},
      {"postern.toml", "/etc/postern", "/run/postern/control"},
      {"./postern.toml", "/etc/postern/.", "/run/postern/control"},
      {"/etc/postern/other.toml", "/etc/postern", "/etc/postern/other.control"},
      {"run/postern.toml", "/home/anna/run", "/home/anna/run/postern.control"},
      {"/srv/mx.conf.toml", "/srv", "/srv/mx.conf.control"},
      {"/srv/mx", "/srv", "/srv/mx.control"},
  }));
  const auto settings = settings_of(row.root, row.folder);
  CHECK(settings.control_socket == row.socket);
  CHECK_FALSE(settings.control_asked);
}

TEST_CASE("control socket: the file may name it, relative to its folder", "[daemon][control]") {
  const auto settings = settings_of("postern.toml", "/srv", "[control]\nsocket = \"x/y\"\n");
  CHECK(settings.control_socket == "/srv/x/y");
  CHECK(settings.control_asked);
}

TEST_CASE("Control: refuses a path that no socket can have", "[daemon][control]") {
  const auto opened = Control::open("/tmp/" + std::string(200, 'x'));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::too_long);
}

TEST_CASE("control_error: is one line of JSON, whatever it tells", "[daemon][control]") {
  CHECK(control_error("a \"b\"\n") == R"({"error":"a \"b\"\n"})");
}

}  // namespace
}  // namespace postern::daemon
