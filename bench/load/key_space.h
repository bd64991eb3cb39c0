// The keys and values of a load: both follow from a key's number, so that every reply can be
// checked whoever stored the value, and no table of them is kept.
//
//   key 4711 of 20 bytes    k0000000000000004711
//   its value of 32 bytes   k0000000000000004711vvvvvvvvvvvv     shorter ones are cut
//
// Where value sizes vary, a key keeps its size.
#ifndef LARDER_BENCH_LOAD_KEY_SPACE_H_
#define LARDER_BENCH_LOAD_KEY_SPACE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace larder::bench {

class KeySpace {
 public:
  struct Options {
    uint32_t keys = 1'000'000;
    uint32_t key_size = 20;
    uint32_t value_size_min = 64;
    uint32_t value_size_max = 64;
  };

  // The shortest key that numbers of `keys` fit in.
  static uint32_t KeySizeMin(uint32_t keys);

  explicit KeySpace(const Options& options);

  [[nodiscard]] uint32_t Keys() const { return options_.keys; }
  [[nodiscard]] uint32_t KeySize() const { return options_.key_size; }
  [[nodiscard]] uint32_t ValueSizeMax() const { return options_.value_size_max; }

  [[nodiscard]] uint32_t ValueSize(uint32_t number) const;
  void AppendKey(uint32_t number, std::string& out) const;
  void AppendValue(uint32_t number, std::string& out) const;

  [[nodiscard]] bool IsKey(uint32_t number, std::string_view bytes) const;
  [[nodiscard]] bool IsValue(uint32_t number, std::string_view bytes) const;

 private:
  void WriteDigits(uint32_t number, char* end) const;

  Options options_;
  std::string key_template_;
  std::string filler_;
};

// Appends `number` in decimal.
void AppendDecimal(uint64_t number, std::string& out);

}  // namespace larder::bench

#endif  // LARDER_BENCH_LOAD_KEY_SPACE_H_
