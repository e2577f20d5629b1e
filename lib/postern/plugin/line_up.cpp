#include <postern/base/log.hpp>
#include <postern/dns/resolver.hpp>
#include <postern/plugin/line_up.hpp>
#include <postern/plugin/plugin.hpp>

#include <fmt/format.h>

#include <exception>
#include <stdexcept>

namespace postern::plugin {
namespace {

policy::Problem problem_at(const policy::Instance& instance, const policy::Bundle& bundle,
                           std::string text) {
  policy::Problem problem;
  problem.place = instance.place;
  if (instance.place.file < bundle.files.size())
    problem.file = bundle.files[instance.place.file].path;
  problem.key = "plugin";
  problem.text = std::move(text);
  return problem;
}

// Where nothing runs, nothing waits, asks or speaks.
class StandingClock final : public coro::Scheduler {
 public:
  coro::TimePoint now() const override { return {}; }
  WallTime wall() const override { return {}; }

 private:
  void wake() override {}
  void rearm(coro::TimePoint) override {}
};

class NoLog final : public Log {
 public:
  void write(Level, std::string_view) override {}
  void record(std::string_view) override {}
};

template <typename T>
coro::Task<Result<dns::Answer<T>>> no_answer() {
  co_return fail(Errc::unsupported, "the configuration is only checked");
}

class NoResolver final : public dns::Resolver {
 public:
  coro::Task<Result<dns::Answer<IpAddress>>> a(std::string) override {
    return no_answer<IpAddress>();
  }
  coro::Task<Result<dns::Answer<IpAddress>>> aaaa(std::string) override {
    return no_answer<IpAddress>();
  }
  coro::Task<Result<dns::Answer<dns::Mx>>> mx(std::string) override { return no_answer<dns::Mx>(); }
  coro::Task<Result<dns::Answer<std::string>>> txt(std::string) override {
    return no_answer<std::string>();
  }
  coro::Task<Result<dns::Answer<std::string>>> ptr(IpAddress) override {
    return no_answer<std::string>();
  }
};

}  // namespace

LinedUp line_up(Loader& loader, const policy::Bundle& bundle, coro::Scheduler& scheduler, Log& log,
                dns::Resolver& resolver, std::shared_ptr<const policy::Snapshot> snapshot) {
  LinedUp out;
  Lineup::Instances instances;
  for (const policy::Instance& instance : snapshot->instances()) {
    try {
      auto made = loader.make(instance.type->name);
      if (!made) throw std::runtime_error(loader.problem(instance.type->name));
      instances.push_back(std::move(made));
    } catch (const std::exception& error) {
      out.problems.push_back(problem_at(
          instance, bundle, fmt::format("{} could not be made: {}", instance.name, error.what())));
    }
  }
  if (!out.problems.empty()) return out;
  try {
    out.lineup = std::make_unique<Lineup>(scheduler, log, resolver, snapshot, std::move(instances));
  } catch (const std::exception& error) {
    // Which one it was is in what it threw, or nowhere: each has passed setup() when it was loaded.
    policy::Problem problem;
    problem.file = bundle.root;
    problem.key = "plugin";
    problem.text = fmt::format("a plugin could not be set up: {}", error.what());
    out.problems.push_back(std::move(problem));
    return out;
  }
  for (const Mismatch& mismatch : out.lineup->check()) {
    const policy::Instance& instance = snapshot->instances()[mismatch.instance];
    out.problems.push_back(
        problem_at(instance, bundle, fmt::format("{} {}", instance.name, mismatch.text)));
  }
  return out;
}

std::vector<policy::Problem> check_lineup(Loader& loader, const policy::Bundle& bundle,
                                          std::shared_ptr<const policy::Snapshot> snapshot) {
  StandingClock clock;
  NoLog log;
  NoResolver resolver;
  return line_up(loader, bundle, clock, log, resolver, std::move(snapshot)).problems;
}

}  // namespace postern::plugin
