#include "protocol/codec.h"

#include "protocol/binary_encoder.h"
#include "protocol/binary_parser.h"
#include "protocol/meta_encoder.h"
#include "protocol/meta_parser.h"
#include "protocol/resp_encoder.h"
#include "protocol/resp_parser.h"
#include "protocol/text_auth_parser.h"
#include "protocol/text_encoder.h"
#include "protocol/text_parser.h"
#include "util/check.h"

namespace larder::protocol {

namespace {

// Classic and meta commands, which come mixed on one connection: at the start of a line, its first
// letters tell.
Parsed ParseLines(std::string_view bytes, const Resume& resume, const ParserLimits& limits,
                  ParserSpace& space) {
  const bool at_start = resume.at == Resume::At::kLineStart || resume.at == Resume::At::kFirstLine;
  const bool maybe_meta = !bytes.empty() && (bytes[0] == 'm' || bytes[0] == ' ');
  if (maybe_meta && at_start && BeginsMeta(bytes)) return ParseMeta(bytes, resume, limits, space);
  return ParseText(bytes, resume, limits);
}

size_t EncodedBytesMax(const Command& command, const Outcome& outcome) {
  return IsMetaAnswer(command, outcome) ? EncodedMetaBytesMax(command, outcome)
                                        : EncodedTextBytesMax(command, outcome);
}

char* Encode(const Command& command, const Outcome& outcome, char* out) {
  return IsMetaAnswer(command, outcome) ? EncodeMeta(command, outcome, out)
                                        : EncodeText(command, outcome, out);
}

char* EncodeHead(const Command& command, const Outcome& outcome, char* out) {
  return IsMetaAnswer(command, outcome) ? EncodeMetaHead(command, outcome, out)
                                        : EncodeTextHead(command, outcome, out);
}

char* EncodeTail(const Command& command, const Outcome& outcome, char* out) {
  return IsMetaAnswer(command, outcome) ? EncodeMetaTail(out)
                                        : EncodeTextTail(command, outcome, out);
}

constexpr Codec kText = {.name = "text",
                         .protocol = Protocol::kText,
                         .unlocked = Protocol::kText,
                         .locked = Protocol::kLockedText,
                         .parse = ParseLines,
                         .encoded_bytes_max = EncodedBytesMax,
                         .encode = Encode,
                         .encode_head = EncodeHead,
                         .encode_tail = EncodeTail};
constexpr Codec kLockedText = {.name = "text",
                               .protocol = Protocol::kLockedText,
                               .unlocked = Protocol::kText,
                               .locked = Protocol::kLockedText,
                               .parse = ParseTextAuth,
                               .encoded_bytes_max = EncodedTextBytesMax,
                               .encode = EncodeText,
                               .encode_head = EncodeTextHead,
                               .encode_tail = EncodeTextTail};
constexpr Codec kBinary = {.name = "binary",
                           .protocol = Protocol::kBinary,
                           .unlocked = Protocol::kBinary,
                           .locked = Protocol::kLockedBinary,
                           .parse = ParseBinary,
                           .encoded_bytes_max = EncodedBinaryBytesMax,
                           .encode = EncodeBinary,
                           .encode_head = EncodeBinaryHead,
                           .encode_tail = EncodeBinaryTail};
constexpr Codec kLockedBinary = {.name = "binary",
                                 .protocol = Protocol::kLockedBinary,
                                 .unlocked = Protocol::kBinary,
                                 .locked = Protocol::kLockedBinary,
                                 .parse = ParseLockedBinary,
                                 .encoded_bytes_max = EncodedBinaryBytesMax,
                                 .encode = EncodeBinary,
                                 .encode_head = EncodeBinaryHead,
                                 .encode_tail = EncodeBinaryTail};
constexpr Codec kResp2 = {.name = "resp2",
                          .protocol = Protocol::kResp2,
                          .unlocked = Protocol::kResp2,
                          .locked = Protocol::kLockedResp2,
                          .parse = ParseResp,
                          .encoded_bytes_max = EncodedRespBytesMax,
                          .encode = EncodeResp2,
                          .encode_head = EncodeRespHead,
                          .encode_tail = EncodeRespTail};
constexpr Codec kLockedResp2 = {.name = "resp2",
                                .protocol = Protocol::kLockedResp2,
                                .unlocked = Protocol::kResp2,
                                .locked = Protocol::kLockedResp2,
                                .parse = ParseLockedResp,
                                .encoded_bytes_max = EncodedRespBytesMax,
                                .encode = EncodeResp2,
                                .encode_head = EncodeRespHead,
                                .encode_tail = EncodeRespTail};
constexpr Codec kResp3 = {.name = "resp3",
                          .protocol = Protocol::kResp3,
                          .unlocked = Protocol::kResp3,
                          .locked = Protocol::kLockedResp2,
                          .parse = ParseResp,
                          .encoded_bytes_max = EncodedRespBytesMax,
                          .encode = EncodeResp3,
                          .encode_head = EncodeRespHead,
                          .encode_tail = EncodeRespTail};

}  // namespace

const Codec& CodecOf(Protocol protocol) {
  switch (protocol) {
    case Protocol::kText:
      return kText;
    case Protocol::kLockedText:
      return kLockedText;
    case Protocol::kBinary:
      return kBinary;
    case Protocol::kLockedBinary:
      return kLockedBinary;
    case Protocol::kResp2:
      return kResp2;
    case Protocol::kLockedResp2:
      return kLockedResp2;
    case Protocol::kResp3:
      return kResp3;
  }
  CHECK(false);
}

}  // namespace larder::protocol
