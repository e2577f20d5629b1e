// One mail transaction: from MAIL to the reply to the end of data, RSET, or the end of the session.
#pragma once

#include <postern/coro/scheduler.hpp>
#include <postern/deliver/route.hpp>
#include <postern/plugin/views.hpp>
#include <postern/session/party.hpp>
#include <postern/session/settings.hpp>
#include <postern/smtp/bdat.hpp>
#include <postern/smtp/dot_codec.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::session {

// Who decided what a recipient or a message heard, where it was no plugin.
inline constexpr std::string_view by_core = "core";
inline constexpr std::string_view by_downstream = "downstream";

// A way that recipients of a transaction go: all of them the same, but where each gets a reply.
struct Way {
  explicit Way(deliver::Envelope& whole) : envelope(whole) {}

  // The answer to its recipient `index`, once it has been handed over.
  const smtp::Reply& answer(std::size_t index) const;

  deliver::Envelope& envelope;
  deliver::Route* route = nullptr;
  std::unique_ptr<deliver::Delivery>
      delivery;          // from the first recipient that passed our own checks
  bool rebuild = false;  // the downstream has heard recipients that are not wanted
  std::vector<deliver::Recipient> wanted;     // who is to get it, while that is found out
  std::optional<deliver::Handover> handover;  // what it came to; nothing: it has not begun
  std::string_view by = by_downstream;        // who said so
};

struct Transaction final : plugin::Transaction {
  // What one RCPT heard, for the record.
  struct Heard {
    std::string path;
    smtp::Reply reply;
    std::string_view by;  // a plugin's instance, "core:…", "downstream"
  };
  static constexpr std::size_t most_heard =
      200;  // a dictionary attack is counted beyond, not listed

  Transaction(plugin::Hello& hello, const deliver::Client& client)
      : plugin::Transaction(hello, client) {}

  void hear(std::string path, const smtp::Reply& reply, std::string_view by);
  // The answer to the same forward-path before; null when it is new, or was refused.
  const smtp::Reply* accepted_before(std::string_view path) const;
  // A recipient that plugins and the downstream are going to be asked about.
  void ask_about(deliver::Recipient received);
  // He is in, or was and is named once more.
  void count_reply_due(std::string_view path);
  // By PRDR, where there is more than one.
  bool wants_each() const { return replies_due.size() > 1; }
  Way& add_way(deliver::Route& route);
  std::vector<Way*> ways();
  // Some of them have the message, and others do not.
  bool partly_taken() const;
  // Its content has no lines but those of its header section.
  bool is_binary() const { return parameters().body == smtp::Body::binary_mime; }
  // He is not in. Returns his path.
  std::string drop_last();

  // The message, from DATA on; plugins may read it for as long as the transaction has tasks.
  struct Content {
    Content(Transaction& transaction, net::Files& files, const Settings& settings,
            smtp::Framing framing)
        : spool(files, settings.spool_directory, settings.memory_octets),
          message(transaction, spool),
          decoder(settings.bare_newline, settings.message_octets, framing) {}

    // Takes what of `input` belongs to the message; returns how much that is.
    std::size_t take(std::string_view input);
    void finish();  // the last chunk is whole
    // What is at hand is whole: the message, or this chunk of it.
    bool whole() const { return decoder.done() || chunk.complete(); }

    deliver::Spool spool;
    plugin::Message message;
    smtp::BodyDecoder decoder;
    smtp::ChunkCounter chunk = smtp::ChunkCounter::endless();
    Result<void> spooled;
    std::size_t searched = 0;       // for the end of the header section
    bool looked_at_header = false;  // once, also when it breaks a limit
  };
  std::optional<Content> content;
  std::optional<smtp::Bdat> chunk;  // the last that was announced; none: it comes by DATA
  bool header_seen = false;         // its hook has been run

  std::optional<std::uint64_t> split;  // what its recipients wanted the last time
  Way way{envelope()};
  struct OtherWay {
    explicit OtherWay(const deliver::Client& client) : envelope(client) {}
    deliver::Envelope envelope;
    Way way{envelope};
  };
  std::vector<std::unique_ptr<OtherWay>> other_ways;  // by PRDR
  std::vector<std::size_t> replies_due;  // by PRDR: the party that each accepted RCPT named
  struct Told {
    smtp::Reply reply;
    std::string_view by;
  };
  std::vector<Told> outcomes;        // by PRDR: of each party, from the last decision on
  std::vector<std::string> have_it;  // recipients who are left out: they got it the last time
  std::vector<smtp::Reply> answers;  // of the recipients of the envelope, where they differ
  std::optional<Party> judged;       // while no recipient is known
  std::vector<Party> parties;        // of each accepted recipient, and of the last
  Marks marks;
  Trail trail;
  std::vector<Heard> heard;
  std::size_t unlisted = 0;  // RCPTs beyond most_heard
  std::size_t accepted = 0;  // recipients
  coro::TimePoint began;
  coro::Duration handover{};  // from handing it over to the answer
  std::uint64_t octets = 0;   // of the message, as received
  bool early_data = false;    // the client sent content before it heard 354
};

}  // namespace postern::session
