// The settings that hold for a session or a recipient: those of the site, and what the domain and
// the recipient override.
#pragma once

#include <postern/policy/common.hpp>
#include <postern/policy/problem.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::policy {

struct DomainOverlays;
struct PluginType;
struct SnapshotData;

// The place of an instance in Snapshot::instances().
using InstanceIndex = std::uint16_t;

constexpr std::size_t max_instances = 1000;
constexpr std::size_t max_everywhere = 64;  // elements of a union over all domains

struct Instance {
  std::string name;  // "dnsbl:strict"
  const PluginType* type;
  Place place;  // of its block
};

// What becomes of a message whose recipients' outcomes differ.
enum class Mixed : std::uint8_t { split, strictest, lenient };
constexpr auto names_of(Mixed) {
  return std::array<std::string_view, 3>{"split", "strictest", "lenient"};
}

// At how many points of the ledger (mode = "score") a message is deferred or rejected.
struct Score {
  std::optional<std::size_t> defer_at;
  std::optional<std::size_t> reject_at;

  bool empty() const { return !defer_at && !reject_at; }
  static void describe(Schema<Score>& schema);
};

// The settings of one instance, somewhere.
struct Effective {
  Common common;
  const void* settings = nullptr;  // the plugin's own; owned

  explicit Effective(const PluginType& type);
  Effective(const Effective& other);
  Effective& operator=(const Effective&) = delete;
  ~Effective();

  void* writable() { return settings_; }  // while it is being made

 private:
  const PluginType* type_;
  void* settings_;
};

class Policy {
 public:
  // Allocates nothing.
  const Effective& of(InstanceIndex instance) const;
  const Policy* parent() const { return parent_; }
  // "site", "example.net", "a@example.net": for the record.
  std::string_view scope() const { return scope_; }
  Mixed mixed() const { return mixed_; }
  const Score& score() const { return score_; }

  // What is set here and not in the parent, for instance `i` of its own; for whoever visits all.
  struct Own {
    InstanceIndex instance;
    std::unique_ptr<Effective> effective;
  };
  const std::vector<Own>& own() const { return own_; }

  // `parent` nullptr: the site's.
  Policy(std::string scope, const Policy* parent);
  // What it returns stands for this instance from now on: at first as the parent has it.
  Effective& override(InstanceIndex instance);
  Effective& add(const PluginType& type);  // the site's next instance
  void set_mixed(Mixed mixed) { mixed_ = mixed; }
  void set_score(Score score) { score_ = score; }

 private:
  std::string scope_;
  const Policy* parent_;
  std::vector<Own> own_;  // by instance; all of them in the site's
  Mixed mixed_ = Mixed::split;
  Score score_;
};

// All settings of plugins at one moment, unchanged from then on, but for lists that are re-read.
class Snapshot {
 public:
  // Over the site, all domains and all recipients.
  struct Usage {
    bool overridden = false;  // somebody's settings or common keys differ from the site's
    bool ever_on = false;     // somewhere its mode is not off
    bool ever_tags = false;   // somewhere its mode is tag
  };

  explicit Snapshot(std::shared_ptr<SnapshotData> loaded);
  // `before`, with what these domains have now. What they used before still counts as used.
  Snapshot(const Snapshot& before,
           const std::vector<std::shared_ptr<const DomainOverlays>>& domains);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const Policy& site() const;
  // The recipient's, else the domain's, else the site's. `local_part` as a path has it (with quotes
  // if it has any), in any case. Allocates nothing.
  const Policy& of(std::string_view local_part, std::string_view domain) const;
  const std::vector<Instance>& instances() const;
  std::optional<InstanceIndex> find(std::string_view instance_name) const;
  const Usage& usage(InstanceIndex instance) const { return usage_[instance]; }

  // Different elements of a list over the site, all domains and all recipients where the instance
  // is not off: the site's first, at most max_everywhere. Made once, when it is first asked for.
  template <typename S, typename E>
  const std::vector<E>& everywhere(InstanceIndex instance, std::vector<E> S::*member) const {
    static_assert(std::equality_comparable<E>,
                  "everywhere() joins equal elements: give them operator==");
    const auto* settings = static_cast<const S*>(site().of(instance).settings);
    const auto offset =
        static_cast<std::size_t>(reinterpret_cast<const char*>(&(settings->*member)) -
                                 reinterpret_cast<const char*>(settings));
    return *static_cast<const std::vector<E>*>(
        union_of(instance, offset, detail::union_access<E>()));
  }

  const std::shared_ptr<SnapshotData>& data() const { return data_; }
  const void* union_of(InstanceIndex instance, std::size_t offset,
                       const detail::UnionAccess& access) const;

 private:
  struct Changes;  // the domains that were read after the rest

  std::shared_ptr<SnapshotData> data_;
  std::unique_ptr<Changes> changes_;  // null: none
  std::vector<Usage> usage_;
};

}  // namespace postern::policy
