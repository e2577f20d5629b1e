// Decision records: one JSON line for each transaction and each session.
#include <postern/base/json.hpp>
#include <postern/base/timestamp.hpp>
#include <postern/facts/client_name.hpp>
#include <postern/mail/encoded_word.hpp>
#include <postern/mail/trace.hpp>
#include <postern/session/session.hpp>

#include <chrono>

namespace postern::session {
namespace {

std::int64_t microseconds(coro::Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

void add_reply(json::Writer& record, const smtp::Reply& reply) {
  record.key("code").number(reply.code());
  const auto& enhanced = reply.enhanced();
  if (enhanced.present()) {
    std::string text = std::to_string(enhanced.cls);
    text.append(".").append(std::to_string(enhanced.subject));
    text.append(".").append(std::to_string(enhanced.detail));
    record.key("enhanced").string(text);
  }
  record.key("text").string(reply.text());
}

// Adds one to the count that an answer belongs to.
void count_reply(Counters& counters, const smtp::Reply& reply, Count accepted, Count deferred,
                 Count refused) {
  counters.add(reply.is_positive() ? accepted : reply.is_transient() ? deferred : refused);
}

void count(Counters& counters, const Transaction& transaction, const smtp::Reply* answer,
           std::string_view outcome) {
  counters.add(Count::transactions);
  for (const auto& each : transaction.heard)
    count_reply(counters, each.reply, Count::recipients_accepted, Count::recipients_deferred,
                Count::recipients_refused);
  counters.add(Count::recipients_refused, transaction.unlisted);
  if (!answer) return;
  count_reply(counters, *answer, Count::messages_accepted, Count::messages_deferred,
              Count::messages_refused);
  if (answer->is_positive()) counters.add(Count::message_octets, transaction.octets);
  if (outcome == "uncertain") counters.add(Count::messages_uncertain);
}

// What people look for a message by.
void add_header(json::Writer& record, const mail::HeaderSection& header) {
  constexpr std::size_t enough = 4096;  // octets, encoded: the writer cuts what is decoded
  if (const auto id = header.value("Message-ID")) record.key("message_id").string(*id);
  if (const auto from = header.value("From"))
    record.key("from").string(mail::display_text(std::string_view(*from).substr(0, enough)));
  if (const auto subject = header.value("Subject"))
    record.key("subject").string(mail::display_text(std::string_view(*subject).substr(0, enough)));
}

// What each was told after the end of data, and who told it.
void add_each(json::Writer& record, const Transaction& transaction) {
  record.begin_array("answers");
  for (std::size_t i = 0; i < transaction.outcomes.size(); ++i) {
    const Party& party = transaction.parties[i];
    record.begin().key("path").string(party.recipient->path().text);
    add_reply(record, transaction.outcomes[i].reply);
    record.key("by").string(transaction.outcomes[i].by);
    if (!party.refusal && !party.dropped && party.way && party.way->delivery)
      record.key("target").string(party.way->delivery->target());
    record.end();
  }
  record.end();
}

void add_protection(json::Writer& record, const deliver::Protection& protection) {
  record.begin("target_tls");
  if (protection.version.empty()) {
    record.key("none").string(protection.none);
  } else {
    record.key("version").string(protection.version).key("cipher").string(protection.cipher);
    record.key("verified").boolean(protection.verified);
    if (protection.resumed) record.key("resumed").boolean(true);
  }
  record.end();
}

}  // namespace

void Session::record_client(json::Writer& record) {
  if (client_.local.port == 0) client_.local = stream_->local();
  record.key("client").string(client_.remote.ip.text()).key("port").number(client_.remote.port);
  add_peer(record);
  record.key("local").string(client_.local.ip.text());
  record.key("local_port").number(client_.local.port);
  record.key("helo").string(client_.helo);
  add_tls(record);
  add_auth(record);
}

void Session::record_transaction(std::string_view outcome, const smtp::Reply* answer,
                                 std::string_view by) {
  const Transaction& transaction = *transaction_;
  std::string line;
  line.reserve(512 + 128 * transaction.heard.size());
  std::string time;
  append_timestamp(time, services_.scheduler.wall());
  json::Writer record(line);
  record.begin().key("time").string(time).key("event").string("transaction");
  record.key("id").string(transaction.id()).key("session").string(id_);
  record_client(record);
  record.key("protocol").string(protocol());
  record.key("reverse_path").string(transaction.reverse_path().text);
  if (!transaction.parameters().text.empty())
    record.key("parameters").string(transaction.parameters().text);
  record.begin_array("recipients");
  for (const auto& each : transaction.heard) {
    record.begin().key("path").string(each.path);
    add_reply(record, each.reply);
    record.key("by").string(each.by).end();
  }
  record.end();
  if (transaction.unlisted > 0) record.key("recipients_unlisted").number(transaction.unlisted);
  record.key("outcome").string(outcome);
  if (answer) {
    record.begin("reply");
    add_reply(record, *answer);
    record.key("by").string(by).end();
  }
  if (!transaction.answers.empty()) {
    record.begin_array("answers");
    for (std::size_t i = 0; i < transaction.answers.size(); ++i) {
      record.begin().key("path").string(transaction.envelope().recipients[i].path.text);
      add_reply(record, transaction.answers[i]);
      record.end();
    }
    record.end();
  }
  if (!transaction.outcomes.empty()) add_each(record, transaction);
  if (transaction.octets > 0) record.key("octets").number(transaction.octets);
  if (transaction.header_seen) add_header(record, transaction.content->message.header());
  if (transaction.way.delivery) {
    record.key("target").string(transaction.way.delivery->target());
    if (const auto* protection = transaction.way.delivery->protection())
      add_protection(record, *protection);
  }
  if (transaction.handover > coro::Duration::zero())
    record.key("handover_us").number(microseconds(transaction.handover));
  hearing_->append_to(record, transaction);
  if (transaction.early_data) record.key("early_data").boolean(true);
  if (stream_->ended() && answer) record.key("client_gone").boolean(true);
  record.key("us").number(microseconds(services_.scheduler.now() - transaction.began)).end();
  services_.log.record(line);
  hearing_->notify(plugin::Hook::record, plugin::Recorded{line});
  count(services_.host.counters(), transaction, answer, outcome);
}

// RFC 3848.
std::string_view Session::protocol() const {
  mail::Trace trace;
  trace.extended = client_.esmtp;
  trace.tls = tls() != nullptr;
  trace.authenticated = hearing_->session().authenticated();
  return mail::with_protocol(trace);
}

void Session::add_auth(json::Writer& record) const {
  const plugin::Session& session = hearing_->session();
  if (!session.authenticated()) return;
  record.begin("auth").key("user").string(session.user());
  record.key("mechanism").string(session.auth_mechanism());
  const auto& attempts = hearing_->attempts();
  if (attempts && !attempts->by.empty()) record.key("by").string(attempts->by);
  record.end();
}

void Session::add_peer(json::Writer& record) const {
  if (stream_->remote() != client_.remote) record.key("via").string(stream_->remote().ip.text());
  if (peer_ && peer_->forwarding && peer_->forwarded &&
      !peer_->forwarded->ident.value_or("").empty())
    record.key("via_id").string(*peer_->forwarded->ident);
}

void Session::add_tls(json::Writer& record) const {
  const facts::Tls* known = tls();
  if (!known) return;
  record.begin("tls").key("version").string(known->version).key("cipher").string(known->cipher);
  if (!known->server_name.empty()) record.key("server_name").string(known->server_name);
  if (known->resumed) record.key("resumed").boolean(true);
  if (!known->fingerprint.empty()) {
    record.key("subject").string(known->subject).key("fingerprint").string(known->fingerprint);
    record.key("verified").boolean(known->verified);
  }
  record.end();
}

void Session::record_session() {
  if (was_health_check())
    return services_.log.debug("session {}: a look by {}", id_, stream_->remote().ip.text());
  std::string line;
  line.reserve(512);
  std::string time;
  append_timestamp(time, services_.scheduler.wall());
  json::Writer record(line);
  record.begin().key("time").string(time).key("event").string("session").key("id").string(id_);
  record_client(record);
  record.key("ending").string(name(ending_));
  record.key("transactions").number(transactions_).key("accepted").number(messages_);
  record.key("recipients_refused").number(refused_).key("errors").number(errors_);
  const auto& attempts = hearing_->attempts();
  if (attempts && attempts->refused > 0) record.key("auth_refused").number(attempts->refused);
  if (attempts && attempts->failed > 0) record.key("auth_failed").number(attempts->failed);
  hearing_->append_to(record);
  if (early_talker_) record.key("early_talker").boolean(true);
  record.key("us").number(microseconds(services_.scheduler.now() - began_)).end();
  services_.log.record(line);
  if (ending_ == Ending::refused) services_.host.counters().add(Count::sessions_refused);
  hearing_->notify(plugin::Hook::record, plugin::Recorded{line});
  hearing_->notify(plugin::Hook::disconnect,
                   plugin::Disconnected{id_, client_.remote.ip, client_.helo, name(ending_),
                                        transactions_, messages_, refused_, errors_});
}

// As far as it is known by now.
std::string Session::client_name() const {
  const auto* client = hearing_->session().facts().find<facts::ClientName>();
  return client ? client->name : std::string();
}

void Session::tell_rejected(plugin::Hook hook, const smtp::Reply& reply, std::string_view by,
                            std::string_view recipient, bool closes) {
  if (services_.lineup.empty(plugin::Hook::rejected)) return;
  plugin::Rejected what;
  what.session = id_;
  what.client = client_.remote.ip;
  what.client_name = client_name();
  what.helo = client_.helo;
  if (transaction_) what.reverse_path = transaction_->reverse_path().text;
  what.recipient = recipient;
  if (!recipient.empty())
    what.recipients.emplace_back(recipient);
  else if (transaction_)
    for (const auto& each : transaction_->recipients())
      what.recipients.push_back(each->path().text);
  what.closes = closes;
  what.hook = hook;
  what.by = by;
  what.reply = reply;
  hearing_->notify(plugin::Hook::rejected, what);
}

void Session::tell_accepted(const Way& way) {
  if (services_.lineup.empty(plugin::Hook::accepted) || !way.handover) return;
  plugin::Accepted what;
  what.session = id_;
  what.transaction = transaction_->id();
  what.client = client_.remote.ip;
  what.client_name = client_name();
  what.helo = client_.helo;
  what.reverse_path = transaction_->reverse_path().text;
  if (transaction_->header_seen)
    what.message_id = transaction_->content->message.header().value("Message-ID").value_or("");
  const auto& recipients = way.envelope.recipients;
  for (std::size_t i = 0; i < recipients.size(); ++i)
    if (way.answer(i).is_positive()) what.recipients.push_back(recipients[i].path.text);
  if (what.recipients.empty()) return;
  what.octets = transaction_->octets;
  what.target = way.delivery->target();
  hearing_->notify(plugin::Hook::accepted, what);
}

}  // namespace postern::session
