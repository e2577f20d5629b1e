// The commands of a session: a table of what is allowed when, and a function for each.
#include <postern/base/text.hpp>
#include <postern/session/session.hpp>
#include <postern/smtp/domain.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/line.hpp>
#include <postern/smtp/replies.hpp>

#include <algorithm>

namespace postern::session {

namespace replies = smtp::replies;
using smtp::Verb;

namespace {

// However it is written, and whatever is wrong with it.
bool is_data(std::string_view line) { return iequals(line.substr(0, 4), "DATA"); }

// Its initial response may be long (RFC 4954 section 4).
bool is_auth(std::string_view line) { return istarts_with(line, "AUTH "); }

}  // namespace

// RFC 5321 section 4.1.4: the order of commands.
struct Session::Rule {
  Verb verb;
  std::uint8_t allowed;  // in these states; in others out_of_sequence() answers
  Step (Session::*act)(const smtp::Command&);
};

const Session::Rule Session::rules[] = {
    {Verb::helo, any_state, &Session::helo},
    {Verb::ehlo, any_state, &Session::helo},
    {Verb::mail, greeted, &Session::mail},
    {Verb::rcpt, mail_given | rcpt_given, &Session::rcpt},
    {Verb::data, rcpt_given, &Session::data},
    {Verb::bdat, any_state, &Session::bdat},
    {Verb::rset, any_state, &Session::rset},
    {Verb::noop, any_state, &Session::noop},
    {Verb::quit, any_state, &Session::quit},
    {Verb::help, any_state, &Session::help},
    {Verb::vrfy, any_state, &Session::vrfy},
    {Verb::expn, any_state, &Session::not_offered},
    {Verb::etrn, any_state, &Session::not_offered},
    {Verb::starttls, any_state, &Session::starttls},
    {Verb::auth, any_state, &Session::auth},
    {Verb::xclient, any_state, &Session::xclient},
    {Verb::xforward, any_state, &Session::xforward},
};

const Session::Rule* Session::rule_for(Verb verb) const {
  const auto* rule = std::find_if(std::begin(rules), std::end(rules),
                                  [&](const Rule& r) { return r.verb == verb; });
  return rule == std::end(rules) ? nullptr : rule;
}

smtp::Reply Session::out_of_sequence(Verb verb) const {
  if (state_ == fresh) return replies::helo_first();
  if (verb == Verb::mail) return replies::nested_mail();
  if (state_ == greeted) return replies::mail_first();
  if (state_ == chunks_given) return replies::bad_sequence();
  const bool all_refused = !transaction_->heard.empty();
  return all_refused ? replies::no_valid_recipients() : replies::rcpt_first();
}

// Takes the next command from what has arrived.
Session::Step Session::step() {
  if (skip_unwanted()) return Step::wait_for_input;
  const std::string_view input = stream_->input();
  const auto line =
      smtp::take_line(input, is_auth(input) ? smtp::limits::auth_line_octets
                                            : smtp::limits::extended_command_line_octets);
  if (line.state == smtp::Line::State::need_more) {
    unsolicited_ = unsolicited_ && !input.empty();
    if (draining_ && !transaction_) close(Ending::shutdown, replies::shutting_down());
    return closing_ ? Step::next : Step::wait_for_input;
  }
  Step next = Step::next;
  if (line.state == smtp::Line::State::too_long) {
    close(Ending::errors,
          is_auth(input) ? replies::authentication_too_long() : replies::line_too_long());
  } else if (line.bare_lf && services_.settings.bare_newline == smtp::BareNewline::reject) {
    next = refuse_command(replies::syntax_error());
    expect_unsolicited(line.consumed);
  } else if (put_off() && state_ == greeted && istarts_with(line.text, "MAIL")) {
    return Step::judge_late;
  } else {
    hearing_->at_command(line.consumed);
    next = take_command(line.text);
    const bool chunked = transaction_ && transaction_->chunk;
    hearing_->at_command(chunked ? std::string_view::npos : 0);
    if (is_data(line.text) && next == Step::next) expect_unsolicited(line.consumed);
  }
  stream_->consume(line.consumed);
  return next;
}

// `line` is a view into the input: nothing of it is kept.
Session::Step Session::take_command(std::string_view line) {
  if (smtp::looks_like_another_protocol(line)) {
    close(Ending::errors, replies::not_smtp());
    return Step::next;
  }
  const auto command = smtp::parse_command(line);
  if (!command) return refuse_command(replies::syntax_error());
  const bool long_form =
      command->verb == Verb::mail || command->verb == Verb::rcpt || command->verb == Verb::auth;
  if (!long_form && line.size() + 2 > smtp::limits::command_line_octets)
    return refuse_command(replies::line_too_long());
  const Rule* rule = rule_for(command->verb);
  if (!rule) return refuse_unrecognized(*command);
  if (rule->allowed & state_) return (this->*rule->act)(*command);
  return refuse_command(out_of_sequence(command->verb));
}

// What follows a refused DATA at once is the message, not commands. A line that ended in LF may
// have been one, whatever it was.
void Session::expect_unsolicited(std::size_t consumed) {
  if (stream_->input().size() > consumed) unsolicited_ = true;
}

Session::Step Session::refuse_command(const smtp::Reply& refusal) {
  if (++errors_ >= services_.settings.errors)
    close(Ending::errors, replies::too_many_errors());
  else
    reply(refusal);
  return Step::next;
}

Session::Step Session::helo(const smtp::Command& command) {
  auto host = smtp::parse_helo_name(command.argument);
  if (!host) return refuse_command(replies::bad_helo_name());
  end_transaction("reset");  // RFC 5321 section 4.1.4: as RSET
  client_.helo = std::move(*host);
  client_.esmtp = command.verb == Verb::ehlo;
  after_ = [](Session& session) { return session.answer_helo(); };
  if (peer_ && greeted_by_peer(client_.esmtp)) return answer_helo();
  return hearing_->greet(client_.helo, client_.esmtp) ? answer_helo() : Step::wait_for_plugins;
}

Session::Step Session::answer_helo() {
  const auto& refusal = hearing_->refusal();
  if (refusal && !put_off()) {
    tell_rejected(plugin::Hook::helo, refusal->reply, refusal->by, {}, refusal->closes);
    state_ = fresh;
    if (refusal->closes)
      close(Ending::refused, refusal->reply);
    else
      reply(refusal->reply);
    return Step::next;
  }
  offered_ = extended() ? offers() : smtp::Capabilities{};
  if (!put_off())
    for (const std::string& keyword : hearing_->hello()->withheld())
      smtp::withhold(offered_, keyword);
  state_ = greeted;
  reply(extended() ? smtp::ehlo_reply(services_.settings.hostname, offered_)
                   : smtp::Reply(250, services_.settings.hostname));
  return Step::next;
}

Session::Step Session::rset(const smtp::Command&) {
  end_transaction("reset");
  reply(replies::ok());
  return Step::next;
}

// False: a plugin has refused it, and the client has heard so.
bool Session::ask_plugins(plugin::Hook hook, const smtp::Command& command) {
  if (services_.lineup.empty(hook)) return true;
  plugin::Command asked(hearing_->session(), command);
  hearing_->command(hook, asked);
  const auto& refusal = hearing_->refusal();
  if (!refusal) return true;
  tell_rejected(hook, refusal->reply, refusal->by, {}, refusal->closes);
  if (refusal->closes)
    close(Ending::refused, refusal->reply);
  else
    reply(refusal->reply);
  return false;
}

Session::Step Session::answer(plugin::Hook hook, const smtp::Command& command,
                              const smtp::Reply& otherwise) {
  if (!ask_plugins(hook, command)) return Step::next;
  plugin::Command asked(hearing_->session(), command);
  reply(hearing_->answer(hook, asked).value_or(otherwise));
  return Step::next;
}

Session::Step Session::refuse_unrecognized(const smtp::Command& command) {
  if (!ask_plugins(plugin::Hook::unrecognized, command)) return Step::next;
  plugin::Command asked(hearing_->session(), command);
  if (auto answer = hearing_->answer(plugin::Hook::unrecognized, asked))
    return refuse_command(*answer);
  return refuse_command(replies::unrecognized());
}

Session::Step Session::noop(const smtp::Command& command) {
  return answer(plugin::Hook::noop, command, replies::ok());
}

Session::Step Session::quit(const smtp::Command& command) {
  if (!ask_plugins(plugin::Hook::quit, command)) return Step::next;
  plugin::Command asked(hearing_->session(), command);
  close(Ending::quit, hearing_->answer(plugin::Hook::quit, asked).value_or(replies::bye()));
  return Step::next;
}

Session::Step Session::help(const smtp::Command& command) {
  return answer(plugin::Hook::help, command, replies::help());
}

Session::Step Session::vrfy(const smtp::Command& command) {
  if (command.argument.empty()) return refuse_command(replies::bad_argument());
  return answer(plugin::Hook::vrfy, command, replies::cannot_verify());
}

Session::Step Session::not_offered(const smtp::Command&) {
  return refuse_command(replies::not_implemented());
}

// The octets it announces are no commands, taken or not (RFC 3030 section 4.2); where their number
// is not known nothing that follows can be trusted.
Session::Step Session::bdat(const smtp::Command& command) {
  const auto chunk = smtp::parse_bdat(command.argument);
  if (!chunk) {
    const bool huge = chunk.error().code == Errc::too_long;
    close(Ending::errors, huge ? replies::message_too_big() : replies::bad_argument());
    return Step::next;
  }
  std::optional<smtp::Reply> refusal;
  if (!offered_.chunking)
    refusal = replies::not_implemented();
  else if (!(state_ & (rcpt_given | chunks_given)))
    refusal = out_of_sequence(Verb::bdat);
  if (refusal) {
    unwanted_ = smtp::ChunkCounter(*chunk);
    return refuse_command(*refusal);
  }
  transaction_->chunk = *chunk;
  if (state_ == chunks_given) return Step::receive_chunk;
  after_ = [](Session& session) { return session.answer_data(); };
  hearing_->at_command(std::string_view::npos);  // what follows has been announced
  return hearing_->data(*transaction_) ? answer_data() : Step::wait_for_plugins;
}

// True: there are more octets to throw away than have arrived.
bool Session::skip_unwanted() {
  if (unwanted_.complete()) return false;
  stream_->consume(unwanted_.take(stream_->input()).size());
  return !unwanted_.complete();
}

}  // namespace postern::session
