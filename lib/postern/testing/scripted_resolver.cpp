#include <postern/coro/sleep.hpp>
#include <postern/dns/names.hpp>
#include <postern/testing/scripted_resolver.hpp>

#include <algorithm>

namespace postern::testing {
namespace {

// What a test wrote down is right, or the test is wrong.
template <typename T>
T must(Result<T> value) {
  if (!value) throw std::invalid_argument(value.error().describe());
  return std::move(*value);
}

std::string host(std::string_view name) {
  std::string plain = must(dns::query_name(name));
  if (!dns::is_host_name(plain)) throw std::invalid_argument(plain + " is no host's name");
  return plain;
}

// Counts a lookup for as long as it is under way.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::size_t& count_;
};

}  // namespace

ScriptedResolver::Name& ScriptedResolver::at(std::string_view name) {
  return names_[must(dns::query_name(name))];
}

ScriptedResolver::Name& ScriptedResolver::having(std::string_view name) {
  Name& found = at(name);
  found.exists = true;
  return found;
}

const ScriptedResolver::Name* ScriptedResolver::find(std::string_view name) const {
  const auto found = names_.find(must(dns::query_name(name)));
  return found == names_.end() ? nullptr : &found->second;
}

void ScriptedResolver::add_a(std::string_view name, std::string_view address) {
  const IpAddress parsed = must(IpAddress::parse(address));
  if (!parsed.is_v4()) throw std::invalid_argument("an A record holds an IPv4 address");
  having(name).a.push_back(parsed);
}

void ScriptedResolver::add_aaaa(std::string_view name, std::string_view address) {
  const IpAddress parsed = must(IpAddress::parse(address));
  if (parsed.is_v4()) throw std::invalid_argument("an AAAA record holds an IPv6 address");
  having(name).aaaa.push_back(parsed);
}

void ScriptedResolver::add_mx(std::string_view name, std::uint16_t preference,
                              std::string_view target) {
  dns::Mx mx;
  mx.preference = preference;
  if (target != "." && !target.empty()) mx.host = host(target);
  auto& all = having(name).mx;
  const auto later = [](const dns::Mx& a, const dns::Mx& b) { return a.preference < b.preference; };
  all.insert(std::upper_bound(all.begin(), all.end(), mx, later), mx);
}

void ScriptedResolver::add_txt(std::string_view name, std::string_view text) {
  having(name).txt.emplace_back(text);
}

void ScriptedResolver::add_ptr(std::string_view address, std::string_view target) {
  const IpAddress parsed = must(IpAddress::parse(address));
  having(dns::pointer_name(parsed)).ptr.push_back(host(target));
}

void ScriptedResolver::heal(std::string_view name) {
  Name& found = at(name);
  found.silent = false;
  found.error.reset();
  found.delay.reset();
}

std::size_t ScriptedResolver::asked(std::string_view name) const {
  const Name* found = find(name);
  return found ? found->asked : 0;
}

bool ScriptedResolver::cancelled(std::string_view name) const {
  const Name* found = find(name);
  return found && found->asked > 0 && found->stopped == found->asked;
}

template <typename Record>
coro::Task<Result<dns::Answer<Record>>> ScriptedResolver::ask(std::string name,
                                                              std::vector<Record> Name::*member) {
  const auto plain = dns::query_name(name);
  if (!plain) co_return postern::fail(plain.error());
  Name& script = names_[*plain];
  ++script.asked;
  ++asked_;
  const Counted counted(waiting_);
  const Duration delay = script.delay.value_or(delay_);
  const bool silent = script.silent || delay >= limit;
  const Duration wait = silent ? limit : delay;
  const auto slept = co_await coro::sleep(wait);
  if (!slept) {
    ++script.stopped;
    co_return postern::fail(slept.error().code, "looking up " + *plain);
  }
  if (silent) co_return postern::fail(Errc::timed_out, "looking up " + *plain);
  if (script.error) co_return postern::fail(*script.error, "looking up " + *plain);
  dns::Answer<Record> answer;
  answer.records = script.*member;
  answer.name_exists = script.exists;
  answer.ttl = ttl;
  co_return answer;
}

coro::Task<Result<dns::Answer<IpAddress>>> ScriptedResolver::a(std::string name) {
  return ask(std::move(name), &Name::a);
}

coro::Task<Result<dns::Answer<IpAddress>>> ScriptedResolver::aaaa(std::string name) {
  return ask(std::move(name), &Name::aaaa);
}

coro::Task<Result<dns::Answer<dns::Mx>>> ScriptedResolver::mx(std::string name) {
  return ask(std::move(name), &Name::mx);
}

coro::Task<Result<dns::Answer<std::string>>> ScriptedResolver::txt(std::string name) {
  return ask(std::move(name), &Name::txt);
}

coro::Task<Result<dns::Answer<std::string>>> ScriptedResolver::ptr(IpAddress address) {
  return ask(dns::pointer_name(address), &Name::ptr);
}

}  // namespace postern::testing
