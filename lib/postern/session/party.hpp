// A party: one whose mail is judged. While no recipient is known that is the client; then it is
// each recipient, with his own settings.
#pragma once

#include <postern/plugin/views.hpp>
#include <postern/session/trail.hpp>
#include <postern/smtp/reply.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::session {

struct Way;

// A refusal that takes effect.
struct Refusal {
  smtp::Reply reply;
  std::string_view by;  // an instance's name, "core:…"
  bool closes = false;
};

// What refusals that were softened leave behind.
struct Marks {
  struct Tag {
    policy::InstanceIndex instance;
    std::string text;
  };
  struct Points {
    policy::InstanceIndex instance;
    std::size_t points;
  };
  std::vector<Tag> tags;
  std::vector<Points> points;
  bool empty() const { return tags.empty() && points.empty(); }
};

struct Party {
  Party(plugin::HookScope& where, Marks& left, Trail& steps)
      : scope(&where), marks(&left), trail(&steps) {}

  plugin::HookScope* scope;
  plugin::Recipient* recipient = nullptr;
  Marks* marks;
  Trail* trail;
  Way* way = nullptr;        // that his mail goes; null: it is dropped
  std::uint16_t number = 0;  // of the recipient, from 1
  bool accepted = false;
  bool claimed = false;
  bool dropped = false;
  std::string_view accepted_by;
  std::optional<Refusal> refusal;

  const policy::Policy& policy() const { return scope->policy(); }
};

// Weighs a verdict of `entry`, taking effect at `at`, with the party's common keys: what it comes
// to stands in the party, its marks and its trail.
void weigh(Party& party, plugin::Session& session, plugin::Transaction* transaction,
           const plugin::Entry& entry, plugin::Hook at, const plugin::Verdict& verdict,
           coro::Duration took);

// Judges the ledger of points: "core:score" refuses where the settings say so.
void weigh_points(Party& party, plugin::Hook at, std::span<const Marks* const> ledger);

}  // namespace postern::session
