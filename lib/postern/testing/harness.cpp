#include <postern/coro/sleep.hpp>
#include <postern/plugin/line_files.hpp>
#include <postern/plugin/loader.hpp>
#include <postern/plugin/pool.hpp>
#include <postern/policy/load.hpp>
#include <postern/smtp/timeouts.hpp>
#include <postern/testing/harness.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

namespace postern::testing {
namespace {

using namespace std::chrono_literals;
namespace timeouts = smtp::timeouts;

constexpr const char* last_plugin = "harness_recipients";

// Who is taken when no plugin of the test says so.
class Recipients final : public plugin::Plugin {
 public:
  explicit Recipients(const policy::RecipientTable& table) : table_(table) {}
  void setup(plugin::Hooks& hooks) override { hooks.on_rcpt(this, &Recipients::decide); }

 private:
  plugin::Verdict decide(plugin::Recipient& to) {
    using Answer = policy::RecipientTable::Answer;
    switch (table_.look(to.local_part(), to.domain())) {
      case Answer::accepted:
        return plugin::Verdict::accept();
      case Answer::unknown_recipient:
        return plugin::Verdict::next().claim();
      case Answer::relaying_denied:
        break;
    }
    return plugin::Verdict::next();
  }
  const policy::RecipientTable& table_;
};

struct NoSettings {};

}  // namespace

const SocketAddress Harness::first{IpAddress::v4({127, 0, 0, 1}), 2526};
const SocketAddress Harness::second{IpAddress::v4({127, 0, 0, 2}), 2526};

// The configuration as a test wrote it, and the classes behind its names.
class Harness::Plugins final : public policy::Catalog {
 public:
  const policy::PluginType* find(std::string_view name) override {
    const auto found = kinds_.find(name);
    return found == kinds_.end() ? modules().find(name) : &found->second.type;
  }
  std::string problem(std::string_view name) override { return modules().problem(name); }
  std::vector<std::string> names() override {
    std::vector<std::string> all = modules().names();
    for (const auto& [name, kind] : kinds_) all.push_back(name);
    return all;
  }
  void add(const char* name, policy::PluginType type, Maker maker) {
    kinds_.insert_or_assign(name, Kind{std::move(type), maker});
  }
  plugin::Lineup::Instances make(const policy::Snapshot& snapshot,
                                 const policy::RecipientTable& recipients) {
    plugin::Lineup::Instances made;
    for (const policy::Instance& instance : snapshot.instances()) {
      const std::string& name = instance.type->name;
      const auto kind = kinds_.find(name);
      if (name == last_plugin)
        made.push_back(std::make_unique<Recipients>(recipients));
      else
        made.push_back(kind == kinds_.end() ? modules().make(name) : kind->second.make());
    }
    return made;
  }
  policy::Bundle bundle() const {
    std::string text = top;
    if (text.find("hostname") == std::string::npos) text += "hostname = \"mx.example.net\"\n";
    text += tables;
    text += "[[listen]]\naddress = \"127.0.0.1:0\"\n[forward]\nto = [\"127.0.0.1:2526\"]\n";
    text += blocks;
    text += fmt::format("[[plugin]]\nuse = \"{}\"\n", last_plugin);
    policy::Bundle bundle = policy::Bundle::of("postern.toml", "/etc/postern", std::move(text));
    for (const policy::File& file : more) bundle.files.push_back(file);
    return bundle;
  }

  std::string top;
  std::string tables;
  std::string blocks;
  std::vector<policy::File> more;

 private:
  struct Kind {
    policy::PluginType type;
    Maker make;
  };
  // Modules stay loaded, so one loader is enough for all harnesses of a program.
  static plugin::Loader& modules() {
    static plugin::Loader loader(folders());
    return loader;
  }
  static std::vector<std::string> folders() {
    // Of a plugin that is built elsewhere. NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    const char* path = std::getenv("POSTERN_PLUGIN_PATH");
    return path ? std::vector<std::string>{path} : std::vector<std::string>();
  }

  std::map<std::string, Kind, std::less<>> kinds_;
};

class Harness::WorkerScope final : public plugin::HookScope {
 public:
  WorkerScope(coro::Scheduler& scheduler, plugin::Lineup& lineup)
      : HookScope(plugin::ScopeKind::worker, lineup, scheduler, lineup.snapshot().site()) {}
};

// Each job takes as long as most do.
class Harness::SimPool final : public plugin::Pool {
 public:
  coro::Task<bool> run(net::PoolJob& job) override {
    auto waited = co_await coro::sleep(2ms);
    if (!waited) co_return false;
    job.work();
    co_return true;
  }
};

class Harness::KeptLines final : public plugin::LineFiles {
 public:
  struct File final : plugin::LineFile {
    void write(std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
  };
  Result<plugin::LineFile*> open(const std::string& path) override {
    if (failing.contains(path)) return fail(Errc::permission, path);
    return &files[path];
  }
  std::map<std::string, File> files;
  std::set<std::string> failing;
};

Harness::Harness(std::uint64_t seed, LinkOptions downstream_link)
    : sim(seed),
      files(sim),
      network(sim, downstream_link),
      programs(sim),
      dns(sim),
      plugins_(std::make_unique<Plugins>()),
      pool_(std::make_unique<SimPool>()),
      lines_(std::make_unique<KeptLines>()),
      routes_(sim, files, network, log),
      sessions_(sim, "worker") {
  files.add_directory(spool);
  routes_.use(dns);
  routes_.use(programs);
  downstream.settings().patience = 24h;  // longer than any limit of ours: whoever hangs is seen
  recipients.add_domain("example.net");
  settings.hostname = "mx.example.net";
  settings.spool_directory = spool;
  pool.to = {first};
  pool.hostname = settings.hostname;
  pool.timeouts = {timeouts::downstream_connect,    timeouts::downstream_greeting,
                   timeouts::downstream_mail,       timeouts::downstream_rcpt,
                   timeouts::downstream_data,       timeouts::downstream_block,
                   timeouts::downstream_end_of_data};
  const auto describe = [](policy::Schema<NoSettings>&) {};
  add(last_plugin,
      policy::plugin_type<NoSettings>(last_plugin, "takes what the test says", "", describe),
      nullptr);
}

Harness::~Harness() {
  if (!ended_) end();
}

void Harness::add(const char* name, policy::PluginType type, Maker make) {
  plugins_->add(name, std::move(type), make);
}

void Harness::load(std::string_view use, std::string_view keys) {
  plugins_->blocks += fmt::format("[[plugin]]\nuse = \"{}\"\n{}\n", use, keys);
}

// Keys of the file come before its tables.
void Harness::configure(std::string_view toml) {
  std::string& part = toml.starts_with('[') ? plugins_->tables : plugins_->top;
  part.append(toml).append("\n");
}

void Harness::domain(const std::string& domain_name, std::string_view toml) {
  plugins_->more.push_back(
      {policy::File::Kind::domain, "domains/" + domain_name + ".toml", std::string(toml), ""});
}

void Harness::list(const std::string& path, std::string_view content) {
  plugins_->more.push_back(
      {policy::File::Kind::list, "/etc/postern/" + path, std::string(content), ""});
}

std::vector<std::string> Harness::problems() {
  const auto loaded = policy::load(plugins_->bundle(), *plugins_, {.resolve = false});
  std::vector<std::string> lines = loaded.lines();
  if (!loaded.usable()) return lines;
  const plugin::Lineup lineup(sim, log, dns, loaded.snapshot,
                              plugins_->make(*loaded.snapshot, recipients));
  for (const plugin::Mismatch& mismatch : lineup.check())
    lines.push_back(fmt::format("{} {}", lineup.instance_name(mismatch.instance), mismatch.text));
  return lines;
}

void Harness::open() {
  if (services_) return;
  const auto loaded = policy::load(plugins_->bundle(), *plugins_, {.resolve = false});
  if (!loaded.usable()) throw std::runtime_error(loaded.lines().front());
  lineup_ = std::make_unique<plugin::Lineup>(sim, log, dns, loaded.snapshot,
                                             plugins_->make(*loaded.snapshot, recipients));
  lineup_->use(store);
  const auto wrong = lineup_->check();
  if (!wrong.empty()) throw std::runtime_error(wrong.front().text);
  if (!route_) {
    listen();
    forward();
  }
  route_service_.emplace(routes_, pool,
                         session::program_settings(loaded.configuration.programs, 1));
  lineup_->services().provide<plugin::Routes>("postern", *route_service_);
  lineup_->services().provide<plugin::Pool>("postern", *pool_);
  lineup_->services().provide<plugin::Network>("postern", network_service_);
  lineup_->services().provide<plugin::LineFiles>("postern", *lines_);
  worker_ = std::make_unique<WorkerScope>(sim, *lineup_);
  services_.reset(
      new session::Services{sim, files, log, *route_, *lineup_, *worker_, settings, *this});
  services_->tls = tls;
}

plugin::Lineup& Harness::lineup() {
  open();
  return *lineup_;
}

void Harness::tick() {
  open();
  const plugin::Tick now{sim.wall()};
  session::Hearing::tell(*services_, plugin::Hook::tick, &now);
}

session::Services& Harness::services() {
  open();
  return *services_;
}

void Harness::listen(const ServerAddress& address, ScriptedDownstream& server) {
  network.listen(address,
                 [&server](net::StreamPtr stream) { return server.serve(std::move(stream)); });
}

const std::vector<std::string>& Harness::lines(const std::string& path) const {
  return lines_->files[path].lines;
}

void Harness::fail_lines(const std::string& path, bool fails) {
  if (fails)
    lines_->failing.insert(path);
  else
    lines_->failing.erase(path);
}

deliver::Pool& Harness::forward() {
  forward_ = &routes_.server(pool);
  route_ = forward_;
  return forward_->pool();
}

void Harness::deliver_to_maildir() { route_ = &routes_.maildir({maildir, settings.hostname}); }

deliver::SmtpRoute& Harness::route(const std::string& domain,
                                   const deliver::PoolSettings& pool_settings) {
  deliver::SmtpRoute& made = routes_.server(pool_settings);
  services().domains.add(domain, made);
  return made;
}

net::StreamPtr Harness::connect(LinkOptions link, bool full) {
  return connect_from(IpAddress::v4({192, 0, 2, 1}), link, full);
}

net::StreamPtr Harness::connect_from(const IpAddress& address, LinkOptions link, bool full) {
  open();
  const SocketAddress from{address, static_cast<std::uint16_t>(50000 + count_)};
  const SocketAddress to{IpAddress::v4({192, 0, 2, 25}), 25};
  auto [theirs, ours] = make_stream_pair(sim, link, from, to);
  session_end_ = &MemoryStream::of(*ours);
  auto session = std::make_unique<session::Session>(std::move(ours), *services_, listener,
                                                    fmt::format("s{}", ++count_));
  registry_.push_back(*session);
  session::Session::start(sessions_, std::move(session), full);
  return std::move(theirs);
}

void Harness::drain() {
  registry_.each([](session::Session& session) { session.drain(); });
}

void Harness::shut_down() {
  registry_.each([](session::Session& session) { session.shut_down(); });
}

std::string Harness::end(std::size_t hung) {
  ended_ = true;
  client.close();
  std::string left;
  sim.run_for(6h);  // beyond the sum of all limits
  if (running() > 0) left += fmt::format("{} sessions live on:\n{}", running(), sim.waiting());
  shut_down();
  sim.run_for(6h);
  if (worker_) worker_->context().stop(Errc::cancelled);
  sim.run_for(1min);
  if (worker_ && worker_->tasks() > 0)
    left += fmt::format("{} tasks of the worker live on\n", worker_->tasks());
  sim.run(routes_.close());
  sim.run_for(1min);
  const std::size_t open = routes_.open_connections();
  if (open > 0) left += fmt::format("{} connections are not given back\n", open);
  if (network.served() > hung)
    left += fmt::format("{} streams to downstreams are open\n", network.served() - hung);
  if (programs.running() > hung) left += "programs are not given up\n";
  network.stop();
  programs.stop();
  sim.run_until_idle();
  if (sim.live_tasks() > 0) left += fmt::format("{} tasks live on\n", sim.live_tasks());
  return left;
}

}  // namespace postern::testing
