// From the documents to a Snapshot: the [[plugin]] blocks, and what domains override; and from one
// domain's file to what it overrides, when it is read again.
#pragma once

#include <postern/policy/configuration.hpp>
#include <postern/policy/plugin_type.hpp>
#include <postern/policy/reader.hpp>
#include <postern/policy/snapshot_data.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

class SnapshotBuilder {
 public:
  // For all. `root`: of the main document. `reading.lists` is the store that the snapshot keeps.
  SnapshotBuilder(const Description& root, Catalog& catalog, Reading& reading,
                  std::shared_ptr<ListStore> lists);
  void read_site(Value document, const Configuration& configuration);
  void read_domains(const Bundle& bundle);
  std::shared_ptr<const Snapshot> take();

  // For one domain of what was loaded, which is not changed.
  SnapshotBuilder(const Description& root, std::shared_ptr<SnapshotData> loaded, Reading& reading,
                  Overlays& overlays);
  // `file` has this index among the names of the problems.
  void read_domain(const File& file, std::uint32_t index);

 private:
  // What a [[plugin]] block says beside the settings of its instance.
  struct Block {
    std::string use;
    std::string name;  // empty: as `use`
    static void describe(Schema<Block>& schema);
  };
  friend Description describe_plugin_block();

  // Where an instance's keys stand.
  struct Written {
    const Value* block;
    std::string path;  // "plugin", "plugin.NAME"
  };

  // snapshot_builder.cpp
  void find_blocks();
  void read_block(const Value& block);
  const PluginType* find_type(const Value& block);
  std::string name_of(const Value& block, const PluginType& type, const Block& head);
  void check_settings(const PluginType& type, const Effective& effective, const Value& table,
                      const std::string& path, std::size_t fatal_before);
  void unite();

  // domains.cpp
  void read_scope(const Value& document, const std::string& path, Policy& policy);
  void read_recipients(const Value& recipients, const std::string& domain, const Policy& policy);
  void override(const Entry& entry, const std::string& path, Policy& policy);

  // stages.cpp
  void check_site_stages();
  void check_instance(InstanceIndex instance, const Effective& effective, const Written& written,
                      bool is_override, const Score& score);
  void check_exemptions(InstanceIndex instance, const Effective& effective, const Written& written);
  void check_passed(InstanceIndex instance, const Effective& effective, const Written& written,
                    Stage at);
  void note_moot_defaults();
  Place place_of(const Written& written, std::string_view key, std::string_view inner = {}) const;

  const Description& root_;
  Catalog* catalog_;  // null: no more blocks are read
  Reading& reading_;
  Problems& problems_;
  Problems unheard_;
  std::shared_ptr<SnapshotData> loaded_;
  SnapshotData& data_ = *loaded_;
  Overlays& overlays_;  // where domains are added
  const Description common_ = description_of<Common>();
  const Description block_ = description_of<Block>();
  const Value* defaults_ = nullptr;                       // [plugin_defaults]
  std::vector<const Value*> blocks_;                      // by instance
  std::set<const PluginType*> sound_;                     // types that have been looked at
  std::map<std::string, std::vector<std::string>> moot_;  // exemptions of defaults_: instances
  std::map<std::string, std::uint32_t> domains_;          // file by name
};

// The domain that a file of this name is for, in lower case.
std::string domain_of_file(std::string_view path);

// The keys of every [[plugin]] block, for the manual: use, name and the common ones.
Description describe_plugin_block();

}  // namespace postern::policy
