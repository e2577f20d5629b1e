// A client that a test drives line by line: each call runs the simulation until its reply is there.
#pragma once

#include <postern/testing/memory_stream.hpp>
#include <postern/testing/scripted_client.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::testing {

class Harness;

class HarnessClient {
 public:
  explicit HarnessClient(Harness& harness) : harness_(harness) {}

  void connect(std::string_view address = "192.0.2.1", LinkOptions link = {});
  // The next reply. One that does not come has code 0, and its text says why.
  WireReply reply();
  WireReply greeting() { return reply(); }
  WireReply command(std::string_view line);  // CRLF is added
  // A whole transaction up to the reply to RCPT, behind EHLO if it was not said yet: that reply.
  WireReply recipient(std::string_view forward_path, std::string_view reverse_path = "a@b.example");
  // DATA, the content and its end; the reply to that, or to DATA when it was no 354.
  WireReply message(std::string_view content = "Subject: test\r\n\r\nhello\r\n");
  void send(std::string_view octets);
  void close() { client_.reset(); }
  void reset();
  // What the server still says until it closes; code 0 replies do not count.
  std::vector<WireReply> rest();
  bool connected() const { return client_ != nullptr; }
  std::string transcript() const { return client_ ? client_->transcript() : std::string(); }

 private:
  Harness& harness_;
  std::unique_ptr<ScriptedClient> client_;
  bool greeted_ = false;
  bool in_transaction_ = false;
};

}  // namespace postern::testing
