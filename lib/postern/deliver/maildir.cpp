#include <postern/coro/deadline.hpp>
#include <postern/deliver/maildir.hpp>
#include <postern/smtp/replies.hpp>
#include <postern/smtp/timeouts.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

namespace postern::deliver {
namespace {

smtp::Reply reply_to(const Error& error) {
  return error.code == Errc::no_space ? smtp::replies::no_space() : smtp::replies::local_error();
}

// RFC 5321 section 4.4: whoever delivers finally keeps the envelope with the message.
std::string envelope_fields(const Envelope& envelope) {
  std::string fields = fmt::format("Return-Path: <{}>\r\n", envelope.reverse_path.text);
  for (const Recipient& to : envelope.recipients)
    fields += fmt::format("Delivered-To: {}\r\n", to.path.text);
  return fields;
}

// "/" and "." have none above them that need be looked at.
std::string parent_of(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

class Maildir::Transaction final : public Delivery {
 public:
  Transaction(Maildir& maildir, Envelope& envelope) : maildir_(maildir), envelope_(envelope) {}

  coro::Task<smtp::Reply> rcpt(std::size_t) override { co_return smtp::replies::rcpt_ok(); }
  void pauses() override {}
  std::string target() const override { return "maildir"; }

  coro::Task<Handover> commit(Message& message) override {
    const std::string name = maildir_.unique_name();
    if (!maildir_.folders_durable_) {
      auto ready = co_await make_folders();
      if (!ready) co_return failed(ready.error());
    }
    auto made = co_await write(message, name);
    if (!made) co_return failed(made.error());
    auto published = co_await coro::shielded(smtp::timeouts::end_of_data, publish(name));
    if (!published) co_return failed(published.error());
    co_return Handover(smtp::Reply(250, {2, 0, 0}, fmt::format("delivered as {}", envelope_.id)));
  }

 private:
  std::string path(std::string_view folder) const {
    return fmt::format("{}/{}", maildir_.settings_.path, folder);
  }
  std::string path(std::string_view folder, std::string_view name) const {
    return fmt::format("{}/{}/{}", maildir_.settings_.path, folder, name);
  }

  Handover failed(const Error& error) {
    maildir_.log_.error("maildir {}: {}", maildir_.settings_.path, error.describe());
    return Handover(reply_to(error));
  }

  // tmp/NAME, whole and durable; or nothing.
  coro::Task<Result<void>> write(Message& message, std::string name) {
    auto file = co_await create(name);
    if (!file) co_return fail(file.error());
    auto written = co_await fill(**file, message);
    if (!written) {
      // The error that counts is the one above; a stop does not keep the half file either.
      std::string half = path("tmp", name);
      co_await coro::shielded(smtp::timeouts::end_of_data, maildir_.files_.remove(std::move(half)));
    }
    co_return written;
  }

  // The three folders, and their names on the way from the root: a message is as durable as the
  // folder that it lies in. Once for each run, since whoever made them may not have lived to see to
  // it.
  coro::Task<Result<void>> make_folders() {
    for (const char* folder : {"tmp", "new", "cur"}) {
      std::string folder_path = path(folder);
      auto made = co_await maildir_.files_.make_directory(std::move(folder_path));
      if (!made) co_return made;
    }
    std::string folder = maildir_.settings_.path;
    auto synced = co_await maildir_.files_.sync_directory(folder);
    while (synced && folder != "/" && folder != ".") {
      folder = parent_of(std::move(folder));
      synced = co_await maildir_.files_.sync_directory(folder);
      if (synced || synced.error().code != Errc::permission) continue;
      synced = {};  // not ours to open, so not ours to have made
    }
    maildir_.folders_durable_ = synced.has_value();
    co_return synced;
  }

  coro::Task<Result<net::FilePtr>> create(std::string name) {
    std::string file_path = path("tmp", name);
    auto file = co_await maildir_.files_.create(file_path);
    if (file || file.error().code != Errc::not_found) co_return file;
    auto made = co_await make_folders();  // taken away meanwhile
    if (!made) co_return fail(made.error());
    auto again = co_await maildir_.files_.create(std::move(file_path));
    co_return again;
  }

  coro::Task<Result<void>> fill(net::File& file, Message& message) {
    std::string octets = envelope_fields(envelope_) + message.trace;
    std::uint64_t offset = message.begin;
    while (true) {
      auto more = co_await message.content.read(offset, Spool::piece);
      if (!more) co_return fail(more.error());
      if (more->empty()) break;
      offset += more->size();
      octets += *more;
      if (octets.size() < Spool::piece) continue;
      std::string piece = std::exchange(octets, {});
      auto written = co_await file.write(std::move(piece));
      if (!written) co_return written;
    }
    auto written = co_await file.write(std::move(octets));
    if (!written) co_return written;
    auto synced = co_await file.sync();
    co_return synced;
  }

  // The commit. When the name cannot be made durable it is taken back: the client will come again.
  coro::Task<Result<void>> publish(std::string name) {
    std::string from = path("tmp", name);
    std::string to = path("new", name);
    auto renamed = co_await maildir_.files_.rename(from, to);
    if (!renamed) {
      co_await maildir_.files_.remove(from);
      co_return renamed;
    }
    auto synced = co_await maildir_.files_.sync_directory(path("new"));
    if (!synced) {
      // Also when it was the shield's time that ended it: what is refused must not lie there.
      co_await coro::shielded(smtp::timeouts::end_of_data, maildir_.files_.remove(to));
    }
    co_return synced;
  }

  Maildir& maildir_;
  Envelope& envelope_;
};

smtp::Capabilities Maildir::offers() const {
  smtp::Capabilities offers;
  offers.eight_bit_mime = true;
  offers.smtputf8 = true;
  return offers;  // no DSN: nobody here could send the notifications (RFC 3461 section 4)
}

std::unique_ptr<Delivery> Maildir::begin(Envelope& envelope) {
  return std::make_unique<Transaction>(*this, envelope);
}

coro::Task<void> Maildir::close() { co_return; }

// SECONDS.MmicrosecondsPpidQcount.HOST: unique among all that deliver into it.
std::string Maildir::unique_name() {
  const auto now = scheduler_.wall().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now);
  const auto micro = std::chrono::duration_cast<std::chrono::microseconds>(now - seconds);
  std::string name =
      fmt::format("{}.M{}P{}Q{}.", seconds.count(), micro.count(), getpid(), ++count_);
  for (char c : settings_.hostname)
    name += c == '/' || c == ':' ? '_' : c;  // the format's own marks
  return name;
}

}  // namespace postern::deliver
