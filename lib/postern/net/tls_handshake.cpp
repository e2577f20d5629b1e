#include <postern/coro/deadline.hpp>
#include <postern/net/tls_handshake.hpp>

#include <fmt/format.h>

namespace postern::net {
namespace {

TlsCodec::Step advance(Stream& stream, TlsCodec& codec) {
  std::string_view input = stream.input();
  const std::size_t before = input.size();
  std::string output;
  const auto step = codec.handshake(input, output);
  stream.consume(before - input.size());
  stream.write(output);
  return step;
}

Error reason(const TlsCodec& codec) {
  return Error(codec.untrusted() ? Errc::permission : Errc::malformed,
               fmt::format("TLS handshake: {}", codec.failure()));
}

coro::Task<Result<TlsFacts>> shake_hands(Stream& stream, std::unique_ptr<TlsCodec> codec) {
  for (;;) {
    const TlsCodec::Step step = advance(stream, *codec);
    if (step == TlsCodec::Step::failed) co_return fail(reason(*codec));
    if (step == TlsCodec::Step::done) break;
    auto flushed = co_await stream.flush(forever);
    if (!flushed) co_return fail(flushed.error().code, "TLS handshake");
    auto more = co_await stream.more(forever);
    if (!more) co_return fail(more.error().code, "TLS handshake");
  }
  TlsFacts facts = codec->facts();
  stream.pass_through(std::move(codec));
  co_return facts;
}

}  // namespace

coro::Task<Result<TlsFacts>> handshake(Stream& stream, std::unique_ptr<TlsCodec> codec,
                                       TlsStart start, Duration limit) {
  std::size_t discarded = 0;
  if (start == TlsStart::after_dialogue) discarded = stream.input().size();
  stream.consume(discarded);
  auto facts = co_await coro::within(limit, shake_hands(stream, std::move(codec)));
  if (facts)
    facts->discarded = discarded;
  else
    stream.silence();
  co_return facts;
}

}  // namespace postern::net
