// thread_sanitizer: tells TSan that a message's content goes from one thread to another. Debian's
// libzmq, which passes it on, is not built with TSan. Costs nothing without it.
#pragma once

#ifdef __SANITIZE_THREAD__
extern "C" void __tsan_acquire(void*);  // of the compiler's sanitizer/tsan_interface.h
extern "C" void __tsan_release(void*);
#endif

namespace holdfast {

/// What was written there is for another thread from now on.
inline void hand_over_content([[maybe_unused]] void* content) noexcept {
#ifdef __SANITIZE_THREAD__
  __tsan_release(content);
#endif
}

/// It came from another thread, if that is one of this process.
inline void take_over_content([[maybe_unused]] void* content) noexcept {
#ifdef __SANITIZE_THREAD__
  __tsan_acquire(content);
#endif
}

}  // namespace holdfast
