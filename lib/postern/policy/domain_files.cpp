#include <postern/policy/configuration.hpp>
#include <postern/policy/domain_files.hpp>
#include <postern/policy/list_store.hpp>
#include <postern/policy/snapshot_builder.hpp>

#include <utility>

namespace postern::policy {

std::string DomainFiles::folder() const { return absolute_path(loaded_->folder, "domains"); }

RereadDomain DomainFiles::read(const std::string& path) const {
  RereadDomain read;
  read.path = path;
  const Bundle bundle = read_domain_file(path, loaded_->folder);
  const File& file = bundle.files.front();
  auto overlays = std::make_shared<DomainOverlays>(domain_of_file(path));
  read.is_gone = file.is_missing();
  if (read.is_gone) {
    read.overlays = std::move(overlays);
    return read;
  }
  std::vector<std::string> names = loaded_->file_names;
  const auto index = static_cast<std::uint32_t>(names.size());
  for (const File& each : bundle.files) names.push_back(each.path);
  Problems problems(std::move(names));
  const auto lists = std::make_shared<ListStore>(bundle, index, loaded_->lists.get());
  Reading reading(problems, loaded_->folder, false);
  reading.lists = lists.get();
  const Description root = describe_configuration();
  SnapshotBuilder(root, loaded_, reading, *overlays).read_domain(file, index);
  lists->forget_bundle();
  if (!problems.any_fatal()) {
    read.overlays = std::move(overlays);
    read.lists = lists;
  }
  for (const Problem& problem : problems.take()) read.problems.push_back(problem.line());
  return read;
}

std::shared_ptr<const Snapshot> DomainFiles::install(const Snapshot& now,
                                                     std::vector<RereadDomain> domains) {
  std::vector<std::shared_ptr<const DomainOverlays>> usable;
  for (RereadDomain& domain : domains) {
    if (domain.lists) loaded_->lists->adopt(std::move(*domain.lists));
    if (domain.overlays) usable.push_back(std::move(domain.overlays));
  }
  return std::make_shared<const Snapshot>(now, usable);
}

}  // namespace postern::policy
