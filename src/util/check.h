// Assertions. CHECK is always on: for what would corrupt memory or serve a wrong value. DCHECK is
// on unless NDEBUG is defined: for the rest, freely. A failure prints where,
// what, and both values, and aborts.
//
//   CHECK(condition), CHECK_EQ(a, b), _NE, _LT, _LE, _GT, _GE; the same with D in front.
#ifndef LARDER_UTIL_CHECK_H_
#define LARDER_UTIL_CHECK_H_

#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

namespace larder::internal {

[[noreturn, gnu::cold, gnu::noinline]] void CheckFailed(const char* file, int line,
                                                        const char* condition);
[[noreturn, gnu::cold, gnu::noinline]] void CheckFailedWithValues(const char* file, int line,
                                                                  const char* condition,
                                                                  int64_t left, int64_t right);

// A value as the message shows it: numbers, enums, booleans and addresses; anything else as 0.
template <typename T>
constexpr int64_t Shown(const T& value) {
  if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
    return static_cast<int64_t>(value);
  } else if constexpr (std::is_pointer_v<T>) {
    return static_cast<int64_t>(reinterpret_cast<intptr_t>(value));
  } else {
    return 0;
  }
}

// Integers of different signs are compared by value.
template <typename A, typename B>
constexpr bool kSafeCompare =
    std::is_integral_v<A>&& std::is_integral_v<B> && !std::same_as<A, bool> &&
    !std::same_as<B, bool> && !std::same_as<A, char> && !std::same_as<B, char>;

#define LARDER_COMPARISON(name, op, safe)                        \
  struct name {                                                  \
    template <typename A, typename B>                            \
    static constexpr bool Holds(const A& left, const B& right) { \
      if constexpr (kSafeCompare<A, B>) {                        \
        return std::safe(left, right);                           \
      } else {                                                   \
        return left op right;                                    \
      }                                                          \
    }                                                            \
  }
LARDER_COMPARISON(Equal, ==, cmp_equal);
LARDER_COMPARISON(NotEqual, !=, cmp_not_equal);
LARDER_COMPARISON(Less, <, cmp_less);
LARDER_COMPARISON(LessEqual, <=, cmp_less_equal);
LARDER_COMPARISON(Greater, >, cmp_greater);
LARDER_COMPARISON(GreaterEqual, >=, cmp_greater_equal);
#undef LARDER_COMPARISON

template <typename Comparison, typename A, typename B>
[[gnu::always_inline]] constexpr void CheckHolds(const A& left, const B& right, const char* file,
                                                 int line, const char* condition) {
  if (Comparison::Holds(left, right)) return;
  CheckFailedWithValues(file, line, condition, Shown(left), Shown(right));
}

}  // namespace larder::internal

// Expressions, not statements: a check adds no level to the function that it is in.
#define CHECK(condition) \
  ((condition) ? void() : ::larder::internal::CheckFailed(__FILE__, __LINE__, #condition))
#define LARDER_CHECK_OP(comparison, op, a, b)                                              \
  ::larder::internal::CheckHolds<::larder::internal::comparison>(a, b, __FILE__, __LINE__, \
                                                                 #a " " #op " " #b)
#define CHECK_EQ(a, b) LARDER_CHECK_OP(Equal, ==, a, b)
#define CHECK_NE(a, b) LARDER_CHECK_OP(NotEqual, !=, a, b)
#define CHECK_LT(a, b) LARDER_CHECK_OP(Less, <, a, b)
#define CHECK_LE(a, b) LARDER_CHECK_OP(LessEqual, <=, a, b)
#define CHECK_GT(a, b) LARDER_CHECK_OP(Greater, >, a, b)
#define CHECK_GE(a, b) LARDER_CHECK_OP(GreaterEqual, >=, a, b)

#ifdef NDEBUG
// Still compiled, so that it stays true and what it names counts as used.
#define LARDER_DCHECK(check) (true ? void() : (check))
#else
#define LARDER_DCHECK(check) check
#endif
#define DCHECK(condition) LARDER_DCHECK(CHECK(condition))
#define DCHECK_EQ(a, b) LARDER_DCHECK(CHECK_EQ(a, b))
#define DCHECK_NE(a, b) LARDER_DCHECK(CHECK_NE(a, b))
#define DCHECK_LT(a, b) LARDER_DCHECK(CHECK_LT(a, b))
#define DCHECK_LE(a, b) LARDER_DCHECK(CHECK_LE(a, b))
#define DCHECK_GT(a, b) LARDER_DCHECK(CHECK_GT(a, b))
#define DCHECK_GE(a, b) LARDER_DCHECK(CHECK_GE(a, b))

#endif  // LARDER_UTIL_CHECK_H_
