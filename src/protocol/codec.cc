#include "protocol/codec.h"

#include "protocol/text_encoder.h"
#include "protocol/text_parser.h"
#include "util/check.h"

namespace larder::protocol {

const Codec& CodecOf(Protocol protocol) {
  static constexpr Codec kText = {"text", Protocol::kText, ParseText, EncodedTextBytesMax,
                                  EncodeText};
  switch (protocol) {
    case Protocol::kText:
      return kText;
  }
  CHECK(false);
}

}  // namespace larder::protocol
