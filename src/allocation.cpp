// The parts of the C++ runtime library that the addon uses. With them it needs no libstdc++ of the machine,
// and loads beside one of any age, or none.
//
// Without exceptions there is nothing to do but abort, which is what the library itself would come to.

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
// GCC's vector calls these when it would grow beyond all memory.
[[noreturn]] void __throw_length_error(const char*) {
  abort();
}

[[noreturn]] void __throw_bad_alloc() {
  abort();
}
}  // namespace std
#endif
