#include "protocol/resp_writer.h"

#include <algorithm>

namespace larder::protocol {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

}  // namespace

void RespWriter::Head(char type, size_t count) {
  text_ += type;
  text_ += std::to_string(count);
  text_ += kLineEnd;
}

void RespWriter::Simple(std::string_view word) {
  text_ += '+';
  text_ += word;
  text_ += kLineEnd;
}

void RespWriter::Error(std::string_view message) {
  text_ += '-';
  const size_t begin = text_.size();
  text_ += message;
  std::replace_if(
      text_.begin() + static_cast<ptrdiff_t>(begin), text_.end(),
      [](char c) { return c == '\r' || c == '\n'; }, ' ');
  text_ += kLineEnd;
}

void RespWriter::Integer(int64_t value) {
  text_ += ':';
  text_ += std::to_string(value);
  text_ += kLineEnd;
}

void RespWriter::Bulk(std::string_view bytes) {
  Head('$', bytes.size());
  text_ += bytes;
  text_ += kLineEnd;
}

void RespWriter::Verbatim(std::string_view text) {
  if (version_ == RespVersion::kResp2) return Bulk(text);
  constexpr std::string_view kForm = "txt:";
  Head('=', kForm.size() + text.size());
  text_ += kForm;
  text_ += text;
  text_ += kLineEnd;
}

void RespWriter::Null() { text_ += version_ == RespVersion::kResp2 ? "$-1\r\n" : "_\r\n"; }

void RespWriter::NullArray() { text_ += version_ == RespVersion::kResp2 ? "*-1\r\n" : "_\r\n"; }

void RespWriter::Map(size_t count) {
  if (version_ == RespVersion::kResp2) return Head('*', 2 * count);
  Head('%', count);
}

}  // namespace larder::protocol
