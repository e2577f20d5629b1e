// loadcheck: take no new connections while the machine has too much to do.
#include <postern/plugin.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace postern::plugins {
namespace {

class Loadcheck final : public PluginOf<Loadcheck> {
 public:
  static constexpr const char* summary = "Defers clients while the machine has too much to do.";
  struct Settings {
    double max_load = 7;
    policy::ByteCount min_memory{0};
    std::chrono::milliseconds cache_time = 10s;
    FilePath proc{"/proc"};
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("max_load", &Settings::max_load,
               "the load, as uptime shows it of the last minute, above which nobody is let in");
    schema.key("min_memory", &Settings::min_memory,
               "memory that must be available, as free shows it; 0: any");
    schema.key("cache_time", &Settings::cache_time, "how long a reading is good for");
    schema.key("proc", &Settings::proc, "where the kernel's loadavg and meminfo are");
    schema.defaults().exempt.relay = true;
  }
  void setup(Hooks& hooks) override { hooks.on_connect(this, &Loadcheck::decide); }

 private:
  Verdict decide(Session& session) {
    const Settings& here = settings(session);
    const auto now = scheduler().now();
    if (!read_at_ || now - *read_at_ >= here.cache_time) {
      read_at_ = now;
      load_ = here.max_load;  // what cannot be read is not too high
      const std::string average = read(here.proc.text + "/loadavg");
      if (!average.empty()) load_ = std::strtod(average.c_str(), nullptr);
      memory_ = available(here.proc.text);
    }
    if (load_ > here.max_load) return busy(fmt::format("load {}", load_));
    if (memory_ && *memory_ < here.min_memory.octets)
      return busy(fmt::format("{} octets of memory available", *memory_));
    return Verdict::next();
  }

  Verdict busy(const std::string& why) {
    if (said_at_ != read_at_)
      log().warning("{}: {}: new clients are deferred", instance_name(), why);
    said_at_ = read_at_;
    return Verdict::defer({4, 3, 2}, "Server load too high, please try again later").and_close();
  }

  static std::optional<std::uint64_t> available(const std::string& proc) {
    const std::string all = read(proc + "/meminfo");
    constexpr std::string_view key = "MemAvailable:";
    const auto at = all.find(key);
    if (at == std::string::npos) return {};
    return std::strtoull(all.c_str() + at + key.size(), nullptr, 10) * 1024;
  }

  // The kernel makes it when it is asked: this waits for no disk.
  static std::string read(const std::string& path) {
    std::array<char, 4096> buffer{};
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return {};
    const ssize_t got = ::read(file, buffer.data(), buffer.size());
    close(file);
    return std::string(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  }

  std::optional<coro::TimePoint> read_at_, said_at_;
  double load_ = 0;
  std::optional<std::uint64_t> memory_;
};

}  // namespace

POSTERN_PLUGIN(Loadcheck, "loadcheck")

}  // namespace postern::plugins
