#include <postern/policy/certificate_files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace postern::policy {
namespace {

constexpr std::string_view certbot_certificate = "/fullchain.pem";
constexpr std::string_view certbot_key = "/privkey.pem";

// What a name below the folder stands for; an empty stem: nothing of ours.
struct Named {
  std::string stem;
  bool certificate = false;
  bool key = false;  // ".pem" may be both
};

Named classify(std::string_view name) {
  struct Form {
    std::string_view end;
    bool certificate, key, nested;
  };
  constexpr Form forms[] = {{certbot_certificate, true, false, true},
                            {certbot_key, false, true, true},
                            {".crt", true, false, false},
                            {".key", false, true, false},
                            {".pem", true, true, false}};
  if (name.starts_with('.')) return {};
  for (const Form& form : forms) {
    const bool fits = name.size() > form.end.size() && name.ends_with(form.end);
    const std::string_view stem = name.substr(0, name.size() - form.end.size() * (fits ? 1u : 0u));
    if (fits && stem.find('/') == std::string_view::npos)
      return {std::string(stem), form.certificate, form.key};
  }
  return {};
}

bool holds_key(std::string_view pem) {
  return pem.find("PRIVATE KEY-----") != std::string_view::npos;
}

const File* find(const std::vector<File>& files, std::string_view path) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const File& file) {
    return file.kind == File::Kind::certificate && file.path == path;
  });
  return found == files.end() ? nullptr : &*found;
}

// Of a file that the configuration names; null when it cannot be read, which is said.
const File* named(const std::vector<File>& files, const FilePath& path, const char* key,
                  CertificatePairs& out) {
  const File* file = find(files, path.text);
  if (file && file->error.empty()) return file;
  out.faults.push_back({key, fmt::format("{}: {}; the file must be there, and root or our user "
                                         "must be allowed to read it",
                                         path.text, file ? file->error : "was not read")});
  return nullptr;
}

void add_first(const Tls& tls, const std::vector<File>& files, CertificatePairs& out) {
  if (tls.certificate.empty()) return;
  const File* certificate = named(files, tls.certificate, "certificate", out);
  const File* key = tls.key.empty() ? certificate : named(files, tls.key, "key", out);
  if (!certificate || !key) return;
  if (tls.key.empty() && !holds_key(certificate->content)) {
    out.faults.push_back({"certificate", fmt::format("{} holds no key; set tls.key to the file "
                                                     "that does",
                                                     certificate->path)});
    return;
  }
  out.pairs.push_back({certificate->path, certificate->content, key->path, key->content});
}

// By stem, so that what belongs together meets.
std::map<std::string, CertificatePair> collect(const std::string& prefix,
                                               const std::vector<File>& files,
                                               CertificatePairs& out) {
  std::map<std::string, CertificatePair> pairs;
  for (const File& file : files) {
    if (file.kind != File::Kind::certificate || !file.path.starts_with(prefix)) continue;
    const Named name = classify(std::string_view(file.path).substr(prefix.size()));
    if (name.stem.empty()) continue;
    if (!file.error.empty()) {
      out.faults.push_back({"certificates_dir", fmt::format("{}: {}", file.path, file.error)});
      continue;
    }
    CertificatePair& pair = pairs[name.stem];
    if (name.certificate) {
      pair.certificate_file = file.path;
      pair.certificate = file.content;
    }
    const bool only_key = name.key && !name.certificate;
    if (only_key || (name.key && pair.key_file.empty() && holds_key(file.content))) {
      pair.key_file = file.path;
      pair.key = file.content;
    }
  }
  return pairs;
}

void add_folder(const Tls& tls, const std::vector<File>& files, CertificatePairs& out) {
  if (tls.certificates_dir.empty()) return;
  if (const File* unreadable = find(files, tls.certificates_dir.text)) {
    out.faults.push_back(
        {"certificates_dir", fmt::format("{}: {}", unreadable->path, unreadable->error)});
    return;
  }
  const std::size_t faults = out.faults.size();
  const std::string prefix = (std::filesystem::path(tls.certificates_dir.text) / "").string();
  for (auto& [stem, pair] : collect(prefix, files, out)) {
    const bool first = !tls.certificate.empty() && pair.certificate_file == tls.certificate.text;
    if (first) continue;  // it is there already
    if (!pair.certificate.empty() && !pair.key.empty()) {
      out.pairs.push_back(std::move(pair));
    } else if (out.faults.size() == faults) {  // else what is missing may be what was unreadable
      const bool alone = pair.key.empty();
      out.faults.push_back(
          {"certificates_dir",
           fmt::format("{}: a {} without its {}; put {}{} beside it",
                       alone ? pair.certificate_file : pair.key_file, alone ? "certificate" : "key",
                       alone ? "key" : "certificate", stem, alone ? ".key" : ".crt")});
    }
  }
}

}  // namespace

std::vector<std::string> certificate_paths(const Tls& tls) {
  std::vector<std::string> paths;
  for (const FilePath& path : {tls.certificate, tls.key, tls.client_ca})
    if (!path.empty()) paths.push_back(path.text);
  if (tls.certificates_dir.empty()) return paths;
  std::vector<std::string> below;
  std::error_code failure;
  std::filesystem::directory_iterator entry(tls.certificates_dir.text, failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    const std::string path = entry->path().string();
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name.starts_with('.')) continue;
    if (!classify(name).stem.empty()) below.push_back(path);
    for (const std::string_view file : {certbot_certificate, certbot_key})
      if (std::filesystem::exists(path + std::string(file), ignored))
        below.push_back(path + std::string(file));
  }
  if (failure) paths.push_back(tls.certificates_dir.text);  // reading it tells what is wrong
  std::sort(below.begin(), below.end());
  paths.insert(paths.end(), below.begin(), below.end());
  return paths;
}

CertificatePairs certificate_pairs(const Tls& tls, const std::vector<File>& files) {
  CertificatePairs out;
  add_first(tls, files, out);
  add_folder(tls, files, out);
  if (!tls.client_ca.empty()) named(files, tls.client_ca, "client_ca", out);
  return out;
}

std::string client_authorities(const Tls& tls, const std::vector<File>& files) {
  const File* file = find(files, tls.client_ca.text);
  return file ? file->content : std::string();
}

Result<std::string> certificate_file(const std::string& path, const std::vector<File>& files) {
  const File* file = find(files, path);
  if (file && file->error.empty()) return file->content;
  return fail(Errc::not_found, fmt::format("{}: {}", path, file ? file->error : "was not read"));
}

}  // namespace postern::policy
