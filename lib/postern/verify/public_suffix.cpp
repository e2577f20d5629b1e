#include <postern/base/ip.hpp>
#include <postern/base/text.hpp>
#include <postern/verify/public_suffix.hpp>

#include <libpsl.h>

#include <stdexcept>

namespace postern::verify {
namespace {

constexpr std::size_t max_name_octets = 1024;  // 253 as A-labels: far less as U-labels in UTF-8

// As the library wants it: UTF-8, in lower case. Empty: not possible.
std::string lowered(std::string_view name) {
  if (all_ascii(name)) return lower(name);
  if (!valid_utf8(name)) return {};
  char* made = nullptr;
  if (psl_str_to_utf8lower(std::string(name).c_str(), "utf-8", nullptr, &made) != PSL_SUCCESS)
    return {};
  const std::unique_ptr<char, void (*)(char*)> owned(made, &psl_free_string);
  return made;
}

}  // namespace

void PublicSuffixList::Free::operator()(psl_ctx_st* list) const { psl_free(list); }

const PublicSuffixList& PublicSuffixList::system() {
  static const PublicSuffixList list = [] {
    psl_ctx_t* newest = psl_latest(nullptr);
    if (!newest) throw std::runtime_error("there is no public suffix list");
    return PublicSuffixList(newest);
  }();
  return list;
}

Result<PublicSuffixList> PublicSuffixList::load(const std::string& path) {
  psl_ctx_t* list = psl_load_file(path.c_str());
  if (!list) return fail(Errc::io, path + " is no list of public suffixes");
  return PublicSuffixList(list);
}

std::string PublicSuffixList::organisational_domain(std::string_view name) const {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > max_name_octets) return {};
  if (name.starts_with('.') || name.ends_with('.') || name.find("..") != name.npos) return {};
  if (name.find('\0') != name.npos || IpAddress::parse(name)) return {};
  const std::string plain = lowered(name);
  const char* found = psl_registrable_domain(list_.get(), plain.c_str());
  return found ? found : std::string();
}

std::string organisational_domain(std::string_view name) {
  return PublicSuffixList::system().organisational_domain(name);
}

}  // namespace postern::verify
