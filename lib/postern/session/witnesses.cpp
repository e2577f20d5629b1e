// The hooks auth_password and auth_secret.
#include <postern/base/log.hpp>
#include <postern/net/digest.hpp>
#include <postern/plugin/pool.hpp>
#include <postern/plugin/run.hpp>
#include <postern/plugin/views.hpp>
#include <postern/session/authentication.hpp>
#include <postern/session/running.hpp>

#include <utility>

namespace postern::session {
namespace {

using auth::Mechanism;
using plugin::AuthAnswer;
using plugin::AuthSecret;
using plugin::Entry;
using plugin::Hook;
using plugin::Run;
using smtp::AuthMechanism;

constexpr AuthMechanism by_password[] = {AuthMechanism::plain, AuthMechanism::login};
constexpr AuthMechanism by_secret[] = {AuthMechanism::plain, AuthMechanism::login,
                                       AuthMechanism::cram_md5, AuthMechanism::scram_sha_256};

// One that may not refuse may not let in either.
bool is_on(const Entry& entry, const policy::Policy& site) {
  const policy::Mode mode = site.of(entry.instance).common.mode;
  return mode != policy::Mode::off && mode != policy::Mode::observe;
}

AuthResult result_of(bool same) { return same ? AuthResult::accepted : AuthResult::refused; }

}  // namespace

smtp::Flags<AuthMechanism> Witnesses::served(const plugin::Lineup& lineup,
                                             const policy::Policy& site) {
  smtp::Flags<AuthMechanism> served;
  const auto add = [&](Hook hook, std::span<const AuthMechanism> able) {
    for (const Entry* entry : lineup.entries(hook)) {
      if (!is_on(*entry, site)) continue;
      for (const AuthMechanism each : able)
        if (!entry->serves || entry->serves(*entry, each, site.of(entry->instance).settings))
          served.add(each);
    }
  };
  add(Hook::auth_password, by_password);
  add(Hook::auth_secret, by_secret);
  return served;
}

Witnesses::~Witnesses() {
  if (attempt_) plugin::HookScope::end(std::move(attempt_));
}

void Witnesses::begin(const Attempts::Exchange& exchange) {
  attempt_ =
      std::make_unique<plugin::AuthAttempt>(session_, exchange.name, exchange.mechanism->user(),
                                            exchange.mechanism->password(), encrypted_);
}

coro::Task<AuthResult> Witnesses::check(Attempts::Exchange& exchange) {
  begin(exchange);
  auto heard = co_await ask<AuthAnswer>(Hook::auth_password);
  if (heard.instead) co_return *heard.instead;
  if (heard.answer) co_return result_of(heard.answer->kind() == AuthAnswer::Kind::accept);
  auto found = co_await ask<AuthSecret>(Hook::auth_secret);
  if (found.instead) co_return *found.instead;
  if (!found.answer) co_return AuthResult::refused;
  auto result = co_await compare(std::move(*found.answer));
  co_return result;
}

coro::Task<AuthResult> Witnesses::compare(AuthSecret secret) {
  const Secret& said = attempt_->password();
  if (secret.kind() == AuthSecret::Kind::plain)
    co_return result_of(
        net::same_octets(net::sha256(said.octets()), net::sha256(secret.password().octets())));
  auto job = [keys = secret.keys(), password = said]() -> Result<bool> {
    return keys.match(password.octets());
  };
  auto same = co_await plugin::offload(services_.lineup.services(), std::move(job));
  if (!same) co_return AuthResult::failed;
  co_return result_of(*same);
}

// Keys are made of a password each time, needed or not: a user who does not exist, one who has a
// password and one who has keys take the same time.
coro::Task<std::optional<Mechanism::Next>> Witnesses::inform(Attempts::Exchange& exchange) {
  Mechanism& mechanism = *exchange.mechanism;
  begin(exchange);
  auto found = co_await ask<AuthSecret>(Hook::auth_secret);
  if (found.instead == AuthResult::refused) co_return Mechanism::Next::refused;
  if (found.instead) co_return std::nullopt;
  const bool has_plain = found.answer && found.answer->kind() == AuthSecret::Kind::plain;
  const bool has_keys = found.answer && found.answer->kind() == AuthSecret::Kind::scram;
  const Secret password = has_plain ? found.answer->password() : Secret("unknown");
  if (!mechanism.wants_keys()) co_return mechanism.use_plain(password.octets(), has_plain);
  auto job = [password,
              salt = auth::salt_for(mechanism.user(),
                                    services_.settings.site_key)]() -> Result<auth::ScramKeys> {
    return auth::ScramKeys::of(password.octets(), salt, auth::ScramKeys::least_iterations);
  };
  auto made = co_await plugin::offload(services_.lineup.services(), std::move(job));
  if (!made) co_return std::nullopt;
  if (has_keys) co_return mechanism.use_keys(found.answer->keys(), true);
  co_return mechanism.use_keys(*made, has_plain);
}

// The first that has an answer.
template <typename A>
coro::Task<Witnesses::Heard<A>> Witnesses::ask(Hook hook) {
  Heard<A> heard;
  const std::size_t entries = services_.lineup.entries(hook).size();
  for (std::size_t i = 0; i < entries; ++i) {
    const Entry& entry = *services_.lineup.entries(hook)[i];
    if (!is_on(entry, session_.policy())) continue;
    std::optional<Error> error;
    if (!entry.waits) {
      call(entry, heard.answer, error);
    } else if (Run* run = start(entry, error)) {
      auto settled = co_await run->wait();
      if (!settled) {  // the session is being stopped
        heard.instead = AuthResult::failed;
        co_return heard;
      }
      if (run->state() == Run::State::failed) error = run->error();
      if (!error && run->answer()) heard.answer = *static_cast<const A*>(run->answer());
    }
    if (heard.answer && heard.answer->kind() == A::Kind::failed) {
      error = heard.answer->error();
      heard.answer.reset();
    }
    if (error) heard.instead = excuse(entry, *error);
    if (heard.answer || heard.instead) {
      by_ = services_.lineup.instance_name(entry.instance);
      co_return heard;
    }
  }
  co_return heard;
}

template <typename A>
void Witnesses::call(const Entry& entry, std::optional<A>& answer, std::optional<Error>& error) {
  const Running running(services_.scheduler, services_.lineup.instance_name(entry.instance));
  plugin::Step step = plugin::step_from(*attempt_, entry.hook);
  try {
    entry.answer(entry, step, &answer);
  } catch (...) {
    error = thrown();
  }
}

Run* Witnesses::start(const Entry& entry, std::optional<Error>& error) {
  const Running running(services_.scheduler, services_.lineup.instance_name(entry.instance));
  plugin::Step step = plugin::step_from(*attempt_, entry.hook);
  try {
    return &Run::begin(entry.begin(entry, step, *attempt_));
  } catch (...) {
    error = thrown();
    return nullptr;
  }
}

// What it means that an instance cannot tell; nothing: the next one is asked.
std::optional<AuthResult> Witnesses::excuse(const Entry& entry, const Error& error) {
  services_.log.warning("{} {}: {}", session_.id(), services_.lineup.instance_name(entry.instance),
                        error.describe());
  switch (session_.policy().of(entry.instance).common.on_error) {
    case policy::OnError::next:
      return {};
    case policy::OnError::defer:
      return AuthResult::failed;
    case policy::OnError::reject:
      return AuthResult::refused;
  }
  return AuthResult::failed;
}

}  // namespace postern::session
