// Builds a reply in RESP2 or RESP3, piece by piece: for replies that are lists and maps.
//
// Whoever opens a list or a map of `count` writes so many entries behind it. RESP2 has no maps,
// sets, truth values or null: they become arrays, numbers and a string of length -1.
#ifndef LARDER_PROTOCOL_RESP_WRITER_H_
#define LARDER_PROTOCOL_RESP_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace larder::protocol {

enum class RespVersion : uint8_t { kResp2 = 2, kResp3 = 3 };

class RespWriter {
 public:
  // Appends to `text`, which outlives it.
  RespWriter(RespVersion version, std::string& text) : version_(version), text_(text) {}

  void Simple(std::string_view word);
  void Ok() { Simple("OK"); }
  // With its code in front: "ERR …". Line ends become blanks.
  void Error(std::string_view message);
  void Integer(int64_t value);
  void Bulk(std::string_view bytes);
  // Text that a human reads.
  void Verbatim(std::string_view text);
  void Null();
  void NullArray();
  void Array(size_t count) { Head('*', count); }
  void Set(size_t count) { Head(version_ == RespVersion::kResp3 ? '~' : '*', count); }
  void Map(size_t count);
  // What is encoded already.
  void Raw(std::string_view bytes) { text_ += bytes; }

  [[nodiscard]] RespVersion version() const { return version_; }

 private:
  void Head(char type, size_t count);

  const RespVersion version_;
  std::string& text_;
};

}  // namespace larder::protocol

#endif  // LARDER_PROTOCOL_RESP_WRITER_H_
