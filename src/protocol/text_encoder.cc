#include "protocol/text_encoder.h"

#include <string_view>

#include "larder/version.h"
#include "util/bytes.h"
#include "util/check.h"

namespace larder::protocol {
namespace {

using util::Append;
using util::AppendDecimal;

char* AppendEnd(const Command& command, char* out) {
  return command.last_key ? Append(out, "END\r\n") : out;
}

char* AppendNumber(const Outcome& outcome, char* out) {
  out = AppendDecimal(out, outcome.number);
  return Append(out, "\r\n");
}

// That something without a key was done.
char* AppendDone(const Command& command, const Outcome& outcome, char* out) {
  switch (command.verb) {
    case Verb::kVersion:
      out = Append(out, "VERSION ");
      out = Append(out, kMemcachedVersion);
      return Append(out, "\r\n");
    case Verb::kNoop:
      return Append(out, "MN\r\n");
    case Verb::kStats:
    case Verb::kSlabs:
    case Verb::kLru:
    case Verb::kLruCrawler:
    case Verb::kWatch:
    case Verb::kShutdown:
      return Append(out, outcome.value);
    case Verb::kAuthenticate:
      return Append(out, "STORED\r\n");
    case Verb::kQuit:
      return out;
    default:
      return Append(out, "OK\r\n");
  }
}

std::string_view NoMemoryText(Verb verb) {
  switch (verb) {
    case Verb::kIncr:
      return "SERVER_ERROR out of memory in incr\r\n";
    case Verb::kDecr:
      return "SERVER_ERROR out of memory in decr\r\n";
    case Verb::kCacheMemlimit:
      return "MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n";
    default:
      return "SERVER_ERROR out of memory storing object\r\n";
  }
}

// What parsers find wrong with a line.
std::string_view LineOfWrong(Status status) {
  switch (status) {
    case Status::kUnknownCommand:
      return "ERROR\r\n";
    case Status::kBadFormat:
      return "CLIENT_ERROR bad command line format\r\n";
    case Status::kBadDataChunk:
      return "CLIENT_ERROR bad data chunk\r\n";
    case Status::kInvalidExptime:
      return "CLIENT_ERROR invalid exptime argument\r\n";
    case Status::kInvalidDelta:
      return "CLIENT_ERROR invalid numeric delta argument\r\n";
    case Status::kDeleteUsage:
      return "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\r\n";
    case Status::kUnauthenticated:
      return "CLIENT_ERROR unauthenticated\r\n";
    case Status::kBadTermination:
      return "CLIENT_ERROR bad command line termination\r\n";
    case Status::kBadAuthToken:
      return "CLIENT_ERROR bad authentication token format\r\n";
    case Status::kAuthTokenTooLong:
      return "CLIENT_ERROR auth token too long\r\n";
    case Status::kInvalidFlag:
      return "CLIENT_ERROR invalid flag\r\n";
    case Status::kDuplicateFlag:
      return "CLIENT_ERROR duplicate flag\r\n";
    case Status::kOpaqueTooLong:
      return "CLIENT_ERROR opaque token too long\r\n";
    case Status::kInvalidStoreMode:
      return "CLIENT_ERROR invalid mode for ms M token\r\n";
    case Status::kInvalidNumberMode:
      return "CLIENT_ERROR invalid mode for ma M token\r\n";
    case Status::kBadToken:
      return "CLIENT_ERROR bad token in command line format\r\n";
    case Status::kInvalidInitial:
      return "CLIENT_ERROR invalid numeric initial value\r\n";
    case Status::kInvalidNumericDelta:
      return "CLIENT_ERROR invalid numeric delta value\r\n";
    case Status::kBadKeyEncoding:
      return "CLIENT_ERROR error decoding key\r\n";
    case Status::kLineTooLong:
    case Status::kForeignProtocol:
    case Status::kNonFloat:  // the rest of these are RESP's
    case Status::kNotFinite:
    case Status::kOverflow:
    case Status::kRefused:
      return {};
    default:
      break;
  }
  CHECK(false);
}

// Statuses that are a fixed line, whatever else the outcome holds.
std::string_view LineOf(Verb verb, Status status) {
  switch (status) {
    case Status::kOk:
    case Status::kHit:
    case Status::kMiss:
    case Status::kNumber:
      break;
    case Status::kStored:
      return "STORED\r\n";
    case Status::kNotStored:
      return "NOT_STORED\r\n";
    case Status::kExists:
      return "EXISTS\r\n";
    case Status::kNotFound:
      return "NOT_FOUND\r\n";
    case Status::kDeleted:
      return "DELETED\r\n";
    case Status::kTouched:
      return "TOUCHED\r\n";
    case Status::kNonNumeric:
      return "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n";
    case Status::kTooLarge:
      return "SERVER_ERROR object too large for cache\r\n";
    case Status::kNoMemory:
      return NoMemoryText(verb);
    case Status::kLimitTooSmall:
      return "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n";
    case Status::kNotAllowed:
      return verb == Verb::kFlushAll ? "CLIENT_ERROR flush_all not allowed\r\n"
                                     : "CLIENT_ERROR command not allowed\r\n";
    case Status::kAuthFailed:
    case Status::kAuthContinue:
      return "CLIENT_ERROR authentication failure\r\n";
    default:
      return LineOfWrong(status);
  }
  CHECK(false);
}

}  // namespace

char* EncodeTextHead(const Command& command, const Outcome& outcome, char* out) {
  out = Append(out, "VALUE ");
  out = Append(out, command.key);
  *out++ = ' ';
  out = AppendDecimal(out, outcome.client_flags);
  *out++ = ' ';
  out = AppendDecimal(out, outcome.value.size());
  if (command.verb == Verb::kGets || command.verb == Verb::kGats) {
    *out++ = ' ';
    out = AppendDecimal(out, outcome.cas);
  }
  return Append(out, "\r\n");
}

char* EncodeTextTail(const Command& command, const Outcome& /*outcome*/, char* out) {
  return AppendEnd(command, Append(out, "\r\n"));
}

char* EncodeText(const Command& command, const Outcome& outcome, char* out) {
  if (command.noreply) {
    return out;
  }
  const Status status = command.verb == Verb::kRejected ? command.rejection : outcome.status;
  switch (status) {
    case Status::kHit:
      out = EncodeTextHead(command, outcome, out);
      out = Append(out, outcome.value);
      return EncodeTextTail(command, outcome, out);
    case Status::kMiss:
      return AppendEnd(command, out);
    case Status::kNumber:
      return AppendNumber(outcome, out);
    case Status::kOk:
      return AppendDone(command, outcome, out);
    default:
      return Append(out, LineOf(command.verb, status));
  }
}

}  // namespace larder::protocol
