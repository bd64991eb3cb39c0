#include "protocol/codec.h"

#include "protocol/binary_encoder.h"
#include "protocol/binary_parser.h"
#include "protocol/text_auth_parser.h"
#include "protocol/text_encoder.h"
#include "protocol/text_parser.h"
#include "util/check.h"

namespace larder::protocol {

const Codec& CodecOf(Protocol protocol) {
  static constexpr Codec kText = {.name = "text",
                                  .protocol = Protocol::kText,
                                  .unlocked = Protocol::kText,
                                  .parse = ParseText,
                                  .encoded_bytes_max = EncodedTextBytesMax,
                                  .encode = EncodeText,
                                  .encode_head = EncodeTextHead,
                                  .encode_tail = EncodeTextTail};
  static constexpr Codec kLockedText = {.name = "text",
                                        .protocol = Protocol::kLockedText,
                                        .unlocked = Protocol::kText,
                                        .parse = ParseTextAuth,
                                        .encoded_bytes_max = EncodedTextBytesMax,
                                        .encode = EncodeText,
                                        .encode_head = EncodeTextHead,
                                        .encode_tail = EncodeTextTail};
  static constexpr Codec kBinary = {.name = "binary",
                                    .protocol = Protocol::kBinary,
                                    .unlocked = Protocol::kBinary,
                                    .parse = ParseBinary,
                                    .encoded_bytes_max = EncodedBinaryBytesMax,
                                    .encode = EncodeBinary,
                                    .encode_head = EncodeBinaryHead,
                                    .encode_tail = EncodeBinaryTail};
  static constexpr Codec kLockedBinary = {.name = "binary",
                                          .protocol = Protocol::kLockedBinary,
                                          .unlocked = Protocol::kBinary,
                                          .parse = ParseLockedBinary,
                                          .encoded_bytes_max = EncodedBinaryBytesMax,
                                          .encode = EncodeBinary,
                                          .encode_head = EncodeBinaryHead,
                                          .encode_tail = EncodeBinaryTail};
  switch (protocol) {
    case Protocol::kText:
      return kText;
    case Protocol::kLockedText:
      return kLockedText;
    case Protocol::kBinary:
      return kBinary;
    case Protocol::kLockedBinary:
      return kLockedBinary;
  }
  CHECK(false);
}

}  // namespace larder::protocol
