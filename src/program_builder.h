#pragma once

// A child program in native memory, from its flattened form (lib/native/encode-program.ts). The child reads
// it, and allocates nothing.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "child/program.h"
#include "child_slot.h"

namespace tracegate {

// Hands out pieces of one block, sized beforehand. A child still reads them after the fork has returned.
class Block {
 public:
  explicit Block(size_t bytes) : memory_(static_cast<std::byte*>(std::malloc(bytes))), next_(memory_.get()) {}

  explicit operator bool() const { return memory_ != nullptr; }

  template <typename T>
  T* Take(size_t count) {
    auto address = reinterpret_cast<uintptr_t>(next_);
    address = (address + alignof(T) - 1) / alignof(T) * alignof(T);
    T* taken = reinterpret_cast<T*>(address);
    next_ = reinterpret_cast<std::byte*>(taken + count);
    return taken;
  }

  Memory Release() { return std::move(memory_); }

 private:
  Memory memory_;
  std::byte* next_;
};

// The flattened form. The 32-bit words are a header, then action by action. The bytes are the actions'
// NUL-terminated strings and the data that they write, in order.
struct Flattened {
  Flattened(const int32_t* header, const uint8_t* allBytes)
      : actionCount(static_cast<size_t>(header[0])),
        byteCount(static_cast<size_t>(header[1])),
        stringCount(static_cast<size_t>(header[2])),
        words(header + 3),
        bytes(allBytes) {}

  size_t actionCount;
  size_t byteCount;
  size_t stringCount;
  const int32_t* words;
  const uint8_t* bytes;
};

class ProgramBuilder {
 public:
  ProgramBuilder(const Flattened& flat, Block& block)
      : word_(flat.words), actionCount_(flat.actionCount), block_(block) {
    actions_ = block.Take<Action>(flat.actionCount);
    bytes_ = block.Take<uint8_t>(flat.byteCount);
    if (flat.byteCount > 0) std::memcpy(bytes_, flat.bytes, flat.byteCount);
  }

  static size_t BlockBytes(const Flattened& flat, size_t keptDescriptors) {
    // For each action: three lists with their terminating nulls, and the shell's two words around an argv.
    const size_t pointers = flat.stringCount + 5 * flat.actionCount;
    return flat.actionCount * sizeof(Action) + flat.byteCount + pointers * sizeof(char*) +
           keptDescriptors * sizeof(int32_t) + (1 + 4 * flat.actionCount) * alignof(std::max_align_t);
  }

  // The folder of the cgroup that the child is to join; null: none.
  const char* cgroup() const { return cgroup_; }

  const Action* Build() {
    for (size_t i = 0; i < actionCount_; i++) actions_[i] = Next();
    return actions_;
  }

 private:
  Action Next() {
    Action action{};
    action.op = static_cast<Op>(*word_++);
    switch (action.op) {
      case Op::kTraceme:
      case Op::kSetsid:
      case Op::kForeground:
      case Op::kNoNewPrivileges:
        break;
      case Op::kWrite:
        action.fd = *word_++;
        TakeBytes(action);
        break;
      case Op::kAffinity:
      case Op::kSeccomp:
        TakeBytes(action);
        break;
      case Op::kRead:
        action.fd = *word_++;
        action.bytes = static_cast<size_t>(std::max(0, *word_++));
        break;
      case Op::kOpen:
        action.number = *word_++;
        action.mode = *word_++;
        action.target = *word_++;
        action.path = NextString();
        break;
      case Op::kDup2:
        action.fd = *word_++;
        action.target = *word_++;
        break;
      case Op::kClose:
      case Op::kSetBlocking:
      case Op::kControllingTerminal:
        action.fd = *word_++;
        break;
      case Op::kGroups:
        action.mode = *word_++;
        TakeList(action);
        break;
      case Op::kCloseAllExcept:
        TakeList(action);
        break;
      case Op::kCgroup:
        action.path = cgroup_ = NextString();
        action.text = NextString();
        break;
      case Op::kOomScoreAdj:
        action.text = NextString();
        action.bytes = std::strlen(action.text);
        break;
      case Op::kRlimits:
        action.number = *word_++;
        action.limit.soft = NextLong();
        action.limit.hard = NextLong();
        break;
      case Op::kChdir:
      case Op::kChroot:
        action.path = NextString();
        break;
      case Op::kIgnoreSignals:
      case Op::kSignalMask:
        action.signals = NextLong();
        break;
      case Op::kParentDeathSignal:
        action.number = *word_++;
        action.fd = *word_++;
        break;
      case Op::kRaise:
      case Op::kExit:
      case Op::kProcessGroup:
      case Op::kUmask:
      case Op::kNice:
      case Op::kAslr:
      case Op::kNamespaces:
      case Op::kGid:
      case Op::kUid:
      case Op::kTracer:
        action.number = *word_++;
        break;
      case Op::kExecve: {
        const int32_t files = *word_++;
        const int32_t argc = *word_++;
        const int32_t envc = *word_++;
        action.files = NextStrings(files);
        action.script = NextArguments(argc);
        action.env = NextStrings(envc);
        break;
      }
    }
    return action;
  }

  void TakeBytes(Action& action) {
    action.bytes = static_cast<size_t>(*word_++);
    action.data = bytes_;
    bytes_ += action.bytes;
  }

  void TakeList(Action& action) {
    action.number = *word_++;
    auto* list = block_.Take<int32_t>(static_cast<size_t>(action.number));
    std::copy_n(word_, action.number, list);
    word_ += action.number;
    action.kept = list;
  }

  uint64_t NextLong() {
    const uint64_t low = static_cast<uint32_t>(*word_++);
    return low | uint64_t{static_cast<uint32_t>(*word_++)} << 32;
  }

  const char* NextString() {
    const char* taken = reinterpret_cast<const char*>(bytes_);
    bytes_ += std::strlen(taken) + 1;
    return taken;
  }

  const char* const* NextStrings(int32_t count) {
    auto** list = block_.Take<const char*>(static_cast<size_t>(count) + 1);
    for (int32_t i = 0; i < count; i++) list[i] = NextString();
    list[count] = nullptr;
    return list;
  }

  // An argv, with a word before it for the shell that runs a script. After it there is room for the script's
  // name, in case that argv is empty.
  const char** NextArguments(int32_t count) {
    auto** list = block_.Take<const char*>(static_cast<size_t>(count) + 3);
    list[0] = kShell;
    for (int32_t i = 1; i <= count; i++) list[i] = NextString();
    list[count + 1] = nullptr;
    list[count + 2] = nullptr;
    return list;
  }

  const int32_t* word_;
  size_t actionCount_;
  Block& block_;
  Action* actions_;
  uint8_t* bytes_;
  const char* cgroup_ = nullptr;
};

}  // namespace tracegate
