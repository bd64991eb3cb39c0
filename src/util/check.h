// Assertions. CHECK is always on: for what would corrupt memory or serve a wrong value. DCHECK is
// on unless NDEBUG is defined: for the rest, freely. A failure prints where, what, and both values,
// and aborts.
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

// Compares integers of different signs by value.
template <typename A, typename B>
constexpr bool kSafeCompare =
    std::is_integral_v<A>&& std::is_integral_v<B> && !std::same_as<A, bool> &&
    !std::same_as<B, bool> && !std::same_as<A, char> && !std::same_as<B, char>;

}  // namespace larder::internal

// The comparison is a generic lambda, so that only the branch taken has to compile: clang looks at
// both in an ordinary function.
#define LARDER_CHECK_OP(op, safe, a, b)                                                         \
  do {                                                                                          \
    const auto& check_a = (a);                                                                  \
    const auto& check_b = (b);                                                                  \
    const bool check_holds = [](const auto& check_l, const auto& check_r) {                     \
      if constexpr (::larder::internal::kSafeCompare<std::remove_cvref_t<decltype(check_l)>,    \
                                                     std::remove_cvref_t<decltype(check_r)>>) { \
        return std::safe(check_l, check_r);                                                     \
      } else {                                                                                  \
        return check_l op check_r;                                                              \
      }                                                                                         \
    }(check_a, check_b);                                                                        \
    if (!check_holds) [[unlikely]] {                                                            \
      ::larder::internal::CheckFailedWithValues(__FILE__, __LINE__, #a " " #op " " #b,          \
                                                ::larder::internal::Shown(check_a),             \
                                                ::larder::internal::Shown(check_b));            \
    }                                                                                           \
  } while (false)

#define CHECK(condition)                                               \
  do {                                                                 \
    if (!(condition)) [[unlikely]]                                     \
      ::larder::internal::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)
#define CHECK_EQ(a, b) LARDER_CHECK_OP(==, cmp_equal, a, b)
#define CHECK_NE(a, b) LARDER_CHECK_OP(!=, cmp_not_equal, a, b)
#define CHECK_LT(a, b) LARDER_CHECK_OP(<, cmp_less, a, b)
#define CHECK_LE(a, b) LARDER_CHECK_OP(<=, cmp_less_equal, a, b)
#define CHECK_GT(a, b) LARDER_CHECK_OP(>, cmp_greater, a, b)
#define CHECK_GE(a, b) LARDER_CHECK_OP(>=, cmp_greater_equal, a, b)

#ifdef NDEBUG
#define LARDER_DCHECK(check) \
  do {                       \
    if (false) check;        \
  } while (false)
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
