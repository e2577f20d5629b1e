// Names for the real resolver: a server on loopback that answers by a list.
#pragma once

#include "fixture.hpp"
#include "support/dns_stub.hpp"

namespace postern::conformance {

class StubNames final : public Names {
 public:
  explicit StubNames(net::Loop& loop);
  SocketAddress address() const { return stub_.address(); }

  void add_a(const std::string& name, const std::string& address) override;
  void add_aaaa(const std::string& name, const std::string& address) override;
  void add_mx(const std::string& name, std::uint16_t preference, const std::string& host) override;
  void add_txt(const std::string& name, const std::string& text) override;
  void add_ptr(const std::string& address, const std::string& host) override;
  void silence(const std::string& name) override { names_[name].silent = true; }
  void break_servers_of(const std::string& name) override { names_[name].broken = true; }
  std::size_t asked(const std::string& name) const override;

 private:
  struct Record {
    std::uint16_t type;
    std::string data;
  };
  struct Name {
    std::vector<Record> records;
    bool silent = false;
    bool broken = false;
    std::size_t asked = 0;
  };
  std::vector<testing::DnsResponse> respond(const testing::DnsQuery& query);

  std::map<std::string, Name> names_;
  testing::DnsStub stub_;
};

}  // namespace postern::conformance
