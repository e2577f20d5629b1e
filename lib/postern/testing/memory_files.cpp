#include <postern/testing/memory_files.hpp>

#include <algorithm>

namespace postern::testing {

// A directory or a file. Names and content are there twice: as the running system sees them, and as
// they are on the disk.
struct MemoryFiles::Node {
  bool directory = false;
  std::map<std::string, NodePtr> names;
  std::map<std::string, NodePtr> durable_names;
  std::string content;
  std::string durable_content;
};

namespace {

std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < path.size();) {
    const auto slash = std::min(path.find('/', at), path.size());
    if (slash > at) parts.push_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return parts;
}

}  // namespace

// A job that runs: it ends at its time, whatever is asked meanwhile.
class MemoryFiles::Busy final : private coro::Timer {
 public:
  Busy(SimScheduler& sim, Duration time) : sim_(sim), time_(time) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    sim_.arm(*this, sim_.now() + time_);
  }
  void await_resume() const noexcept {}

 private:
  void fire() override { handle_.resume(); }
  SimScheduler& sim_;
  Duration time_;
  std::coroutine_handle<> handle_;
};

template <typename T>
coro::Task<Result<T>> MemoryFiles::job(std::string what, std::function<Result<T>()> work,
                                       std::function<void()> half_done) {
  auto thread = co_await pool_.acquire();
  if (!thread) co_return fail(thread.error().code, std::move(what));
  const Duration time = sim_.random().between(Duration(1), slowest);
  co_await Busy(sim_, time);
  if (fails(what)) {
    if (half_done) half_done();
    co_return fail(fault_.why, std::move(what));
  }
  auto outcome = work();
  co_return outcome;
}

// An open file; it outlives its name.
class MemoryFile final : public net::File {
 public:
  MemoryFile(MemoryFiles& files, MemoryFiles::NodePtr node, std::string path)
      : files_(files), node_(std::move(node)), path_(std::move(path)) {}

  coro::Task<Result<void>> write(std::string octets) override {
    const auto half = octets.substr(0, octets.size() / 2);
    std::function<void()> half_done = [node = node_, half] { node->content += half; };
    std::function<Result<void>()> work = [node = node_, data = std::move(octets)] {
      node->content += data;
      return Result<void>();
    };
    return files_.job("write " + path_, std::move(work), std::move(half_done));
  }
  coro::Task<Result<std::string>> read(std::uint64_t offset, std::size_t most) override {
    std::function<Result<std::string>()> work = [node = node_, offset,
                                                 most]() -> Result<std::string> {
      if (offset >= node->content.size()) return std::string();
      return node->content.substr(static_cast<std::size_t>(offset), most);
    };
    return files_.job("read " + path_, std::move(work));
  }
  coro::Task<Result<void>> sync() override {
    std::function<Result<void>()> work = [node = node_] {
      node->durable_content = node->content;
      return Result<void>();
    };
    return files_.job("sync " + path_, std::move(work));
  }

 private:
  MemoryFiles& files_;
  MemoryFiles::NodePtr node_;
  std::string path_;
};

MemoryFiles::MemoryFiles(SimScheduler& sim) : sim_(sim), root_(std::make_shared<Node>()) {
  root_->directory = true;
}
MemoryFiles::~MemoryFiles() = default;

coro::Task<Result<net::FilePtr>> MemoryFiles::create(std::string path) {
  std::function<Result<net::FilePtr>()> work = [this, path] { return create_now(path); };
  return job("create " + path, std::move(work));
}

coro::Task<Result<net::FilePtr>> MemoryFiles::create_unnamed(std::string directory) {
  std::function<Result<net::FilePtr>()> work = [this, directory]() -> Result<net::FilePtr> {
    auto parent = find_directory(directory);
    if (!parent) return fail(parent.error());
    return std::make_unique<MemoryFile>(*this, std::make_shared<Node>(), "(unnamed)");
  };
  return job("create_unnamed " + directory, std::move(work));
}

coro::Task<Result<void>> MemoryFiles::rename(std::string from, std::string to) {
  std::function<Result<void>()> work = [this, from, to] { return rename_now(from, to); };
  return job("rename " + from + " " + to, std::move(work));
}

coro::Task<Result<void>> MemoryFiles::remove(std::string path) {
  std::function<Result<void>()> work = [this, path] { return remove_now(path); };
  return job("remove " + path, std::move(work));
}

coro::Task<Result<void>> MemoryFiles::sync_directory(std::string path) {
  std::function<Result<void>()> work = [this, path]() -> Result<void> {
    auto directory = find_directory(path);
    if (!directory) return fail(directory.error());
    (*directory)->durable_names = (*directory)->names;
    return {};
  };
  return job("sync_directory " + path, std::move(work));
}

coro::Task<Result<void>> MemoryFiles::make_directory(std::string path) {
  std::function<Result<void>()> work = [this, path]() -> Result<void> {
    if (!make_directories(path, false)) return fail(Errc::exists, path);
    return {};
  };
  return job("make_directory " + path, std::move(work));
}

Result<MemoryFiles::NodePtr> MemoryFiles::find(const std::string& path) const {
  NodePtr node = root_;
  for (const std::string& part : parts_of(path)) {
    const auto next = node->names.find(part);
    if (next == node->names.end()) return fail(Errc::not_found, path);
    node = next->second;
  }
  return node;
}

Result<MemoryFiles::NodePtr> MemoryFiles::find_directory(const std::string& path) const {
  auto node = find(path);
  if (node && !(*node)->directory) return fail(Errc::not_found, path);
  return node;
}

Result<net::FilePtr> MemoryFiles::create_now(const std::string& path) {
  const auto [directory, name] = split(path);
  auto parent = find_directory(directory);
  if (!parent) return fail(parent.error());
  if ((*parent)->names.count(name) > 0) return fail(Errc::exists, path);
  auto node = std::make_shared<Node>();
  (*parent)->names[name] = node;
  return std::make_unique<MemoryFile>(*this, std::move(node), path);
}

Result<void> MemoryFiles::rename_now(const std::string& from, const std::string& to) {
  const auto [old_directory, old_name] = split(from);
  const auto [new_directory, new_name] = split(to);
  auto node = find(from);
  if (!node) return fail(node.error());
  auto parent = find_directory(new_directory);
  if (!parent) return fail(parent.error());
  if ((*parent)->names.count(new_name) > 0) return fail(Errc::exists, to);
  (*parent)->names[new_name] = *node;
  (*find(old_directory))->names.erase(old_name);
  return {};
}

Result<void> MemoryFiles::remove_now(const std::string& path) {
  const auto [directory, name] = split(path);
  auto node = find(path);
  if (!node) return fail(node.error());
  if ((*node)->directory) return fail(Errc::permission, path);
  (*find(directory))->names.erase(name);
  return {};
}

// Null when a file stands in the way.
MemoryFiles::NodePtr MemoryFiles::make_directories(const std::string& path, bool durable) {
  NodePtr node = root_;
  for (const std::string& part : parts_of(path)) {
    NodePtr& next = node->names[part];
    if (!next) {
      next = std::make_shared<Node>();
      next->directory = true;
    }
    if (!next->directory) return nullptr;
    if (durable) node->durable_names[part] = next;
    node = next;
  }
  return node;
}

void MemoryFiles::add_directory(const std::string& path) { make_directories(path, true); }

void MemoryFiles::add_file(const std::string& path, std::string content) {
  const auto [directory, name] = split(path);
  const NodePtr parent = make_directories(directory, true);
  auto node = std::make_shared<Node>();
  node->content = node->durable_content = std::move(content);
  parent->names[name] = parent->durable_names[name] = std::move(node);
}

namespace {

// Walks what `names_of` shows of each directory; `content_of` says what a file holds.
template <typename NodePtr, typename NamesOf, typename ContentOf>
void walk(const NodePtr& directory, const std::string& path, NamesOf& names_of,
          ContentOf& content_of, Tree& out) {
  for (const auto& [name, node] : names_of(*directory)) {
    const std::string here = path + "/" + name;
    if (node->directory)
      walk(node, here, names_of, content_of, out);
    else
      out[here] = content_of(*node);
  }
}

}  // namespace

Tree MemoryFiles::tree() const {
  Tree out;
  auto names = [](const Node& node) { return node.names; };
  auto content = [](const Node& node) { return node.content; };
  walk(root_, "", names, content, out);
  return out;
}

Tree MemoryFiles::crash() const {
  Tree out;
  auto names = [](const Node& node) { return node.durable_names; };
  auto content = [](const Node& node) { return node.durable_content; };
  walk(root_, "", names, content, out);
  return out;
}

Tree MemoryFiles::crash(Random& dice) const {
  Tree out;
  auto names = [&](const Node& node) {
    auto left = node.durable_names;
    for (const auto& [name, child] : node.names)
      if (dice.coin()) left[name] = child;  // the new name made it
    for (const auto& [name, child] : node.durable_names)
      if (node.names.count(name) == 0 && dice.coin()) left.erase(name);  // the removal made it
    return left;
  };
  auto content = [&](const Node& node) {
    const std::size_t kept = node.durable_content.size();  // files only grow
    return node.content.substr(0, kept + dice.below(node.content.size() - kept + 1));
  };
  walk(root_, "", names, content, out);
  return out;
}

void MemoryFiles::fail_at(std::uint64_t n, Errc why) {
  fault_ = Fault{operations_.size() + n, false, why};
}

void MemoryFiles::fail_from(std::uint64_t n, Errc why) {
  fault_ = Fault{operations_.size() + n, true, why};
}

bool MemoryFiles::fails(const std::string& what) {
  operations_.push_back(what);
  if (fault_.first == 0 || operations_.size() < fault_.first) return false;
  if (!fault_.lasts) return operations_.size() == fault_.first;
  return what.rfind("remove", 0) != 0 && what.rfind("read", 0) != 0;
}

}  // namespace postern::testing
