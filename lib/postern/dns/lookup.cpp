#include <postern/dns/lookup.hpp>

#include <fmt/format.h>

namespace postern::dns {

Lookup::Lookup(LookupOwner& owner, Exchange& exchange, Question question, std::size_t tries,
               std::size_t first)
    : owner_(owner),
      exchange_(exchange),
      question_(std::move(question)),
      server_(first),
      tries_left_(tries * exchange.servers()),
      servers_left_(exchange.servers()) {}

void Lookup::ask() {
  owner_.sent();
  exchange_.ask(question_, server_, transport_, *this);
}

void Lookup::answered(Octets message) {
  auto reply = read_reply(message, question_);
  if (reply && reply->truncated) {
    if (transport_ != Transport::udp)
      return ask_next_server(Error(Errc::malformed, "truncated by TCP"));
    transport_ = Transport::tcp;
    return ask();  // of the same try
  }
  if (reply) return end(std::move(reply->answer));
  // c-ares asks without EDNS from now on, but not again for every question that was under way.
  if (reply.error().code == Errc::unsupported)
    return failed(Error(Errc::servfail, reply.error().text));
  ask_next_server(reply.error());
}

// The server is there, and its answer is of no use: another may know more, the same will not.
void Lookup::ask_next_server(const Error& error) {
  --tries_left_;
  if (--servers_left_ == 0 || tries_left_ == 0) return end(fail(error));
  server_ = (server_ + 1) % exchange_.servers();
  ask();
}

// A loss: of a packet, a connection, a server.
void Lookup::failed(const Error& error) {
  if (error.code == Errc::cancelled || --tries_left_ == 0)
    return end(fail(error.code, fmt::format("{}: {}", question_.text(), error.text)));
  if (transport_ != Transport::udp) transport_ = Transport::tcp_alone;
  if (error.code != Errc::servfail) owner_.server_failed(server_);
  server_ = (server_ + 1) % exchange_.servers();
  ask();
}

void Lookup::end(Outcome outcome) {
  outcome_ = std::make_shared<const Outcome>(std::move(outcome));
  while (!waiters_.empty()) waiters_.pop_front().resume_soon();
  owner_.looked_up(*this, outcome_);
}

}  // namespace postern::dns
