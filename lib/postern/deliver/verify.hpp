// Whether a downstream knows a recipient: asked with MAIL, RCPT and RSET on a connection of its
// pool, before mail for him takes one. Answers are remembered, equal questions are joined, and
// there are only so many probes: a dictionary attack is answered here. Source: docs/adr/0006.
#pragma once

#include <postern/coro/event.hpp>
#include <postern/coro/scope.hpp>
#include <postern/coro/slots.hpp>
#include <postern/deliver/answer_cache.hpp>
#include <postern/deliver/pool.hpp>
#include <postern/smtp/path.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace postern::deliver {

// What became of verifying, as a status command shows it.
struct VerifyState {
  std::uint64_t asked = 0;             // questions of sessions
  std::uint64_t probes = 0;            // that went to the downstream
  std::uint64_t joined = 0;            // that waited for the same probe
  std::uint64_t refused = 0;           // recipients
  std::uint64_t beyond = 0;            // questions for which there was no probe left
  std::size_t known = 0, unknown = 0;  // recipients remembered
};

class Verifier {
 public:
  Verifier(coro::Scheduler& scheduler, Pool& pool, VerifySettings settings);

  struct Answer {
    Answer() = default;
    Answer(smtp::Reply reply, std::string_view who) : refusal(std::move(reply)), by(who) {}
    std::optional<smtp::Reply> refusal;  // nothing: the ordinary way tells
    std::string_view by;                 // who refuses, for the record
  };
  coro::Task<Answer> ask(smtp::Path path);
  // What the downstream answered to the same in a transaction.
  void learn(const smtp::Path& path, const smtp::Reply& reply);

  VerifyState state() const;
  coro::Task<void> close();

 private:
  enum class Finding : std::uint8_t { undecided, known, unknown };
  struct Outcome {
    Finding finding = Finding::undecided;
    std::optional<smtp::Reply> refusal;  // of an unknown one
  };
  struct Question {
    coro::Event answered;
    Outcome outcome;
    bool beyond = false;  // it never came to a probe
  };
  using QuestionPtr = std::shared_ptr<Question>;
  class Settled;
  struct Domain {
    bool takes_all = false;       // also a recipient that cannot exist
    bool refuses_nobody = false;  // refuses him
    bool takes_some = false;      // took somebody from the first of our senders
  };

  coro::Task<void> run(QuestionPtr question, smtp::Path path, std::string key);
  coro::Task<Outcome> probe(smtp::Path path);
  coro::Task<Outcome> try_senders(Lease& lease, smtp::Path path);
  coro::Task<Result<Outcome>> try_sender(Connection& connection, std::string sender,
                                         smtp::Path path);
  coro::Task<Result<Finding>> compare(Connection& connection, std::string where, Finding found);
  Answer answer(const Question& question);
  bool take_token();
  Domain domain(const std::string& name) const;
  void keep(const std::string& key, const Outcome& outcome);
  coro::TimePoint now() const { return scope_.context().scheduler().now(); }

  Pool& pool_;
  VerifySettings settings_;
  coro::Slots slots_;
  double tokens_;
  coro::TimePoint filled_;
  AnswerCache<bool> known_;
  AnswerCache<smtp::Reply> unknown_;
  AnswerCache<Domain> domains_;
  std::map<std::string, QuestionPtr> questions_;  // in flight
  VerifyState counts_;
  coro::Scope scope_;  // the probes: they belong to nobody's session
};

// Whether a refusal of RCPT says that there is no such recipient, and not that we, the sender or
// the moment are not right.
bool speaks_of_recipient(const smtp::Reply& reply);

}  // namespace postern::deliver
