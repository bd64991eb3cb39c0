// Bytes of somebody else's memory, lent to whoever sends them: a large value goes to its client
// from where it lies in the cache, without a copy.
//
// The bytes stay where they are, unchanged, until the loan is returned. A loan may travel between
// threads, as a message does; Return() is called once, by whoever has it then, and ends it.
#ifndef LARDER_IO_LOAN_H_
#define LARDER_IO_LOAN_H_

#include <memory>
#include <string_view>

namespace larder::io {

class Loan {
 public:
  explicit Loan(std::string_view bytes) : bytes_(bytes) {}
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  // The loan is gone then.
  virtual void Return() = 0;

 protected:
  ~Loan() = default;

 private:
  const std::string_view bytes_;
};

struct ReturnLoan {
  void operator()(Loan* loan) const { loan->Return(); }
};
// Returns the loan in the end.
using LoanPtr = std::unique_ptr<Loan, ReturnLoan>;

}  // namespace larder::io

#endif  // LARDER_IO_LOAN_H_
