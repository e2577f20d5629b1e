// Certificates and ticket keys: the master reads the files, which only root may be allowed to, sees
// when they change, and gives all workers the same keys, so that a session resumes on any of them.
#include "master.hpp"

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto look_interval = 2s;
// A key that leaks opens the tickets of two such periods.
constexpr auto key_lifetime = 24h;

}  // namespace

void Master::hand_over_tls(const Generation& generation, Child& child) {
  if (!generation.certificates) return;
  if (!ticket_keys_) {
    ticket_keys_ = net::TicketKeys::make();
    ticket_keys_due_ = Clock::now() + key_lifetime;
  }
  TlsState state;
  state.ticket_keys = ticket_keys_->serialize();
  // Its bundle is as old as its generation.
  if (generation.certificates->ever_changed())
    state.pairs = tls_pairs(generation.certificates->pairs());
  child.send(state);
}

void Master::keep_tls(TimePoint now) {
  rotate_ticket_keys(now);
  if (!current_->certificates || now < certificates_due_) return;
  certificates_due_ = now + look_interval;
  const CertificateWatch::News news = current_->certificates->look();
  for (const std::string& complaint : news.complaints) log_->error("{}", complaint);
  if (!news.changed) return;
  log_->notice("certificates have changed: new sessions have the new ones");
  TlsState state;
  state.pairs = tls_pairs(current_->certificates->pairs());
  for (const auto& child : children_)
    if (child->generation() == current_->number) child->send(state);
}

// Workers of older generations drain; their tickets, too, resume with the others.
void Master::rotate_ticket_keys(TimePoint now) {
  if (now < ticket_keys_due_) return;
  ticket_keys_->rotate();
  ticket_keys_due_ = now + key_lifetime;
  TlsState state;
  state.ticket_keys = ticket_keys_->serialize();
  for (const auto& child : children_) child->send(state);
}

}  // namespace postern::daemon
