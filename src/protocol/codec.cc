#include "protocol/codec.h"

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
  switch (protocol) {
    case Protocol::kText:
      return kText;
    case Protocol::kLockedText:
      return kLockedText;
  }
  CHECK(false);
}

}  // namespace larder::protocol
