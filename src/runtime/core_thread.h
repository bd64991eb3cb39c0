// One thread for one core: named, and pinned to its CPU where there is one for it.
#ifndef LARDER_RUNTIME_CORE_THREAD_H_
#define LARDER_RUNTIME_CORE_THREAD_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <thread>

namespace larder::runtime {

class CoreThread {
 public:
  struct Options {
    uint32_t index = 0;
    // Not pinned without. A CPU that is refused is not insisted on.
    std::optional<int> cpu = std::nullopt;
  };

  // Starts `body` at once.
  CoreThread(const Options& options, std::function<void()> body);
  // Waits for `body` to return.
  ~CoreThread();
  // The processor time that it has used, the kernel's on its behalf included. From any thread.
  [[nodiscard]] uint64_t CpuNs() const;
  CoreThread(const CoreThread&) = delete;
  CoreThread& operator=(const CoreThread&) = delete;

 private:
  mutable std::thread thread_;  // its handle is not to be had of a constant one
};

}  // namespace larder::runtime

#endif  // LARDER_RUNTIME_CORE_THREAD_H_
