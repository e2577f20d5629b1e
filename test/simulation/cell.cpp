#include "cell.hpp"

#include <postern/testing/random.hpp>

#include <fmt/format.h>

namespace postern::simulation {
namespace {

using Wrong = testing::Fault::Kind;

constexpr Kind usual[] = {
    {"4xx", Sort::refusal, Wrong::reply, "452 4.3.1 no room\r\n", "452 4.3.1"},
    {"5xx", Sort::refusal, Wrong::reply, "553 5.7.1 not here\r\n", "553 5.7.1"},
    {"5xx-plain", Sort::refusal, Wrong::reply, "550-go\r\n550 away\r\n", "550 5.0.0"},
    {"421", Sort::closing, Wrong::reply_close, "421 4.3.2 closing\r\n"},
    {"421-open", Sort::closing, Wrong::reply, "421 4.3.2 closing\r\n"},
    {"garbage", Sort::nonsense, Wrong::reply, "I am no mail server\r\n"},
    {"code-600", Sort::nonsense, Wrong::reply, "600 2.0.0 what\r\n"},
    {"codes-differ", Sort::nonsense, Wrong::reply, "250-2.0.0 a\r\n251 2.0.0 b\r\n"},
    {"354", Sort::nonsense, Wrong::reply, "354 more\r\n"},
    {"cut", Sort::lost, Wrong::reply_close, "250 2.0.0 queu"},
    {"cut-lines", Sort::lost, Wrong::reply_close, "250-2.0.0 queued\r\n"},
    {"endless-line", Sort::nonsense, Wrong::endless_line, ""},
    {"endless-reply", Sort::nonsense, Wrong::endless_reply, ""},
    {"close", Sort::lost, Wrong::close, ""},
    {"reset", Sort::lost, Wrong::reset, ""},
    {"hang", Sort::lost, Wrong::hang, ""},
};
constexpr Kind of_data[] = {
    {"250", Sort::nonsense, Wrong::reply, "250 2.0.0 what\r\n"},
    {"354-250", Sort::nonsense, Wrong::reply, "354 go on\r\n250 2.0.0 too early\r\n"},
    {"354-552", Sort::refusal, Wrong::reply, "354 go on\r\n552 5.3.4 too big\r\n", "552 5.3.4"},
};
constexpr Kind of_end[] = {
    {"250-close", Sort::fine, Wrong::reply_close, "250 2.0.0 taken\r\n"},
    {"250-250", Sort::fine, Wrong::reply, "250 2.0.0 taken\r\n250 2.0.0 and again\r\n"},
    {"250-421", Sort::fine, Wrong::reply_close, "250 2.0.0 taken\r\n421 4.3.2 bye\r\n"},
    {"251", Sort::fine, Wrong::reply, "251 2.0.0 taken\r\n", "251 2.0.0"},
};

bool is_before_mail(Phase phase) { return phase < Phase::mail; }

std::string_view name(Identity identity) {
  static constexpr std::array<std::string_view, 5> names{"none", "xforward", "xclient", "proxy-v1",
                                                         "proxy-v2"};
  return names.at(static_cast<std::size_t>(identity));
}

std::string_view name(Action action) {
  static constexpr std::array<std::string_view, 5> names{"stays", "half-closes", "closes", "resets",
                                                         "vanishes"};
  return names.at(static_cast<std::size_t>(action));
}

std::string_view name(Step step) {
  static constexpr std::array<std::string_view, 9> names{"connect", "EHLO", "MAIL", "RCPT", "RCPT2",
                                                         "RCPT3",   "DATA", "body", "dot"};
  return names.at(static_cast<std::size_t>(step));
}

// What the client hears of the fault at the step that meets it.
std::string heard_of(const Trouble& trouble) {
  if (trouble.connect) return trouble.connect == Errc::descriptors ? "451 4.3.0" : "451 4.4.1";
  switch (trouble.kind->sort) {
    case Sort::fine:
      return "250 2.0.0";
    case Sort::refusal:
      return is_before_mail(trouble.phase) ? "451 4.3.0" : trouble.kind->passed_on;
    case Sort::closing:
      return "451 4.3.2";
    case Sort::nonsense:
      return "451 4.3.0";
    case Sort::lost:
      return "451 4.4.2";
  }
  return "";
}

// A server that does not know EHLO is asked HELO; without extensions it may be of no use.
bool helo_will_do(const Cell& cell) {
  const Trouble& trouble = cell.trouble;
  if (trouble.phase != Phase::ehlo || !trouble.kind) return false;
  if (trouble.kind->sort != Sort::refusal || trouble.kind->passed_on[0] != '5') return false;
  const bool asked_again = cell.identity == Identity::xclient && trouble.nth == 1;
  return asked_again || (cell.identity != Identity::xclient && cell.identity != Identity::xforward);
}

// The recipients that the fault reaches. After a refusal of MAIL, or a 421, the downstream is not
// asked again in this transaction; after other faults it is, with a new connection.
void expect_at_rcpt(const Cell& cell, Expected& out) {
  const Trouble& trouble = cell.trouble;
  const Sort sort = trouble.connect ? Sort::lost : trouble.kind->sort;
  const bool at_rcpt = !trouble.connect && trouble.phase == Phase::rcpt;
  const bool not_asked_again =
      (trouble.phase >= Phase::mail || trouble.phase == Phase::xforward) &&
      (sort == Sort::closing || (sort == Sort::refusal && trouble.phase != Phase::rcpt));
  const std::size_t from = at_rcpt ? trouble.nth : 0;
  for (std::size_t i = from; i < out.rcpt.size(); ++i) {
    const bool meets_it =
        i == from || not_asked_again || (!trouble.once && !(at_rcpt && sort == Sort::refusal));
    if (meets_it) out.rcpt[i] = heard_of(trouble);
  }
}

}  // namespace

Expected expected(const Cell& cell) {
  const Trouble& trouble = cell.trouble;
  Expected out{{"250 2.0.0", "250 2.0.0", "250 2.0.0"}, "354", "250 2.0.0"};
  if (!trouble.connect && !trouble.kind) return out;
  const bool reaches_rcpt = trouble.connect || trouble.phase <= Phase::rcpt;
  if (reaches_rcpt && !helo_will_do(cell)) {
    expect_at_rcpt(cell, out);
    bool any = false;
    for (const std::string& reply : out.rcpt) any = any || reply.front() == '2';
    if (!any) {
      out.data = "554 5.5.1";
      out.final = "";
    }
  } else if (trouble.phase >= Phase::data && trouble.phase <= Phase::end_of_data) {
    const Sort sort = trouble.kind->sort;
    out.final = heard_of(trouble);
    if (sort == Sort::fine && *trouble.kind->passed_on) out.final = trouble.kind->passed_on;
    const bool unheard = sort == Sort::nonsense || sort == Sort::lost;
    out.uncertain = unheard && trouble.phase == Phase::end_of_data;
    out.may_be_uncertain = unheard && trouble.phase == Phase::body;
  }
  return out;
}

std::string Cell::name() const {
  std::string what = "well";
  if (trouble.connect) {
    what = fmt::format("connect/{}", postern::name(*trouble.connect));
  } else if (trouble.kind) {
    what = fmt::format("{}{}/{}{}", testing::name(trouble.phase),
                       trouble.nth > 0 ? fmt::to_string(trouble.nth + 1) : "", trouble.kind->name,
                       trouble.once ? "/once" : "");
  }
  std::string who = "stays";
  if (leaving.action != Action::stays)
    who = fmt::format("{}-{}-{}", simulation::name(leaving.action), leaving.heard ? "after" : "at",
                      simulation::name(leaving.step));
  return fmt::format("{} {} {} {} {} {} seed={}", what, who, simulation::name(identity),
                     downstream_pipelines ? "pipelining" : "one-by-one",
                     client_pipelines ? "group" : "lockstep",
                     size == Size::memory ? "memory" : "file", seed);
}

std::vector<Trouble> troubles(Identity identity) {
  std::vector<Trouble> all;
  for (const Errc why : {Errc::refused, Errc::unreachable, Errc::timed_out, Errc::descriptors})
    all.push_back({.connect = why});
  const auto add = [&](Phase phase, std::size_t nth, const auto& kinds) {
    for (const Kind& kind : kinds)
      for (const bool once : {false, true})
        all.push_back({.phase = phase, .nth = nth, .kind = &kind, .connect = {}, .once = once});
  };
  add(Phase::greeting, 0, usual);
  add(Phase::ehlo, 0, usual);
  if (identity == Identity::xclient) add(Phase::ehlo, 1, usual);
  if (identity == Identity::xclient) add(Phase::xclient, 0, usual);
  if (identity == Identity::xforward) add(Phase::xforward, 0, usual);
  add(Phase::mail, 0, usual);
  for (const std::size_t nth : {0u, 1u, 2u}) add(Phase::rcpt, nth, usual);
  add(Phase::data, 0, usual);
  add(Phase::data, 0, of_data);
  add(Phase::body, 0, usual);
  add(Phase::end_of_data, 0, usual);
  add(Phase::end_of_data, 0, of_end);
  add(Phase::quit, 0, usual);
  // 354 is what is due there.
  std::erase_if(all, [](const Trouble& each) {
    return each.phase == Phase::data && each.kind && std::string_view(each.kind->name) == "354";
  });
  return all;
}

std::vector<Leaving> leavings() {
  std::vector<Leaving> all;
  for (const Action action :
       {Action::half_closes, Action::closes, Action::resets, Action::vanishes})
    for (int step = 0; step <= static_cast<int>(Step::end_of_data); ++step)
      for (const bool heard : {false, true})
        all.push_back({action, static_cast<Step>(step), heard});
  return all;
}

namespace {

constexpr Identity identities[] = {Identity::none, Identity::xforward, Identity::xclient,
                                   Identity::proxy_v1, Identity::proxy_v2};

}  // namespace

std::vector<Cell> downstream_cells(Identity identity) {
  std::vector<Cell> cells;
  std::uint64_t seed = 0;
  for (const Trouble& trouble : troubles(identity))
    for (const bool pipelining : {true, false})
      for (const Size size : {Size::memory, Size::file}) {
        // What is over before the message comes does not depend on its size.
        const bool early = trouble.connect || trouble.phase < Phase::data;
        if (early && size == Size::file) continue;
        Cell cell;
        cell.trouble = trouble;
        cell.identity = identity;
        cell.downstream_pipelines = pipelining;
        cell.client_pipelines = ++seed % 2 == 0;
        cell.size = size;
        cell.seed = seed;
        cells.push_back(cell);
      }
  return cells;
}

std::vector<Cell> client_cells() {
  std::vector<Cell> cells;
  std::uint64_t seed = 0;
  for (const Leaving& leaving : leavings())
    for (const bool pipelining : {true, false})
      for (const bool group : {true, false})
        for (const Size size : {Size::memory, Size::file}) {
          Cell cell;
          cell.leaving = leaving;
          cell.identity = identities[++seed % std::size(identities)];
          cell.downstream_pipelines = pipelining;
          cell.client_pipelines = group;
          cell.size = size;
          cell.seed = seed;
          cells.push_back(cell);
        }
  return cells;
}

std::vector<Cell> mixed_cells() {
  std::vector<Cell> cells;
  const auto ways = leavings();
  std::uint64_t seed = 0;
  for (const Identity identity : identities)
    for (const Trouble& trouble : troubles(identity))
      for (std::size_t drawn = 0; drawn < 4; ++drawn) {
        testing::Random dice(++seed);
        Cell cell;
        cell.trouble = trouble;
        cell.leaving = ways[dice.below(ways.size())];
        cell.identity = identity;
        cell.downstream_pipelines = dice.coin();
        cell.client_pipelines = dice.coin();
        cell.size = dice.below(4) == 0 ? Size::file : Size::memory;
        cell.seed = seed;
        cells.push_back(cell);
      }
  return cells;
}

}  // namespace postern::simulation
