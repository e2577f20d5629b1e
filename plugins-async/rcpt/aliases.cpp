// aliases: who stands for whom; what is handed over goes to whoever is meant.
#include <postern/plugin.hpp>

#include <algorithm>

namespace postern::plugins {
namespace {

constexpr std::size_t max_depth = 20;  // of aliases of aliases
constexpr std::string_view between = ", \t";

class Aliases final : public PluginOf<Aliases> {
 public:
  static constexpr const char* summary = "Sends mail for an alias to those it stands for.";
  struct Settings {
    PatternList list;
    std::string extension = "+";
    std::size_t most = 100;
    bool only = false;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("list", &Settings::list,
             "\"info@example.net anna@example.net, bert@b.example\": an address, @domain or a "
             "pattern, and the addresses it stands for, which may be aliases in turn, or itself")
        .per_domain();
    schema
        .key("extension", &Settings::extension,
             "characters of which the first begins an extension, which goes along: info+x becomes "
             "anna+x where only info is listed")
        .per_domain();
    schema.key("most", &Settings::most, "addresses that an alias may stand for in all")
        .at_least(1)
        .at_most(1000)
        .per_domain();
    schema.key("only", &Settings::only, "recipients that are not in the list are refused")
        .per_domain();
  }
  static std::string fault(const Settings& settings) {
    for (const PatternList::Entry& entry : written_entries(settings.list)) {
      if (trim(entry.reply).empty()) return fmt::format("'{}' stands for nobody", entry.text);
      for (const std::string_view target : split(entry.reply))
        if (!smtp::parse_mailbox(target))
          return fmt::format("'{}' stands for '{}', which is no address", entry.text, target);
    }
    return {};
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &Aliases::decide); }

 private:
  static std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    while (true) {
      const auto begin = text.find_first_not_of(between);
      if (begin == text.npos) return parts;
      text.remove_prefix(begin);
      const auto end = std::min(text.find_first_of(between), text.size());
      parts.push_back(text.substr(0, end));
      text.remove_prefix(end);
    }
  }

  // What an address becomes, found depth first. `open` are those on the way to where it is.
  struct Expansion {
    const Settings& settings;
    std::vector<std::string> open;
    std::vector<std::string> done;
    std::vector<smtp::Path> paths;
    const char* fault = nullptr;
    bool is_loop = false;

    void stop(const char* why, bool loop = false) {
      fault = why;
      is_loop = loop;
    }
    static bool has(const std::vector<std::string>& names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    }

    void keep(std::string_view address, std::string_view extension) {
      auto path = smtp::parse_mailbox(address);
      if (path && !extension.empty()) path = smtp::parse_mailbox(extended(*path, extension));
      if (!path) return stop("an alias stands for what is no address");
      if (std::find(paths.begin(), paths.end(), *path) != paths.end()) return;
      if (paths.size() == settings.most) return stop("an alias stands for too many");
      paths.push_back(std::move(*path));
    }
    // One that has an extension of its own keeps it.
    std::string extended(const smtp::Path& path, std::string_view extension) const {
      if (path.local_part.find_first_of(settings.extension, 1) != std::string::npos)
        return path.text;
      return fmt::format("{}{}@{}", path.local_part, extension, path.domain);
    }

    void expand(const std::string& address, std::string_view extension) {
      const std::string key = lower(address);
      if (has(open, key)) return stop("aliases go in a circle", true);
      if (has(done, key)) return;
      const PatternList::Entry* entry = settings.list.match(key);
      if (!entry) return keep(address, extension);
      if (open.size() == max_depth) return stop("aliases of aliases go too deep", true);
      open.push_back(key);
      const std::vector<std::string_view> targets = split(entry->reply);
      if (targets.empty()) return stop("an alias stands for nobody");
      for (const std::string_view target : targets) {
        // One that stands for itself is a mailbox.
        if (iequals(target, key))
          keep(target, extension);
        else
          expand(std::string(target), extension);
        if (fault) return;
      }
      open.pop_back();
      done.push_back(key);
    }
  };

  Verdict decide(Recipient& to) {
    const Settings& mine = settings(to);
    std::string address(to.key());
    std::string extension;
    if (!mine.list.match(address)) {
      const auto end = to.local_part().find_first_of(mine.extension, 1);
      if (end == std::string_view::npos) return not_listed(to);
      extension = to.local_part().substr(end);
      address.erase(end, extension.size());
      if (!mine.list.match(address)) return not_listed(to);
    }
    Expansion expansion{mine, {}, {}, {}};
    expansion.expand(address, extension);
    if (!expansion.fault) {
      to.rewrite(std::move(expansion.paths));
      return Verdict::next();
    }
    log().warning("{}: {}: {}", instance_name(), address, expansion.fault);
    if (expansion.is_loop) return Verdict::reject({5, 4, 6}, "The aliases here go in a circle");
    return Verdict::failed(Error(Errc::malformed, expansion.fault));
  }

  Verdict not_listed(Recipient& to) const {
    return settings(to).only ? Verdict::reject_as_unknown() : Verdict::next();
  }
};

}  // namespace

POSTERN_PLUGIN(Aliases, "aliases")

}  // namespace postern::plugins
