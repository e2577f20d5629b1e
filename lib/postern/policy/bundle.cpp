#include <postern/policy/bundle.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace postern::policy {
namespace {

// The byte form: this line, then every string as eight octets of length (least first) and its
// octets.
constexpr std::string_view magic = "postern bundle 2\n";
constexpr std::size_t length_octets = 8;

void put_number(std::string& out, std::uint64_t number) {
  for (std::size_t i = 0; i < length_octets; ++i)
    out += static_cast<char>((number >> (8 * i)) & 0xff);
}

void put(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

class Source {
 public:
  explicit Source(std::string_view bytes) : rest_(bytes) {}

  bool number(std::uint64_t& out) {
    if (rest_.size() < length_octets) return false;
    out = 0;
    for (std::size_t i = 0; i < length_octets; ++i)
      out |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
    rest_.remove_prefix(length_octets);
    return true;
  }

  bool text(std::string& out) {
    std::uint64_t size = 0;
    if (!number(size) || size > rest_.size()) return false;
    out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool read_file_entry(Source& source, File& file) {
  std::uint64_t kind = 0;
  if (!source.number(kind) || kind > static_cast<std::uint64_t>(File::Kind::certificate))
    return false;
  file.kind = static_cast<File::Kind>(kind);
  return source.text(file.path) && source.text(file.content) && source.text(file.error);
}

}  // namespace

const File* Bundle::find_list(std::string_view path) const {
  const auto found = std::find_if(files.begin(), files.end(), [&](const File& file) {
    return file.kind == File::Kind::list && file.path == path;
  });
  return found == files.end() ? nullptr : &*found;
}

Bundle Bundle::of(std::string root, std::string folder, std::string content) {
  Bundle bundle;
  bundle.root = std::move(root);
  bundle.folder = std::move(folder);
  bundle.files.push_back({File::Kind::settings, bundle.root, std::move(content), ""});
  return bundle;
}

std::string Bundle::serialize() const {
  std::size_t size = magic.size() + root.size() + folder.size() + 4 * length_octets;
  for (const File& file : files)
    size += file.path.size() + file.content.size() + file.error.size() + 4 * length_octets;
  std::string out;
  out.reserve(size);
  out += magic;
  put(out, root);
  put(out, folder);
  put_number(out, static_cast<std::uint64_t>(read_at));
  put_number(out, files.size());
  for (const File& file : files) {
    put_number(out, static_cast<std::uint64_t>(file.kind));
    put(out, file.path);
    put(out, file.content);
    put(out, file.error);
  }
  return out;
}

Result<Bundle> Bundle::parse(std::string_view bytes) {
  if (bytes.size() > max_bundle_octets)
    return fail(Errc::too_long, fmt::format("a bundle has at most {} octets", max_bundle_octets));
  if (!bytes.starts_with(magic)) return fail(Errc::malformed, "not a bundle of this version");
  Source source(bytes.substr(magic.size()));
  Bundle bundle;
  std::uint64_t read_at = 0;
  std::uint64_t count = 0;
  if (!source.text(bundle.root) || !source.text(bundle.folder) || !source.number(read_at) ||
      !source.number(count))
    return fail(Errc::malformed, "the bundle is cut short");
  if (count == 0 || count > max_bundle_files)
    return fail(Errc::malformed, fmt::format("a bundle has 1 to {} files", max_bundle_files));
  bundle.read_at = static_cast<std::int64_t>(read_at);
  bundle.files.resize(count);
  for (File& file : bundle.files)
    if (!read_file_entry(source, file)) return fail(Errc::malformed, "the bundle is cut short");
  if (!source.at_end()) return fail(Errc::malformed, "the bundle has octets after its end");
  return bundle;
}

}  // namespace postern::policy
