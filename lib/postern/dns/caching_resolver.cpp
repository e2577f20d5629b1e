#include <postern/dns/caching_resolver.hpp>
#include <postern/dns/names.hpp>

namespace postern::dns {
namespace {

// Names that only the Tor network knows: the DNS must not even hear of them (RFC 7686 section 2).
bool is_onion(const std::string& name) { return name == "onion" || name.ends_with(".onion"); }

template <typename Record>
Answer<Record> no_such_name() {
  Answer<Record> answer;
  answer.name_exists = false;
  return answer;
}

}  // namespace

CachingResolver::CachingResolver(coro::Scheduler& scheduler, std::unique_ptr<Exchange> exchange,
                                 const Settings& settings)
    : scheduler_(scheduler),
      exchange_(std::move(exchange)),
      settings_(settings),
      cache_(settings.cache) {}

CachingResolver::~CachingResolver() { exchange_.reset(); }  // ends all lookups, while they exist

template <typename Record>
coro::Task<Result<Answer<Record>>> CachingResolver::ask(Type type, std::string name) {
  ++counters_.asked;
  auto plain = query_name(name);
  if (!plain) co_return fail(plain.error());
  if (is_onion(*plain)) co_return no_such_name<Record>();
  Question question;
  question.type = type;
  question.name = std::move(*plain);

  SharedOutcome outcome;
  std::optional<std::chrono::seconds> left;
  const auto cached = cache_.find(question, scheduler_.now());
  if (cached) {
    ++counters_.cached;
    outcome = cached->outcome;
    left = cached->ttl;
  } else {
    const std::shared_ptr<Lookup> lookup = look_up(question);
    if (!lookup) co_return fail(Errc::busy, "too many DNS lookups at a time");
    auto waiter = lookup->wait();
    auto waited = co_await waiter;
    if (!waited) co_return fail(waited.error().code, "waiting for " + question.text());
    outcome = std::move(*waited);  // this resolver may be gone by now
  }
  if (!*outcome) co_return fail(outcome->error());
  Answer<Record> answer = std::get<Answer<Record>>(**outcome);
  answer.ttl = left.value_or(lifetime(*outcome));
  co_return answer;
}

std::shared_ptr<Lookup> CachingResolver::look_up(const Question& question) {
  const auto under_way = lookups_.find(question);
  if (under_way != lookups_.end()) {
    ++counters_.joined;
    return under_way->second;
  }
  if (lookups_.size() >= most_lookups) return nullptr;
  LookupOwner& owner = *this;
  auto lookup =
      std::make_shared<Lookup>(owner, *exchange_, question, settings_.tries, first_server_);
  lookups_.emplace(question, lookup);
  lookup->start();
  return lookup;
}

void CachingResolver::looked_up(Lookup& lookup, SharedOutcome outcome) {
  if (!*outcome) ++counters_.failed;
  cache_.keep(lookup.question(), std::move(outcome), scheduler_.now());
  const auto place = lookups_.find(lookup.question());
  const std::shared_ptr<Lookup> alive = std::move(place->second);  // until here it may be the last
  lookups_.erase(place);
}

void CachingResolver::server_failed(std::size_t server) {
  if (server == first_server_) first_server_ = (server + 1) % exchange_->servers();
}

coro::Task<Result<Answer<IpAddress>>> CachingResolver::a(std::string name) {
  return ask<IpAddress>(Type::a, std::move(name));
}

coro::Task<Result<Answer<IpAddress>>> CachingResolver::aaaa(std::string name) {
  return ask<IpAddress>(Type::aaaa, std::move(name));
}

coro::Task<Result<Answer<Mx>>> CachingResolver::mx(std::string name) {
  return ask<Mx>(Type::mx, std::move(name));
}

coro::Task<Result<Answer<std::string>>> CachingResolver::txt(std::string name) {
  return ask<std::string>(Type::txt, std::move(name));
}

coro::Task<Result<Answer<std::string>>> CachingResolver::ptr(IpAddress address) {
  return ask<std::string>(Type::ptr, pointer_name(address));
}

}  // namespace postern::dns
