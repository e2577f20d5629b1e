// Asking for settings and looking into lists of addresses allocates nothing: counted at operator
// new itself.
#include <postern/policy/domain_list.hpp>
#include <postern/policy/load.hpp>
#include <postern/policy/network_list.hpp>
#include <postern/smtp/path.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>

#include "fake_plugins.hpp"

namespace {
std::size_t allocations = 0;
}

// Not inlined: the compiler would see malloc() meet operator delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace postern::policy;

namespace {

std::size_t ask(const Snapshot& snapshot, const postern::smtp::Path& sender) {
  std::size_t found = 0;
  for (const char* local_part : {"anna", "bert", "\"John Doe\"", "a-rather-long-local-part-indeed"})
    for (const char* domain :
         {"example.net", "EXAMPLE.NET", "a.very.long.domain.name.example", ""}) {
      const Policy& policy = snapshot.of(local_part, domain);
      const Effective& effective = policy.of(0);
      const auto& settings = *static_cast<const FakeSettings*>(effective.settings);
      found += settings.list.contains(sender) ? 1u : 0u;
      found += effective.common.exempt.senders.contains(sender) ? 1u : 0u;
      found += settings.patterns.match("x@y.example") != nullptr ? 1u : 0u;
      found += policy.scope().size() + snapshot.everywhere(0, &FakeSettings::words).size();
    }
  return found;
}

struct Lists {
  AddressList addresses = AddressList::of({"a@x.example", "@y.example", ".z.example", "root"});
  RecipientList recipients = RecipientList::of({"a@x.example", "@y.example"});
  PatternList patterns = PatternList::of({"a@x.example gone", "A@x.example", "@y.example"});
  NetworkList networks = NetworkList::of({"192.0.2.0/24 near", "2001:db8::/32", "192.0.2.7"});
  DomainList domains = DomainList::of({"x.example", "net"});
};

std::size_t look_into(const Lists& lists) {
  std::size_t found = 0;
  for (const char* domain : {"x.example", "Y.EXAMPLE", "a.b.z.example", "a.very.long.domain.test"})
    for (const char* local_part : {"a", "Root", "a-rather-long-local-part-indeed"}) {
      found += lists.addresses.contains(local_part, domain) ? 1u : 0u;
      found += lists.recipients.look(local_part, domain) == RecipientList::Answer::listed ? 1u : 0u;
      found += lists.domains.find(domain).size();
    }
  for (const char* address : {"A@X.example", "a-rather-long-local-part@y.example", "none"})
    found += lists.patterns.match(address) != nullptr ? 1u : 0u;
  for (const char* address : {"192.0.2.7", "2001:db8::1", "203.0.113.1"})
    found += lists.networks.match(*postern::IpAddress::parse(address)) != nullptr ? 1u : 0u;
  return found;
}

}  // namespace

int main() {
  Site site(block("recipient",
                  "list = [\"x@a.example\", \".b.example\"]\npatterns = [\"@y.example\"]\nwords = "
                  "[\"x\"]\nexempt = { senders = [\"@c.example\"] }\n"));
  site.domain("example.net",
              "[plugin.recipient]\nthreshold = 3\n"
              "[recipient.\"anna@example.net\".plugin.recipient]\nthreshold = 4\n");
  const Loaded loaded = site.load();
  const auto sender = postern::smtp::parse_mailbox("x@sub.b.example");
  if (!loaded.lines().empty() || !sender) return 2;
  const Lists lists;
  const std::size_t first = ask(*loaded.snapshot, *sender) + look_into(lists);  // makes the union
  const std::size_t before = allocations;
  if (before == 0) return 2;  // nothing is counted
  const std::size_t again = ask(*loaded.snapshot, *sender) + look_into(lists);
  const std::size_t made = allocations - before;
  std::printf("allocations: %zu\n", made);
  return made == 0 && again == first ? 0 : 1;
}
