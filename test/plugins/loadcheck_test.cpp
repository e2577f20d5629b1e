// loadcheck: defers clients while the machine has too much to do.
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using testing::Harness;

namespace {

// A machine that is as busy as the test wants.
class Machine {
 public:
  Machine() {
    std::string name = (std::filesystem::temp_directory_path() / "postern-XXXXXX").string();
    if (mkdtemp(name.data())) path_ = name;
  }
  ~Machine() { std::filesystem::remove_all(path_); }
  void is(const std::string& load, const std::string& kilobytes) const {
    std::ofstream(path_ + "/loadavg") << load << " 1.00 1.00 1/200 12345\n";
    std::ofstream(path_ + "/meminfo")
        << "MemTotal: 8000000 kB\nMemAvailable: " << kilobytes << " kB\n";
  }
  std::string key() const { return "proc = \"" + path_ + "\"\n"; }

 private:
  std::string path_;
};

constexpr const char* busy = "421 4.3.2 Server load too high, please try again later";

}  // namespace

TEST_CASE("loadcheck: nobody is let in above the load", "[plugins][loadcheck]") {
  const Machine machine;
  machine.is("7.01", "1000");
  Harness h;
  h.load("loadcheck", machine.key());
  CHECK(in_one_line(test::arrive(h)) == busy);
  CHECK(h.client.rest().empty());
  machine.is("7.00", "1000");
  CHECK(test::arrive(h).code == 421);  // the reading is ten seconds good
  h.run_for(10s);
  CHECK(test::arrive(h).code == 220);
  CHECK(h.end() == "");
  int told = 0;
  for (const std::string& line : h.log.lines) told += test::contains(line, "load 7.01");
  CHECK(told == 1);  // not for each client
}

TEST_CASE("loadcheck: nor with too little memory, where that is asked for",
          "[plugins][loadcheck]") {
  const bool asked = GENERATE(true, false);
  const Machine machine;
  machine.is("0.10", "90000");
  Harness h;
  h.load("loadcheck", machine.key() + (asked ? "min_memory = \"100MB\"" : ""));
  CHECK(test::arrive(h).code == (asked ? 421 : 220));
  CHECK(h.end() == "");
}

TEST_CASE("loadcheck: what cannot be read is not too high", "[plugins][loadcheck]") {
  Harness h;
  h.load("loadcheck", "proc = \"/nonexistent\"\nmax_load = 0\nmin_memory = \"1MB\"");
  CHECK(test::arrive(h).code == 220);
  CHECK(h.end() == "");
}

TEST_CASE("loadcheck: reads the kernel's own files", "[plugins][loadcheck]") {
  Harness h;
  h.load("loadcheck", "max_load = 100000\nmin_memory = \"1000000GB\"");
  CHECK(test::arrive(h).code == (std::filesystem::exists("/proc/meminfo") ? 421 : 220));
  CHECK(h.end() == "");
}

TEST_CASE("loadcheck: clients that we relay for are let in", "[plugins][loadcheck]") {
  const Machine machine;
  machine.is("99.00", "1000");
  Harness h;
  h.load("relay", "clients = [\"192.0.2.1\"]");
  h.load("loadcheck", machine.key());
  CHECK(test::arrive(h).code == 220);
  CHECK(test::arrive(h, "192.0.2.2").code == 421);
  CHECK(h.end() == "");
}
