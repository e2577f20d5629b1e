#include <postern/testing/harness.hpp>

namespace postern::testing {

void HarnessClient::connect(std::string_view address, LinkOptions link) {
  const auto from = IpAddress::parse(address);
  if (!from) throw std::invalid_argument("not an address: " + std::string(address));
  greeted_ = in_transaction_ = false;
  client_ = std::make_unique<ScriptedClient>(harness_.connect_from(*from, link));
}

WireReply HarnessClient::reply() {
  auto got = harness_.sim.run(client_->reply());
  if (got) return std::move(*got);
  return {0, {got.error().describe()}};
}

WireReply HarnessClient::command(std::string_view line) {
  send(std::string(line) + "\r\n");
  return reply();
}

WireReply HarnessClient::recipient(std::string_view forward_path, std::string_view reverse_path) {
  if (!greeted_) {
    const WireReply hello = command("EHLO client.example");
    if (hello.code != 250) return hello;
    greeted_ = true;
  }
  if (!in_transaction_) {
    const WireReply mail = command("MAIL FROM:<" + std::string(reverse_path) + ">");
    if (mail.code != 250) return mail;
    in_transaction_ = true;
  }
  return command("RCPT TO:<" + std::string(forward_path) + ">");
}

WireReply HarnessClient::message(std::string_view content) {
  const WireReply data = command("DATA");
  in_transaction_ = false;
  if (data.code != 354) return data;
  send(stuff(content));
  return reply();
}

void HarnessClient::send(std::string_view octets) { client_->send(octets); }

void HarnessClient::reset() {
  client_->reset();
  client_.reset();
}

std::vector<WireReply> HarnessClient::rest() {
  std::vector<WireReply> replies;
  while (true) {
    WireReply next = reply();
    if (next.code == 0) return replies;
    replies.push_back(std::move(next));
  }
}

}  // namespace postern::testing
