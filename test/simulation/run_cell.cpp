#include "run_cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "matrix_client.hpp"
#include "support/world.hpp"

namespace postern::simulation {
namespace {

using namespace std::chrono_literals;
using test::World;

testing::LinkOptions draw_link(testing::Random& dice, Size size) {
  testing::LinkOptions link;
  link.latency = dice.between({}, 40ms);
  const bool crumbs = size == Size::memory && dice.below(12) == 0;
  if (crumbs)
    link.pieces = testing::Pieces::single;
  else if (dice.coin())
    link.pieces = testing::Pieces::random;
  link.window = size == Size::file ? 16 * 1024 : 256 * 1024;
  return link;
}

// `content` behind exactly one trace field: nothing when it is not so.
std::optional<std::string> without_trace(const std::string& received) {
  if (received.rfind("Received: from ", 0) != 0) return {};
  std::size_t end = 0;
  do {
    end = received.find("\r\n", end);
    if (end == std::string::npos) return {};
    end += 2;
  } while (end < received.size() && (received[end] == ' ' || received[end] == '\t'));
  return received.substr(end);
}

// What stands behind 354 is only too early when it comes together with it.
testing::LinkOptions downstream_link(testing::Random& dice, const Cell& cell) {
  testing::LinkOptions link = draw_link(dice, cell.size);
  if (cell.trouble.kind && std::string_view(cell.trouble.kind->octets).starts_with("354 go on"))
    link.pieces = testing::Pieces::whole;
  // Octet by octet, what has no end takes all the time there is.
  const bool endless =
      cell.trouble.kind && (cell.trouble.kind->how == testing::Fault::Kind::endless_line ||
                            cell.trouble.kind->how == testing::Fault::Kind::endless_reply);
  if (endless) link.pieces = testing::Pieces::random;
  return link;
}

class Run {
 public:
  explicit Run(const Cell& cell)
      : cell_(cell), dice_(cell.seed), world_(cell.seed, downstream_link(dice_, cell)) {
    prepare();
  }

  Outcome run();

 private:
  void prepare();
  void complain(std::string what) { outcome_.complaints.push_back(std::move(what)); }
  void same(std::string_view what, const std::string& got, const std::string& wanted) {
    if (got != wanted)
      complain(fmt::format("{}: heard \"{}\", expected \"{}\"", what, got, wanted));
  }
  void compare_replies(const Told& told, const Expected& wanted, bool envelope);
  void compare_records(std::size_t message, const Expected& wanted);
  void compare_ledger(std::size_t message);
  void compare_delivery(std::size_t message, const testing::Delivery& delivery);
  std::string recorded(std::size_t message) const;  // the outcome; "" when there is no record
  bool only_half_closed_after_all() const {
    return cell_.leaving.action == Action::half_closes && cell_.leaving.step == Step::end_of_data;
  }

  const Cell& cell_;
  testing::Random dice_;
  World world_;
  Outcome outcome_;
  const MatrixClient* client_ = nullptr;
};

void Run::prepare() {
  auto& downstream = world_.downstream;
  auto& capabilities = downstream.settings().capabilities;
  if (!cell_.downstream_pipelines) std::erase(capabilities, "PIPELINING");
  capabilities.push_back("XFORWARD NAME ADDR PROTO HELO SOURCE PORT");
  capabilities.push_back("XCLIENT NAME ADDR PROTO HELO PORT DESTADDR DESTPORT");
  downstream.settings().proxy =
      cell_.identity == Identity::proxy_v1 || cell_.identity == Identity::proxy_v2;
  if (dice_.coin()) downstream.settings().think = dice_.between({}, 50ms);
  world_.listen();
  const Trouble& trouble = cell_.trouble;
  if (trouble.connect == Errc::timed_out) {
    world_.network.silence(World::first);
  } else if (trouble.connect) {
    world_.network.fail(World::first, *trouble.connect);
  } else if (trouble.kind) {
    testing::Fault fault{trouble.phase, trouble.kind->how, trouble.kind->octets};
    fault.nth = trouble.nth;
    fault.once = trouble.once;
    fault.after = dice_.below(500);
    downstream.fail(std::move(fault));
  }
  world_.pool.identity = cell_.identity;
  world_.settings.memory_octets = 1024;
  if (cell_.size == Size::memory) world_.settings.memory_octets = 256 * 1024;
  world_.forward();
}

Outcome Run::run() {
  const testing::LinkOptions link = draw_link(dice_, cell_.size);
  MatrixClient client(cell_, world_.connect(link));
  client_ = &client;
  try {
    world_.sim.run(client.talk());
    const bool reads_no_more = cell_.trouble.phase == Phase::body && cell_.trouble.kind &&
                               cell_.trouble.kind->how == testing::Fault::Kind::hang;
    const std::string left = world_.end(reads_no_more ? world_.network.served() : 0);
    if (!left.empty()) complain("left behind: " + left);
  } catch (const std::exception& error) {
    complain(error.what());
  }
  const Expected wanted = expected(cell_);
  if (cell_.leaving.action == Action::stays) {
    compare_replies(client.told(0), wanted, true);
    if (cell_.trouble.once) compare_replies(client.told(1), expected(Cell{}), true);
  } else if (only_half_closed_after_all() && client.told(0).sent_all) {
    compare_replies(client.told(0), wanted, false);
  }
  for (std::size_t message = 0; message < MatrixClient::messages; ++message)
    compare_ledger(message);
  compare_records(0, wanted);
  outcome_.dialogue = client.transcript();
  for (const std::string& line : world_.log.lines) outcome_.dialogue += "L: " + line + "\n";
  for (const std::string& line : world_.log.records) outcome_.dialogue += "R: " + line + "\n";
  for (const auto& session : world_.downstream.sessions()) {
    outcome_.dialogue += "D: (connected)\n";
    for (const std::string& line : session.commands) outcome_.dialogue += "D: " + line + "\n";
  }
  return std::move(outcome_);
}

// The matrix of faults: code and enhanced code at each step.
void Run::compare_replies(const Told& told, const Expected& wanted, bool envelope) {
  if (envelope) {
    same("MAIL", told.mail, "250 2.1.0");
    for (std::size_t i = 0; i < recipients.size(); ++i)
      same(fmt::format("RCPT {}", i + 1), told.rcpt[i], wanted.rcpt[i]);
    same("DATA", told.data, wanted.data);
  }
  same("end of data", told.final, wanted.final);
}

std::string Run::recorded(std::size_t message) const {
  const std::string mark = fmt::format("\"id\":\"s1.{}\"", message + 1);
  for (const std::string& record : world_.log.records) {
    if (record.find(mark) == std::string::npos) continue;
    constexpr std::string_view key = "\"outcome\":\"";
    const auto at = record.find(key);
    if (at == std::string::npos) return "?";
    const auto begin = at + key.size();
    return record.substr(begin, record.find('"', begin) - begin);
  }
  return "";
}

// `uncertain` exactly when the end of data went out whole and no answer came.
void Run::compare_records(std::size_t message, const Expected& wanted) {
  const bool uncertain = recorded(message) == "uncertain";
  const Told& told = client_->told(message);
  const bool must = wanted.uncertain && told.final == wanted.final;
  if (must && !uncertain) complain("not recorded as uncertain");
  if (uncertain && !wanted.uncertain && !wanted.may_be_uncertain) complain("recorded as uncertain");
}

void Run::compare_delivery(std::size_t message, const testing::Delivery& delivery) {
  const Told& told = client_->told(message);
  std::vector<std::string> accepted;
  for (std::size_t i = 0; i < recipients.size(); ++i)
    if (!told.rcpt[i].empty() && told.rcpt[i].front() == '2')
      accepted.push_back("<" + recipients[i] + ">");
  // A client that has gone may not have heard of all.
  const bool heard_all = !told.data.empty();
  if (heard_all && accepted != delivery.forward_paths)
    complain(fmt::format("message {}: {} recipients were told 250, {} delivered to", message,
                         accepted.size(), delivery.forward_paths.size()));
  const auto body = without_trace(delivery.content);
  if (!body || *body != content(cell_, message))
    complain(
        fmt::format("message {}: other octets were delivered:\n{}", message, delivery.content));
}

void Run::compare_ledger(std::size_t message) {
  const Told& told = client_->told(message);
  const std::string path = "<" + reverse_path(message) + ">";
  std::size_t complete = 0, promised = 0;
  bool unanswered = false;
  for (const testing::Delivery& delivery : world_.downstream.ledger()) {
    if (delivery.reverse_path != path || !delivery.complete) continue;
    ++complete;
    const std::string codes = delivery.reply;
    const bool well_formed = codes.size() > 5 && codes.substr(codes.size() - 2) == "\r\n";
    const bool refused = well_formed && (codes[0] == '4' || codes[0] == '5');
    if (delivery.promised() && well_formed)
      ++promised;
    else if (!refused)
      unanswered = true;
    compare_delivery(message, delivery);
  }
  const std::string record = recorded(message);
  const bool positive = !told.final.empty() && told.final.front() == '2';
  if (complete > 1) complain(fmt::format("message {}: delivered {} times", message, complete));
  if (complete > 0 && !told.sent_all) complain("a message came whole that was not sent whole");
  if (positive && promised != 1)
    complain(fmt::format("message {}: 250 without a promise", message));
  if (!told.final.empty() && !positive && promised > 0 && record != "uncertain")
    complain(fmt::format("message {}: refused, and delivered", message));
  if (unanswered && record != "uncertain")
    complain(
        fmt::format("message {}: not known to be delivered, recorded as \"{}\"", message, record));
  if ((record == "accepted") != (promised == 1 && record != "uncertain"))
    complain(
        fmt::format("message {}: recorded as \"{}\" with {} promises", message, record, promised));
}

}  // namespace

Outcome run(const Cell& cell) { return Run(cell).run(); }

}  // namespace postern::simulation
