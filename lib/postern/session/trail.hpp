// The trail: what every plugin decided that was not `next`, and what became of it.
#pragma once

#include <postern/base/json.hpp>
#include <postern/coro/scheduler.hpp>
#include <postern/plugin/lineup.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::session {

// What a verdict came to.
enum class Effect : std::uint8_t {
  vouched,
  claimed,  // the domain is ours: who is not accepted there is unknown
  accepted,
  refused,
  dropped,
  observed,  // mode observe: would have refused
  tagged,
  scored,
  exempt,      // the instance's `exempt`, or a postmaster's right
  overridden,  // by what was agreed for different outcomes
  failed,      // it could not tell, and its `on_error` is next
};
std::string_view name(Effect effect);

class Trail {
 public:
  struct Step {
    std::uint16_t instance;
    plugin::Hook hook;  // where it was found out
    plugin::Hook at;    // where it takes effect
    plugin::Verdict::Kind verdict;
    Effect effect;
    std::uint16_t recipient;  // its number from 1; 0: nobody's in particular
    std::uint16_t text;       // its number from 1; 0: none
    std::uint16_t settings;   // likewise: whose they were; 0: the site's
    std::uint32_t us;         // what it took, where it waited
  };
  static_assert(sizeof(Step) <= 16);
  static constexpr std::size_t most_steps =
      500;  // of a session or transaction; the rest is counted

  // `settings`: the domain or recipient whose settings it was judged with; empty: the site's.
  void add(Step step, std::string_view text, std::string_view settings);
  bool empty() const { return steps_.empty(); }
  // Appends an array of objects.
  void append_to(json::Writer& record, const plugin::Lineup& lineup) const;

 private:
  std::uint16_t keep(std::string_view text);

  std::vector<Step> steps_;
  std::vector<std::string> texts_;
  std::size_t uncounted_ = 0;
};

// Appends "facts": what these scopes know, an object for each fact that tells of itself.
void record_facts(json::Writer& record, const std::vector<const plugin::HookScope*>& scopes);

}  // namespace postern::session
