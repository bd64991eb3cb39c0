// hiredis, the C client of Redis, against the server at argv[1], port argv[2], with the password
// argv[3] unless that is empty. Exits 0 if every answer is right; otherwise it says which was not.
//
// Method: the blocking interface, command by command; pipelines of appended commands; then the
// asynchronous interface on libevent.
#include <event2/event.h>
#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace {

void Expect(bool condition, const char* what, int line) {
  if (condition) return;
  std::fprintf(stderr, "hiredis_client.cc:%d: %s\n", line, what);
  std::exit(1);
}
#define EXPECT(condition) Expect((condition), #condition, __LINE__)

constexpr const char* kCut = "cut-this-connection";
constexpr int kManyKeys = 20000;
constexpr size_t kKeysListedMax = 5000;

struct ServerAddress {
  std::string host;
  int port;
  std::string password;
};

using Words = std::vector<std::string>;

// A reply as text: bulk and simple strings as they are, "(integer) 5", "(nil)", "(error) ...",
// and "[a, b]".
std::string Text(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return "(integer) " + std::to_string(reply.integer);
    case REDIS_REPLY_NIL:
      return "(nil)";
    case REDIS_REPLY_ERROR:
      return "(error) " + std::string(reply.str, reply.len);
    case REDIS_REPLY_ARRAY: {
      std::string text = "[";
      for (size_t i = 0; i < reply.elements; ++i) {
        text += (i == 0 ? "" : ", ") + Text(*reply.element[i]);
      }
      return text + "]";
    }
    default:
      return {reply.str, reply.len};
  }
}

struct ReplyDeleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, ReplyDeleter>;

// What a client asks, in words short enough to read.
class Client {
 public:
  explicit Client(const ServerAddress& server)
      : server_(server),
        context_(redisConnectWithTimeout(server.host.c_str(), server.port, kTimeout)) {
    EXPECT(context_ != nullptr && context_->err == 0);
    EXPECT(redisSetTimeout(context_, kTimeout) == REDIS_OK);
    LogIn();
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { redisFree(context_); }

  // Null if the connection is lost.
  Reply Call(const Words& words) {
    const Argv argv(words);
    return Reply(static_cast<redisReply*>(
        redisCommandArgv(context_, argv.Count(), argv.Texts(), argv.Sizes())));
  }

  std::string Ask(const Words& words) {
    const Reply reply = Call(words);
    EXPECT(reply != nullptr);
    return Text(*reply);
  }

  void Append(const Words& words) {
    const Argv argv(words);
    EXPECT(redisAppendCommandArgv(context_, argv.Count(), argv.Texts(), argv.Sizes()) == REDIS_OK);
  }

  std::string Next() {
    void* reply = nullptr;
    EXPECT(redisGetReply(context_, &reply) == REDIS_OK);
    return Text(*Reply(static_cast<redisReply*>(reply)));
  }

  void Reconnect() {
    EXPECT(redisReconnect(context_) == REDIS_OK);
    LogIn();
  }

 private:
  static constexpr timeval kTimeout{30, 0};

  // The words as hiredis takes them.
  class Argv {
   public:
    explicit Argv(const Words& words) {
      texts_.reserve(words.size());
      sizes_.reserve(words.size());
      for (const std::string& word : words) {
        texts_.push_back(word.data());
        sizes_.push_back(word.size());
      }
    }
    int Count() const { return static_cast<int>(texts_.size()); }
    const char** Texts() const { return texts_.data(); }
    const size_t* Sizes() const { return sizes_.data(); }

   private:
    mutable std::vector<const char*> texts_;
    std::vector<size_t> sizes_;
  };

  void LogIn() {
    if (!server_.password.empty()) EXPECT(Ask({"AUTH", server_.password}) == "OK");
  }

  const ServerAddress server_;
  redisContext* context_;
};

// Some of the time may have passed.
bool IsNear(const std::string& text, int wanted) {
  const int remains = std::stoi(text.substr(text.find(' ')));
  return remains <= wanted && remains > wanted * 7 / 10;
}

bool IsError(const std::string& text, const std::string& error) {
  return text.rfind("(error) " + error, 0) == 0;
}

std::string Binary() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes + "\r\n\r\n";
}

void Strings(Client& client) {
  EXPECT(client.Ask({"SET", "k", "one"}) == "OK");
  EXPECT(client.Ask({"GET", "k"}) == "one");
  EXPECT(client.Ask({"GET", "none"}) == "(nil)");
  EXPECT(client.Ask({"SET", "k", "two", "NX"}) == "(nil)");
  EXPECT(client.Ask({"SET", "k", "two", "GET"}) == "one");
  EXPECT(client.Ask({"APPEND", "k", "-end"}) == "(integer) 7");
  EXPECT(client.Ask({"GETRANGE", "k", "0", "2"}) == "two");
  EXPECT(client.Ask({"GETDEL", "k"}) == "two-end");
  EXPECT(client.Ask({"EXISTS", "k"}) == "(integer) 0");
  EXPECT(client.Ask({"SET", "Grüße", "世界"}) == "OK");
  EXPECT(client.Ask({"GET", "Grüße"}) == "世界");
}

void Expiry(Client& client) {
  EXPECT(client.Ask({"SET", "t", "v", "EX", "100"}) == "OK");
  EXPECT(IsNear(client.Ask({"TTL", "t"}), 100));
  EXPECT(client.Ask({"GETEX", "t", "PX", "50000"}) == "v");
  EXPECT(IsNear(client.Ask({"PTTL", "t"}), 50000));
  EXPECT(client.Ask({"PERSIST", "t"}) == "(integer) 1");
  EXPECT(client.Ask({"TTL", "t"}) == "(integer) -1");
  EXPECT(client.Ask({"PEXPIREAT", "t", "1"}) == "(integer) 1");
  EXPECT(client.Ask({"TTL", "t"}) == "(integer) -2");
}

void SeveralKeys(Client& client) {
  EXPECT(client.Ask({"MSET", "a", "1", "b", "2"}) == "OK");
  EXPECT(client.Ask({"MGET", "a", "none", "b"}) == "[1, (nil), 2]");
  EXPECT(client.Ask({"MSETNX", "b", "3", "c", "4"}) == "(integer) 0");
  EXPECT(client.Ask({"RENAME", "b", "c"}) == "OK");
  EXPECT(client.Ask({"COPY", "c", "d"}) == "(integer) 1");
  EXPECT(client.Ask({"DEL", "a", "b", "c", "d"}) == "(integer) 3");
}

void Numbers(Client& client) {
  EXPECT(client.Ask({"INCR", "n"}) == "(integer) 1");
  EXPECT(client.Ask({"INCRBY", "n", "41"}) == "(integer) 42");
  EXPECT(client.Ask({"DECRBY", "n", "50"}) == "(integer) -8");
  EXPECT(client.Ask({"INCRBYFLOAT", "n", "0.5"}) == "-7.5");
}

void Transactions(Client& client, const ServerAddress& server) {
  client.Append({"MULTI"});
  client.Append({"SET", "x", "1"});
  client.Append({"INCR", "x"});
  client.Append({"EXEC"});
  EXPECT(client.Next() == "OK");
  EXPECT(client.Next() == "QUEUED");
  EXPECT(client.Next() == "QUEUED");
  EXPECT(client.Next() == "[OK, (integer) 2]");

  Client other(server);
  EXPECT(client.Ask({"WATCH", "x"}) == "OK");
  EXPECT(other.Ask({"SET", "x", "changed"}) == "OK");
  EXPECT(client.Ask({"MULTI"}) == "OK");
  EXPECT(client.Ask({"SET", "x", "lost"}) == "QUEUED");
  EXPECT(client.Ask({"EXEC"}) == "(nil)");

  EXPECT(client.Ask({"MULTI"}) == "OK");
  EXPECT(IsError(client.Ask({"LPUSH", "list", "v"}), "ERR unknown command 'LPUSH'"));
  EXPECT(IsError(client.Ask({"EXEC"}), "EXECABORT"));
  EXPECT(client.Ask({"GET", "x"}) == "changed");
}

void Pipelines(Client& client) {
  for (int i = 0; i < 1000; ++i) {
    client.Append({"SET", "p" + std::to_string(i), std::to_string(i)});
    client.Append({"GET", "p" + std::to_string(i)});
  }
  for (int i = 0; i < 1000; ++i) {
    EXPECT(client.Next() == "OK");
    EXPECT(client.Next() == std::to_string(i));
  }
}

void Scans(Client& client) {
  std::set<std::string> found;
  std::string cursor = "0";
  do {
    const Reply reply = client.Call({"SCAN", cursor, "MATCH", "p*", "COUNT", "100"});
    EXPECT(reply != nullptr && reply->elements == 2);
    cursor = Text(*reply->element[0]);
    const redisReply& keys = *reply->element[1];
    for (size_t i = 0; i < keys.elements; ++i) found.insert(Text(*keys.element[i]));
  } while (cursor != "0");
  EXPECT(found.size() == 1000);
}

void WrongRequests(Client& client) {
  const std::string id = client.Ask({"CLIENT", "ID"});
  EXPECT(client.Ask({"SET", "text", "abc"}) == "OK");
  EXPECT(client.Ask({"INCR", "text"}) == "(error) ERR value is not an integer or out of range");
  EXPECT(client.Ask({"LPUSH", "list", "v"}) ==
         "(error) ERR unknown command 'LPUSH', with args beginning with: 'list' 'v' ");
  EXPECT(client.Ask({"GET"}) == "(error) ERR wrong number of arguments for 'get' command");
  EXPECT(client.Ask({"CLIENT", "ID"}) == id);
}

void LargeValues(Client& client) {
  for (const std::string& value : {Binary(), std::string(900000, '\a'), std::string()}) {
    EXPECT(client.Ask({"SET", "large", value}) == "OK");
    EXPECT(client.Ask({"GET", "large"}) == value);
  }
  EXPECT(client.Ask({"SET", "large", "old"}) == "OK");
  EXPECT(client.Ask({"SET", "large", std::string(3 << 20, 'x')}) ==
         "(error) ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  EXPECT(client.Ask({"GET", "large"}) == "old");
}

void LongKeys(Client& client) {
  const std::string key(65535, 'k');
  EXPECT(client.Ask({"SET", key, "v"}) == "OK");
  EXPECT(client.Ask({"MGET", key, "none"}) == "[v, (nil)]");
  EXPECT(client.Ask({"SET", key + "k", "v"}) == "(error) ERR key is longer than 65535 bytes");
  EXPECT(client.Ask({"PING"}) == "PONG");
}

void Databases(Client& client, const ServerAddress& server) {
  Client other(server);
  EXPECT(other.Ask({"SELECT", "3"}) == "OK");
  EXPECT(client.Ask({"SET", "here", "0"}) == "OK");
  EXPECT(other.Ask({"GET", "here"}) == "(nil)");
  EXPECT(other.Ask({"SELECT", "0"}) == "OK");
  EXPECT(other.Ask({"GET", "here"}) == "0");
  EXPECT(other.Ask({"SELECT", "16"}) == "(error) ERR DB index is out of range");
}

void KeysEndAtTheirLimit(const ServerAddress& server) {
  Client client(server);
  EXPECT(client.Ask({"SELECT", "5"}) == "OK");
  Words all = {"MSET"};
  all.reserve(1 + 2 * kManyKeys);
  for (int i = 0; i < kManyKeys; ++i) {
    all.push_back("name:" + std::to_string(i));
    all.emplace_back("v");
  }
  EXPECT(client.Ask(all) == "OK");
  const Reply keys = client.Call({"KEYS", "*"});
  EXPECT(keys != nullptr && keys->elements < kKeysListedMax);
  EXPECT(client.Ask({"DBSIZE"}) == "(integer) " + std::to_string(kManyKeys));
  EXPECT(client.Ask({"FLUSHDB"}) == "OK");
  EXPECT(client.Ask({"DBSIZE"}) == "(integer) 0");
}

void Reconnects(Client& client) {
  EXPECT(client.Call({"PING", kCut}) == nullptr);
  client.Reconnect();
  EXPECT(client.Ask({"GET", "large"}) == "old");
}

void Strangers(const ServerAddress& server) {
  if (server.password.empty()) return;
  Client stranger({server.host, server.port, ""});
  EXPECT(IsError(stranger.Ask({"GET", "k"}), "NOAUTH Authentication required."));
  EXPECT(IsError(stranger.Ask({"AUTH", "wrong"}), "WRONGPASS"));
  EXPECT(IsError(stranger.Ask({"GET", "k"}), "NOAUTH"));
}

// How far a thousand commands are that were sent without waiting.
struct Progress {
  static constexpr int kCommands = 1000;
  int answered = 0;
};

void OnIncrement(redisAsyncContext* context, void* reply, void* progress) {
  auto& so_far = *static_cast<Progress*>(progress);
  EXPECT(reply != nullptr);
  ++so_far.answered;
  EXPECT(Text(*static_cast<redisReply*>(reply)) == "(integer) " + std::to_string(so_far.answered));
  if (so_far.answered == Progress::kCommands) redisAsyncDisconnect(context);
}

void Asynchronous(const ServerAddress& server) {
  event_base* base = event_base_new();
  redisAsyncContext* context = redisAsyncConnect(server.host.c_str(), server.port);
  EXPECT(context != nullptr && context->err == 0);
  EXPECT(redisLibeventAttach(context, base) == REDIS_OK);
  Progress progress;
  if (!server.password.empty()) {
    redisAsyncCommand(context, nullptr, nullptr, "AUTH %s", server.password.c_str());
  }
  for (int i = 0; i < Progress::kCommands; ++i) {
    EXPECT(redisAsyncCommand(context, OnIncrement, &progress, "INCR counted") == REDIS_OK);
  }
  event_base_dispatch(base);
  EXPECT(progress.answered == Progress::kCommands);
  event_base_free(base);
}

void SharedWithMemcached(Client& client) {
  EXPECT(client.Ask({"GET", "from-memcached"}) == Binary());
  EXPECT(client.Ask({"SETEX", "from-redis", "100", Binary()}) == "OK");
  EXPECT(client.Ask({"INCR", "shared-number"}) == "(integer) 42");
}

}  // namespace

int main(int argc, char** argv) {
  EXPECT(argc == 4);
  const ServerAddress server{argv[1], std::atoi(argv[2]), argv[3]};
  Client client(server);
  Strings(client);
  Expiry(client);
  SeveralKeys(client);
  Numbers(client);
  Transactions(client, server);
  Pipelines(client);
  Scans(client);
  std::puts("ok blocking");
  WrongRequests(client);
  LargeValues(client);
  LongKeys(client);
  Databases(client, server);
  KeysEndAtTheirLimit(server);
  std::puts("ok limits");
  Reconnects(client);
  Strangers(server);
  SharedWithMemcached(client);
  std::puts("ok connections");
  Asynchronous(server);
  std::puts("ok asynchronous");
  return 0;
}
