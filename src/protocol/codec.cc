#include "protocol/codec.h"

#include "protocol/text_encoder.h"
#include "protocol/text_parser.h"
#include "util/check.h"

namespace larder::protocol {

const Codec& CodecOf(Protocol protocol) {
  static constexpr Codec kText = {.name = "text",
                                  .protocol = Protocol::kText,
                                  .parse = ParseText,
                                  .encoded_bytes_max = EncodedTextBytesMax,
                                  .encode = EncodeText,
                                  .encode_head = EncodeTextHead,
                                  .encode_tail = EncodeTextTail};
  switch (protocol) {
    case Protocol::kText:
      return kText;
  }
  CHECK(false);
}

}  // namespace larder::protocol
