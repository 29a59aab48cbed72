// Whether the C library's environment is still what JavaScript has read.
//
// Another thread may change the environment meanwhile and free parts of it. So the kernel copies it: an
// address that is no longer mapped fails the copy and does not crash this process.

#include <sys/uio.h>
#include <unistd.h>

#include <cstring>
#include <utility>
#include <vector>

#include "native.h"

extern char** environ;

namespace tracegate {
namespace {

// A fresh environment is one piece. A copy of more pieces than this costs more than reading it in JavaScript.
constexpr size_t kMostPieces = 64;

bool CopyOwn(const iovec& into, const iovec* from, size_t pieces) {
  const ssize_t copied = process_vm_readv(getpid(), &into, 1, from, pieces, 0);
  return copied >= 0 && static_cast<size_t>(copied) == into.iov_len;
}

// Adds a string of the environment to the pieces to copy, of which the first is the list. A fresh
// environment's strings adjoin each other.
bool AddPiece(std::vector<iovec>& pieces, char* string, size_t bytes) {
  if (pieces.size() > 1) {
    iovec& last = pieces.back();
    if (static_cast<char*>(last.iov_base) + last.iov_len == string) {
      last.iov_len += bytes;
      return true;
    }
  }
  if (pieces.size() == kMostPieces) return false;
  pieces.push_back({string, bytes});
  return true;
}

// The environment that was read last: its addresses and its content. One copy then shows whether it has
// changed.
struct Seen {
  // The list of pointers, then the strings.
  std::vector<iovec> pieces;
  std::vector<uint8_t> content;
  size_t listBytes = 0;
  std::vector<uint8_t> copy;
};

bool IsUnchanged(Seen& seen, const Bytes& expected) {
  if (seen.content.size() != seen.listBytes + expected.length) return false;
  if (__atomic_load_n(&environ, __ATOMIC_RELAXED) != seen.pieces.front().iov_base) return false;
  if (!CopyOwn({seen.copy.data(), seen.copy.size()}, seen.pieces.data(), seen.pieces.size())) return false;
  return std::memcmp(seen.copy.data(), seen.content.data(), seen.content.size()) == 0 &&
         std::memcmp(seen.content.data() + seen.listBytes, expected.data, expected.length) == 0;
}

bool IsOwnEnvironment(const Bytes& expected) {
  // Only the main thread has the C library's environment for its own.
  static Seen* seen = nullptr;
  if (seen != nullptr && IsUnchanged(*seen, expected)) return true;

  const auto* text = reinterpret_cast<const char*>(expected.data);
  std::vector<size_t> lengths;
  for (size_t at = 0; at < expected.length; at += lengths.back())
    lengths.push_back(std::strlen(text + at) + 1);

  char** const list = __atomic_load_n(&environ, __ATOMIC_RELAXED);
  std::vector<char*> strings(lengths.size() + 1);
  const size_t listBytes = strings.size() * sizeof(char*);
  std::vector<iovec> pieces{{list, listBytes}};
  if (list == nullptr || !CopyOwn({strings.data(), listBytes}, pieces.data(), 1)) return false;
  if (strings.back() != nullptr) return false;

  for (size_t i = 0; i < lengths.size(); i++) {
    if (strings[i] == nullptr || !AddPiece(pieces, strings[i], lengths[i])) return false;
  }
  std::vector<uint8_t> content(listBytes + expected.length);
  std::memcpy(content.data(), strings.data(), listBytes);
  if (!CopyOwn({content.data() + listBytes, expected.length}, pieces.data() + 1, pieces.size() - 1))
    return false;
  if (std::memcmp(content.data() + listBytes, expected.data, expected.length) != 0) return false;
  if (seen == nullptr) seen = new Seen;
  *seen = {std::move(pieces), content, listBytes, std::vector<uint8_t>(content.size())};
  return true;
}

// isEnvironment(entries): a boolean. The entries end with a NUL each.
Napi::Value IsEnvironment(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IsOwnEnvironment(BytesArg(info, 0)));
}

}  // namespace

const Export kOwnEnvironmentExports[] = {
    {"isEnvironment", Function<IsEnvironment>},
};

Exports OwnEnvironmentExports() {
  return All(kOwnEnvironmentExports);
}

}  // namespace tracegate
