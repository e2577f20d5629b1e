// What a verdict comes to: the keys that every instance has.
#include <postern/base/log.hpp>
#include <postern/base/text.hpp>
#include <postern/facts/client_name.hpp>
#include <postern/session/party.hpp>
#include <postern/smtp/replies.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

namespace postern::session {
namespace {

using plugin::Hook;
using plugin::Verdict;
using policy::Mode;
using Kind = Verdict::Kind;

int basic_code(Hook at, bool transient) {
  switch (at) {
    case Hook::admit:
    case Hook::connect:
      return transient ? 421 : 554;
    case Hook::data:
      return transient ? 451 : 554;
    case Hook::message:
      return transient ? 451 : 550;
    default:
      return transient ? 450 : 550;
  }
}

bool any_of(const std::vector<policy::DomainPattern>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const policy::DomainPattern& pattern) { return pattern.matches(name); });
}

// Everything that one verdict is weighed with.
class Scale {
 public:
  Scale(Party& party, plugin::Session& session, plugin::Transaction* transaction,
        const plugin::Entry& entry, Hook at, coro::Duration took)
      : party_(party),
        session_(session),
        transaction_(transaction),
        entry_(entry),
        at_(at),
        took_(took),
        common_(party.policy().of(entry.instance).common),
        instance_(session.lineup().instance_name(entry.instance)) {}

  void weigh(const Verdict& verdict) {
    if (!verdict.makes_sense()) return weigh_failure("returned nonsense");
    switch (verdict.kind()) {
      case Kind::next:
        return pass(verdict);
      case Kind::accept:
        return accept(verdict);
      case Kind::failed:
        return weigh_failure(verdict.text());
      case Kind::hold:
        return weigh_failure("wants a quarantine, which there is not in this version");
      case Kind::drop:
        if (!common_.may_drop) return weigh_failure("dropped without may_drop");
        return refuse(verdict, verdict.text());
      case Kind::defer:
      case Kind::reject:
        return refuse(verdict, verdict.text());
    }
  }

 private:
  void pass(const Verdict& verdict) {
    if (verdict.claims()) {
      party_.claimed = true;
      note(Kind::next, Effect::claimed, {});
    }
    if (!verdict.vouches()) return;
    auto& vouched = party_.recipient ? party_.recipient->vouched()
                    : transaction_   ? transaction_->vouched()
                                     : session_.vouched();
    vouched.push_back(entry_.instance);
    note(Kind::next, Effect::vouched, verdict.text());
  }

  void accept(const Verdict& verdict) {
    if (at_ != Hook::rcpt) return weigh_failure("accepted where only rcpt can");
    if (common_.mode == Mode::observe) return;
    party_.accepted = true;
    if (party_.accepted_by.empty()) party_.accepted_by = instance_;
    note(Kind::accept, Effect::accepted, verdict.text());
  }

  void weigh_failure(std::string_view why) {
    session_.log().warning("{} {}: {}", session_.id(), instance_, why);
    switch (common_.on_error) {
      case policy::OnError::next:
        return note(Kind::failed, Effect::failed, why);
      case policy::OnError::defer:
        return refuse(Verdict::defer({4, 3, 0}, "Temporary problem, please try again later"), why);
      case policy::OnError::reject:
        return refuse(Verdict::reject({5, 3, 0}, "This cannot be checked here"), why);
    }
  }

  void refuse(const Verdict& verdict, std::string_view why) {
    if (is_exempt() || is_postmaster()) return note(verdict.kind(), Effect::exempt, why);
    switch (common_.mode) {
      case Mode::off:
        return;
      case Mode::observe:
        return note(verdict.kind(), Effect::observed, why);
      case Mode::tag:
        party_.marks->tags.push_back({entry_.instance, verdict.text()});
        return note(verdict.kind(), Effect::tagged, why);
      case Mode::score:
        party_.marks->points.push_back({entry_.instance, common_.points});
        return note(verdict.kind(), Effect::scored, why);
      case Mode::on:
      case Mode::defer:
        break;
    }
    if (verdict.kind() == Kind::drop) {
      party_.dropped = true;
      return note(verdict.kind(), Effect::dropped, why);
    }
    party_.refusal = Refusal{reply(verdict), instance_, verdict.closes() || ends_session()};
    note(verdict.kind(), Effect::refused, why);
  }

  smtp::Reply reply(const Verdict& verdict) const {
    const bool softened = common_.mode == Mode::defer && verdict.kind() == Kind::reject;
    const bool transient = softened || verdict.kind() == Kind::defer;
    int code = basic_code(at_, transient);
    if (verdict.basic_code() != 0 && !softened) code = verdict.basic_code();
    smtp::EnhancedCode enhanced = verdict.code();
    enhanced.cls = transient ? 4 : 5;
    return {code, enhanced, text(verdict)};
  }

  std::string text(const Verdict& verdict) const {
    if (common_.reply.empty()) return verdict.text();
    const std::string client = session_.client_address().text();
    policy::ReplyValues values;
    values.reason = verdict.text();
    values.instance = instance_;
    values.client = client;
    values.helo = session_.helo();
    if (transaction_) values.sender = transaction_->reverse_path().text;
    if (party_.recipient) values.recipient = party_.recipient->path().text;
    values.id = transaction_ ? std::string_view(transaction_->id()) : session_.id();
    return common_.reply.fill(values);
  }

  bool ends_session() const { return at_ == Hook::admit || at_ == Hook::connect; }

  // What takes effect at rcpt refuses no postmaster; that the domain is ours somebody else must
  // say.
  bool is_postmaster() const {
    return at_ == Hook::rcpt && party_.recipient && party_.recipient->is_postmaster();
  }

  bool is_exempt() const {
    const policy::Exempt& exempt = common_.exempt;
    if (exempt.empty()) return false;
    if (exempt.relay && session_.may_relay()) return true;
    if (exempt.authenticated && session_.authenticated()) return true;
    for (const Network& network : exempt.clients)
      if (network.contains(session_.client_address())) return true;
    if (!session_.helo().empty() && any_of(exempt.helo, session_.helo())) return true;
    const auto* client = party_.scope->facts().find<facts::ClientName>();
    if (client && any_of(exempt.rdns, client->name)) return true;
    if (transaction_ && exempt.senders.contains(transaction_->reverse_path())) return true;
    if (party_.recipient && exempt.recipients.contains(party_.recipient->path())) return true;
    return has_passed(exempt.passed);
  }

  bool has_passed(const std::vector<std::string>& names) const {
    const auto named = [&](policy::InstanceIndex instance) {
      return std::find(names.begin(), names.end(), session_.lineup().instance_name(instance)) !=
             names.end();
    };
    const auto any = [&](const auto& vouched) {
      return std::any_of(vouched.begin(), vouched.end(), named);
    };
    return any(session_.vouched()) || (transaction_ && any(transaction_->vouched())) ||
           (party_.recipient && any(party_.recipient->vouched()));
  }

  void note(Kind verdict, Effect effect, std::string_view text) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took_).count();
    party_.trail->add({entry_.instance, entry_.hook, at_, verdict, effect, party_.number, 0, 0,
                       static_cast<std::uint32_t>(std::min<std::int64_t>(us, UINT32_MAX))},
                      text, whose_settings());
  }

  // Of the domain or recipient that is nearest and says anything of this instance; the site's: "".
  std::string_view whose_settings() const {
    const policy::Policy* at = &party_.policy();
    const policy::Effective& used = at->of(entry_.instance);
    while (at->parent() && &at->parent()->of(entry_.instance) == &used) at = at->parent();
    return at->parent() ? at->scope() : std::string_view();
  }

  Party& party_;
  plugin::Session& session_;
  plugin::Transaction* transaction_;
  const plugin::Entry& entry_;
  Hook at_;
  coro::Duration took_;
  const policy::Common& common_;
  std::string_view instance_;
};

}  // namespace

void weigh(Party& party, plugin::Session& session, plugin::Transaction* transaction,
           const plugin::Entry& entry, Hook at, const Verdict& verdict, coro::Duration took) {
  // Most say nothing: that costs nothing.
  if (verdict.kind() == Kind::next && !verdict.vouches() && !verdict.claims()) return;
  Scale(party, session, transaction, entry, at, took).weigh(verdict);
}

void weigh_points(Party& party, Hook at, std::span<const Marks* const> ledger) {
  const policy::Score& score = party.policy().score();
  if (score.empty() || party.refusal) return;
  const policy::Policy& site = [&]() -> const policy::Policy& {
    const policy::Policy* policy = &party.policy();
    while (policy->parent()) policy = policy->parent();
    return *policy;
  }();
  std::size_t sum = 0;
  for (const Marks* marks : ledger) {
    for (const Marks::Points& each : marks->points) {
      // What others gave with the site's settings does not count where he has his own.
      const bool own = marks == party.marks;
      if (own || &party.policy().of(each.instance) == &site.of(each.instance)) sum += each.points;
    }
  }
  if (score.reject_at && sum >= *score.reject_at)
    party.refusal = Refusal{
        {basic_code(at, false), {5, 7, 1}, fmt::format("refused by policy, {} points", sum)},
        "core:score"};
  else if (score.defer_at && sum >= *score.defer_at)
    party.refusal = Refusal{
        {basic_code(at, true), {4, 7, 1}, fmt::format("deferred by policy, {} points", sum)},
        "core:score"};
}

}  // namespace postern::session
