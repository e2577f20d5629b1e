// shed with answer = "unknown": a recipient who exists costs as many allocations as one who does
// not, counted at operator new itself.
#include <postern/testing/harness.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

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

using namespace std::chrono_literals;

namespace {

// One session of twenty recipients: what grows with their number grows in each.
std::size_t cost_of_twenty(postern::testing::Harness& h, const char* to) {
  h.client.connect("192.0.2.1");
  h.client.greeting();
  const std::size_t before = allocations;
  for (int i = 0; i < 20; ++i)
    if (h.client.recipient(to).code != 550) return 0;
  const std::size_t made = allocations - before;
  h.client.close();
  h.run_for(1s);
  return made;
}

}  // namespace

int main() {
  postern::testing::Harness h;
  h.load("shed", "threshold = 1\nanswer = \"unknown\"");
  h.load("rcpt_ok", "recipients = [\"anna@t.example\"]");
  cost_of_twenty(h, "bert@t.example");  // is shed then
  cost_of_twenty(h, "bert@t.example");  // and what is made once, has been
  const std::size_t known = cost_of_twenty(h, "anna@t.example");
  const std::size_t unknown = cost_of_twenty(h, "bert@t.example");
  std::printf("allocations: known %zu, unknown %zu\n", known, unknown);
  return known == unknown && known > 0 && h.end().empty() ? 0 : 1;
}
