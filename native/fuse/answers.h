// How the operations make their answers.
#pragma once

#include <cstring>
#include <string_view>

#include "fuse/operations.h"

namespace shoal::fuse {

inline Answer Refuse(int error) {
  Answer answer;
  answer.error = error;
  return answer;
}

// The refusal of what should have been answered.
inline Answer Failure(int error) {
  Answer answer = Refuse(error);
  answer.failed = true;
  return answer;
}

inline Answer NoReply() {
  Answer answer;
  answer.expected = false;
  return answer;
}

inline Answer Give(const void* data, size_t size) {
  Answer answer;
  answer.data = data;
  answer.size = size;
  return answer;
}

// A reply of fixed size, zeroed, in the workspace.
template <typename T>
T* Fresh(Workspace& workspace) {
  std::memset(workspace.room, 0, sizeof(T));
  return reinterpret_cast<T*>(workspace.room);
}

inline uint64_t WholeSeconds(double seconds) { return static_cast<uint64_t>(seconds); }

inline uint32_t RestNanoseconds(double seconds) {
  return static_cast<uint32_t>((seconds - static_cast<double>(WholeSeconds(seconds))) * 1e9);
}

template <typename T>
bool Take(std::string_view body, T* out) {
  if (body.size() < sizeof(T)) return false;
  std::memcpy(out, body.data(), sizeof(T));
  return true;
}

}  // namespace shoal::fuse
