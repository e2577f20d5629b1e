// Under which names anybody may register one (the public suffix list), and so which part of a name
// is its owner's: DMARC's organisational domain (RFC 7489 section 3.2).
#pragma once

#include <postern/base/result.hpp>

#include <memory>
#include <string>
#include <string_view>

struct psl_ctx_st;

namespace postern::verify {

class PublicSuffixList {
 public:
  // The newer of the system's list and the one that libpsl was built with; read when it is first
  // asked for (under 1 ms) and kept as long as the process lives.
  static const PublicSuffixList& system();
  // A file in the list's own format. Blocks: not on the loop. Errors: io.
  static Result<PublicSuffixList> load(const std::string& path);

  // "example.co.uk" of "Mail.Example.co.uk.": the suffix and the label before it, in lower case,
  // U-labels as U-labels. Both sections of the list count, the private one too; a top-level domain
  // that is not listed is a suffix. Empty: `name` is a suffix itself, has an empty label, is an
  // address or no UTF-8.
  // Costs some microseconds.
  std::string organisational_domain(std::string_view name) const;

 private:
  struct Free {
    void operator()(psl_ctx_st* list) const;
  };
  explicit PublicSuffixList(psl_ctx_st* list) : list_(list) {}
  std::unique_ptr<psl_ctx_st, Free> list_;
};

// By the system's list.
std::string organisational_domain(std::string_view name);

}  // namespace postern::verify
