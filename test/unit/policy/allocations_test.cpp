// Asking for settings and looking into lists of addresses allocates nothing: counted at operator
// new itself.
#include <postern/policy/load.hpp>
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
  const std::size_t first = ask(*loaded.snapshot, *sender);  // makes the union
  const std::size_t before = allocations;
  if (before == 0) return 2;  // nothing is counted
  const std::size_t again = ask(*loaded.snapshot, *sender);
  const std::size_t made = allocations - before;
  std::printf("allocations: %zu\n", made);
  return made == 0 && again == first ? 0 : 1;
}
