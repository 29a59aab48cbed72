// Whether the C library's environment still is what JavaScript has read.
//
// Another thread may change the environment meanwhile and free parts of it. The kernel copies what is read
// here: an address that is no longer mapped fails the copy, and not this process.

#include <sys/uio.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "native.h"

extern char** environ;

namespace tracegate {
namespace {

// More pieces than a fresh environment has, which is one piece; a copy of many costs more than JavaScript's
// reading.
constexpr size_t kMostPieces = 64;

bool CopyOwn(const iovec& into, const iovec* from, size_t pieces) {
  const ssize_t copied = process_vm_readv(getpid(), &into, 1, from, pieces, 0);
  return copied >= 0 && static_cast<size_t>(copied) == into.iov_len;
}

// Adds a string of the environment to the pieces to copy. A fresh environment's strings adjoin each other.
bool AddPiece(std::vector<iovec>& pieces, char* string, size_t bytes) {
  if (!pieces.empty()) {
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

bool IsOwnEnvironment(const Bytes& expected) {
  const auto* text = reinterpret_cast<const char*>(expected.data);
  std::vector<size_t> lengths;
  for (size_t at = 0; at < expected.length; at += lengths.back())
    lengths.push_back(std::strlen(text + at) + 1);

  char** const list = __atomic_load_n(&environ, __ATOMIC_RELAXED);
  std::vector<char*> strings(lengths.size() + 1);
  const size_t listBytes = strings.size() * sizeof(char*);
  const iovec remoteList{list, listBytes};
  if (list == nullptr || !CopyOwn({strings.data(), listBytes}, &remoteList, 1)) return false;
  if (strings.back() != nullptr) return false;

  std::vector<iovec> pieces;
  for (size_t i = 0; i < lengths.size(); i++) {
    if (strings[i] == nullptr || !AddPiece(pieces, strings[i], lengths[i])) return false;
  }
  std::vector<uint8_t> actual(expected.length);
  if (!CopyOwn({actual.data(), actual.size()}, pieces.data(), pieces.size())) return false;
  return std::memcmp(actual.data(), expected.data, expected.length) == 0;
}

// isEnvironment(entries): a boolean. The entries end with a NUL each.
Napi::Value IsEnvironment(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IsOwnEnvironment(BytesArg(info, 0)));
}

}  // namespace

void ExportOwnEnvironment(Napi::Env env, Napi::Object exports) {
  exports.Set("isEnvironment", Napi::Function::New<IsEnvironment>(env));
}

}  // namespace tracegate
