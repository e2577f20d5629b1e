// Whether the sender's domain lets this client send in its name. Made by `spf` beside the dialogue,
// from MAIL on:
//
//   const auto* spf = co_await to.facts().await<facts::Spf>();   // setup(): .wants<facts::Spf>()
//   if (spf && spf->sender.result == verify::SpfResult::pass) …
#pragma once

#include <postern/plugin/fact.hpp>
#include <postern/verify/spf.hpp>

namespace postern::facts {

struct Spf : plugin::Fact<"spf", 1> {
  bool asked = false;  // not for clients that may relay or have authenticated: all is `none` then
  // Of the reverse-path; of a bounce, which has none, that of postmaster at the greeting's name
  // (its identity says so).
  verify::SpfAnswer sender;
  // Of the greeting's name, where `spf` is told to look at it too; else `none` without domain.
  verify::SpfAnswer helo;

  void record(plugin::Fields& out) const {
    if (!asked) return;
    out.add("result", verify::name(sender.result)).add("domain", sender.domain);
    out.add("identity", verify::name(sender.identity)).add("mechanism", sender.mechanism);
    out.add("lookups", sender.lookups);
    if (!sender.problem.empty()) out.add("problem", sender.problem);
    if (!sender.explanation.empty()) out.add("explanation", sender.explanation);
    if (helo.domain.empty()) return;
    out.add("helo_result", verify::name(helo.result)).add("helo_domain", helo.domain);
    if (!helo.problem.empty()) out.add("helo_problem", helo.problem);
  }
};

}  // namespace postern::facts
