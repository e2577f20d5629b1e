// The DNS of the simulation: names that a test wrote down, in virtual time. Everything else does
// not exist (NXDOMAIN).
//
//   ScriptedResolver dns(sim);
//   dns.add_a("2.0.0.127.bl.example", "127.0.0.2");
//   dns.silence("2.0.0.127.slow.example");
//   CHECK(dns.asked("2.0.0.127.bl.example") == 1);
//   CHECK(dns.cancelled("2.0.0.127.slow.example"));
//
// An address's PTR records stand under its name in in-addr.arpa or ip6.arpa (dns::pointer_name).
#pragma once

#include <postern/dns/resolver.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include <map>
#include <optional>
#include <string_view>

namespace postern::testing {

class ScriptedResolver final : public dns::Resolver {
 public:
  // After so long a lookup without answer has timed out.
  static constexpr Duration limit = std::chrono::seconds(5);
  static constexpr std::chrono::seconds ttl{300};  // of every answer

  explicit ScriptedResolver(SimScheduler& sim) : sim_(sim) {}

  // Records; several of one name add up, in this order (MX: in the order of preference). What is no
  // name or address throws std::invalid_argument.
  void add_a(std::string_view name, std::string_view address);
  void add_aaaa(std::string_view name, std::string_view address);
  void add_mx(std::string_view name, std::uint16_t preference, std::string_view host);
  void add_txt(std::string_view name, std::string_view text);
  void add_ptr(std::string_view address, std::string_view host);
  // The name exists and has nothing.
  void add_empty(std::string_view name) { at(name).exists = true; }

  // From now on it never answers, or fails with `why` after its delay, whatever is asked.
  void silence(std::string_view name) { at(name).silent = true; }
  void fail(std::string_view name, Errc why) { at(name).error = why; }
  // It does again what its records say.
  void heal(std::string_view name);
  // Answers take so long (at first: no time, but another turn). A delay over `limit` is silence.
  void delay(std::string_view name, Duration delay) { at(name).delay = delay; }
  void delay_all(Duration delay) { delay_ = delay; }

  std::size_t asked(std::string_view name) const;   // lookups of it, of any type
  std::size_t asked() const { return asked_; }      // of all names
  std::size_t waiting() const { return waiting_; }  // lookups under way
  bool cancelled(std::string_view name) const;      // some were made, and all of them stopped

  coro::Task<Result<dns::Answer<IpAddress>>> a(std::string name) override;
  coro::Task<Result<dns::Answer<IpAddress>>> aaaa(std::string name) override;
  coro::Task<Result<dns::Answer<dns::Mx>>> mx(std::string name) override;
  coro::Task<Result<dns::Answer<std::string>>> txt(std::string name) override;
  coro::Task<Result<dns::Answer<std::string>>> ptr(IpAddress address) override;

 private:
  struct Name {
    bool exists = false;
    std::vector<IpAddress> a;
    std::vector<IpAddress> aaaa;
    std::vector<dns::Mx> mx;
    std::vector<std::string> txt;
    std::vector<std::string> ptr;
    bool silent = false;
    std::optional<Errc> error;
    std::optional<Duration> delay;
    std::size_t asked = 0;
    std::size_t stopped = 0;
  };

  Name& at(std::string_view name);
  Name& having(std::string_view name);
  const Name* find(std::string_view name) const;
  template <typename Record>
  coro::Task<Result<dns::Answer<Record>>> ask(std::string name, std::vector<Record> Name::*member);

  SimScheduler& sim_;
  std::map<std::string, Name, std::less<>> names_;  // nodes stay where they are
  Duration delay_{0};
  std::size_t asked_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace postern::testing
