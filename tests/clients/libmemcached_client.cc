// libmemcached, the C client, against the server at argv[1] (host:port). Exits 0 if every answer is
// right; otherwise it says which was not.
//
// Method: each part runs with plain options and with those that change how bytes are sent; then
// writes whose answers the client does not wait for.
#include <libmemcached/memcached.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

void Expect(bool condition, const char* what, int line) {
  if (condition) return;
  std::fprintf(stderr, "libmemcached_client.cc:%d: %s\n", line, what);
  std::exit(1);
}
#define EXPECT(condition) Expect((condition), #condition, __LINE__)

// What a client asks, in words short enough to read.
class Client {
 public:
  Client(const std::string& server, const std::vector<memcached_behavior_t>& switched_on)
      : handle_(memcached_create(nullptr)) {
    const size_t colon = server.find(':');
    const auto port = static_cast<in_port_t>(std::stoi(server.substr(colon + 1)));
    EXPECT(memcached_success(memcached_server_add(handle_, server.substr(0, colon).c_str(), port)));
    for (const memcached_behavior_t behavior : switched_on) {
      EXPECT(memcached_success(memcached_behavior_set(handle_, behavior, 1)));
    }
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { memcached_free(handle_); }

  using Storing = memcached_return_t (*)(memcached_st*, const char*, size_t, const char*, size_t,
                                         time_t, uint32_t);
  memcached_return_t Store(Storing verb, std::string_view key, std::string_view value) {
    return verb(handle_, key.data(), key.size(), value.data(), value.size(), 0, kFlags);
  }

  memcached_return_t Get(std::string_view key, std::string& value) {
    size_t size = 0;
    uint32_t flags = 0;
    memcached_return_t result = MEMCACHED_SUCCESS;
    char* bytes = memcached_get(handle_, key.data(), key.size(), &size, &flags, &result);
    if (bytes != nullptr) {
      value.assign(bytes, size);
      std::free(bytes);
      EXPECT(flags == kFlags);
    }
    return result;
  }

  bool Holds(std::string_view key, std::string_view expected) {
    std::string value;
    return memcached_success(Get(key, value)) && value == expected;
  }

  memcached_st* handle() { return handle_; }

  static constexpr uint32_t kFlags = 0xfedcba98;

 private:
  memcached_st* handle_;
};

void StoringVerbs(Client& client) {
  EXPECT(memcached_success(client.Store(memcached_set, "k", "one")));
  EXPECT(client.Holds("k", "one"));
  EXPECT(client.Store(memcached_add, "k", "two") == MEMCACHED_NOTSTORED);
  EXPECT(memcached_success(client.Store(memcached_replace, "k", "three")));
  EXPECT(client.Store(memcached_replace, "missing", "x") == MEMCACHED_NOTSTORED);
  EXPECT(memcached_success(client.Store(memcached_append, "k", "-end")));
  EXPECT(memcached_success(client.Store(memcached_prepend, "k", "start-")));
  EXPECT(client.Holds("k", "start-three-end"));
  EXPECT(memcached_success(client.Store(memcached_set, "empty", "")));
  EXPECT(memcached_success(client.Store(memcached_set, std::string(250, 'k'), "long key")));
  EXPECT(client.Holds(std::string(250, 'k'), "long key"));
  EXPECT(memcached_success(memcached_touch(client.handle(), "k", 1, 100)));
  EXPECT(memcached_success(memcached_delete(client.handle(), "k", 1, 0)));
  EXPECT(memcached_delete(client.handle(), "k", 1, 0) == MEMCACHED_NOTFOUND);
  std::string value;
  EXPECT(client.Get("k", value) == MEMCACHED_NOTFOUND);
}

void LargeValues(Client& client) {
  for (const size_t size : {1000U, 16'384U, 100'000U, 1'000'000U}) {
    std::string value(size, '\0');
    for (size_t i = 0; i < size; ++i) value[i] = static_cast<char>(i * 31);
    EXPECT(memcached_success(client.Store(memcached_set, "large", value)));
    EXPECT(client.Holds("large", value));
  }
  EXPECT(memcached_failed(client.Store(memcached_set, "large", std::string(2 << 20, 'x'))));
  EXPECT(memcached_success(client.Store(memcached_set, "after", "refusal")));
  EXPECT(client.Holds("after", "refusal"));
}

void ManyKeys(Client& client) {
  constexpr size_t kCount = 1000;
  std::vector<std::string> keys(kCount);
  std::vector<const char*> pointers(kCount);
  std::vector<size_t> sizes(kCount);
  for (size_t i = 0; i < kCount; ++i) {
    keys[i] = "many" + std::to_string(i);
    pointers[i] = keys[i].data();
    sizes[i] = keys[i].size();
    EXPECT(memcached_success(client.Store(memcached_set, keys[i], std::to_string(i * i))));
  }
  EXPECT(memcached_success(memcached_mget(client.handle(), pointers.data(), sizes.data(), kCount)));
  size_t found = 0;
  memcached_return_t result = MEMCACHED_SUCCESS;
  while (memcached_result_st* item = memcached_fetch_result(client.handle(), nullptr, &result)) {
    const std::string_view key(memcached_result_key_value(item), memcached_result_key_length(item));
    const uint64_t number = std::strtoull(key.data() + 4, nullptr, 10);
    EXPECT(std::string_view(memcached_result_value(item), memcached_result_length(item)) ==
           std::to_string(number * number));
    memcached_result_free(item);
    ++found;
  }
  EXPECT(found == kCount);
}

void Numbers(Client& client) {
  EXPECT(memcached_success(client.Store(memcached_set, "n", "10")));
  uint64_t number = 0;
  EXPECT(memcached_success(memcached_increment(client.handle(), "n", 1, 5, &number)));
  EXPECT(number == 15);
  EXPECT(memcached_success(memcached_decrement(client.handle(), "n", 1, 100, &number)));
  EXPECT(number == 0);
  EXPECT(memcached_increment(client.handle(), "missing", 7, 1, &number) == MEMCACHED_NOTFOUND);
}

void CompareAndSwap(Client& client) {
  memcached_behavior_set(client.handle(), MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1);
  EXPECT(memcached_success(client.Store(memcached_set, "c", "one")));
  const char* key = "c";
  const size_t size = 1;
  EXPECT(memcached_success(memcached_mget(client.handle(), &key, &size, 1)));
  memcached_return_t result = MEMCACHED_SUCCESS;
  memcached_result_st* item = memcached_fetch_result(client.handle(), nullptr, &result);
  EXPECT(item != nullptr);
  const uint64_t unique = memcached_result_cas(item);
  memcached_result_free(item);
  EXPECT(memcached_fetch_result(client.handle(), nullptr, &result) == nullptr);
  const auto cas = [&](const char* value) {
    return memcached_cas(client.handle(), "c", 1, value, std::strlen(value), 0, Client::kFlags,
                         unique);
  };
  EXPECT(memcached_success(cas("two")));
  EXPECT(cas("three") == MEMCACHED_DATA_EXISTS);
  EXPECT(client.Holds("c", "two"));
}

void ServerVerbs(Client& client) {
  memcached_return_t result = MEMCACHED_SUCCESS;
  memcached_stat_st* stats = memcached_stat(client.handle(), nullptr, &result);
  EXPECT(memcached_success(result) && stats != nullptr);
  EXPECT(stats->limit_maxbytes == 64ULL << 20);
  EXPECT(stats->threads == 1);
  memcached_stat_free(client.handle(), stats);
  EXPECT(memcached_success(memcached_version(client.handle())));
  const auto* instance = memcached_server_instance_by_position(client.handle(), 0);
  EXPECT(memcached_server_major_version(instance) == 1);
  EXPECT(memcached_server_minor_version(instance) == 6);
  EXPECT(memcached_server_micro_version(instance) >= 18);
  EXPECT(memcached_success(memcached_verbosity(client.handle(), 0)));
  EXPECT(memcached_success(memcached_flush(client.handle(), 0)));
  std::string value;
  EXPECT(client.Get("after", value) == MEMCACHED_NOTFOUND);
}

// Answers of buffered and noreply writes are not seen; what they left behind is.
void UnansweredWrites(const std::string& server, memcached_behavior_t behavior) {
  Client writer(server, {behavior});
  for (int i = 0; i < 5000; ++i) {
    const memcached_return_t result =
        writer.Store(memcached_set, "quiet" + std::to_string(i), std::to_string(i));
    EXPECT(memcached_success(result) || result == MEMCACHED_BUFFERED);
  }
  EXPECT(memcached_success(memcached_flush_buffers(writer.handle())));
  for (int i = 0; i < 5000; i += 7) {
    EXPECT(writer.Holds("quiet" + std::to_string(i), std::to_string(i)));
  }
}

}  // namespace

int main(int argc, char** argv) {
  EXPECT(argc == 2);
  const std::string server = argv[1];
  const std::vector<std::vector<memcached_behavior_t>> variants = {
      {}, {MEMCACHED_BEHAVIOR_TCP_NODELAY}, {MEMCACHED_BEHAVIOR_NO_BLOCK}};
  for (const auto& variant : variants) {
    Client client(server, variant);
    StoringVerbs(client);
    LargeValues(client);
    ManyKeys(client);
    Numbers(client);
    CompareAndSwap(client);
    ServerVerbs(client);
  }
  UnansweredWrites(server, MEMCACHED_BEHAVIOR_BUFFER_REQUESTS);
  UnansweredWrites(server, MEMCACHED_BEHAVIOR_NOREPLY);
  std::puts("ok");
}
