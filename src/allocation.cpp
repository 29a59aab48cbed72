// The parts of the C++ runtime library that the addon uses. With them it does not need the machine's
// libstdc++, and loads beside one of any age, or none.
//
// Without exceptions a failure can only abort, which is where the library itself would end up.

#include <cstdlib>
#include <new>

void* operator new(size_t bytes) {
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) std::abort();
  return memory;
}

void* operator new[](size_t bytes) {
  return operator new(bytes);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete[](void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}

#ifdef __GLIBCXX__
namespace std {
// GCC's vector calls these if it would grow beyond the largest possible size.
[[noreturn]] void __throw_length_error(const char*) {
  abort();
}

[[noreturn]] void __throw_bad_alloc() {
  abort();
}
}  // namespace std
#endif
