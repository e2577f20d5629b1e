// One step of a session: observers, then findings start, then everything that takes effect here,
// in configuration order, until an effective refusal; then what takes effect later starts.
//
//   Chain chain(step, session, parties);
//   while (plugin::Run* run = chain.advance()) co_await run->wait();
#pragma once

#include <postern/plugin/run.hpp>
#include <postern/session/party.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace postern::session {

class Chain {
 public:
  // `parties` are those that this step is about; they outlive it.
  Chain(plugin::Step step, plugin::Session& session, std::span<Party> parties)
      : step_(step), session_(session), lineup_(session.lineup()), parties_(parties) {}

  // Goes on as far as it can without waiting. What to wait for; null when the step is over.
  plugin::Run* advance();

 private:
  enum class Phase : std::uint8_t { begin, held, chain, later, over };

  void begin_work();
  void begin_for_all(const plugin::Entry& entry);
  void observe(const plugin::Entry& entry, Party& party);
  plugin::Run* weigh_all();
  plugin::Run* examine(const plugin::Entry& entry, Party& party);
  plugin::Verdict outcome(const plugin::Run& run, const Party& party) const;
  void begin_put_off();
  void put_off(const plugin::Entry& entry, Party& party);
  plugin::Verdict call(const plugin::Entry& entry, Party& party);
  plugin::Run* begin(const plugin::Entry& entry, Party& party);
  plugin::Run* find(const plugin::Entry& entry, const Party& party) const;
  void weigh_one(const plugin::Entry& entry, Party& party, const plugin::Verdict& verdict,
                 coro::Duration took);
  bool is_due(const plugin::Entry& entry, const Party& party) const;
  bool is_wanted(const plugin::Entry& entry, const Party& party) const;
  bool is_out(const Party& party) const { return party.refusal || party.dropped; }
  bool all_out() const;

  plugin::Step step_;
  plugin::Session& session_;
  plugin::Lineup& lineup_;
  std::span<Party> parties_;
  std::vector<plugin::Run*> held_;
  std::size_t entry_ = 0;
  std::size_t party_ = 0;
  std::optional<plugin::Verdict> called_;  // of the entry at hand, where one call is for all
  Phase phase_ = Phase::begin;
};

}  // namespace postern::session
