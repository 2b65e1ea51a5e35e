#include "core/name_table.h"

#include <cstring>

#include "core/bytes.h"
#include "core/process_seed.h"

namespace shoal {
namespace {

constexpr uint32_t kFirstBits = 10;
// Odd constants with about as many ones as zeros: the first 192 bits of the fractional part of π.
constexpr uint64_t kMultipliers[3] = {0x243F6A8885A308D3, 0x13198A2E03707345, 0xA4093822299F31D1};

uint64_t Mix(uint64_t a, uint64_t b) {
  __extension__ typedef unsigned __int128 Wide;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

NameTable::NameTable() : slots_(size_t{1} << kFirstBits), shift_(32 - kFirstBits) {}

uint32_t NameTable::Hash(uint32_t parent, std::string_view name) {
  static const uint64_t seed = ProcessSeed();
  uint64_t hash = Mix(seed ^ parent, kMultipliers[0] ^ name.size());
  const char* at = name.data();
  size_t left = name.size();
  for (; left >= 8; at += 8, left -= 8) hash = Mix(hash ^ Load<uint64_t>(at), kMultipliers[1]);
  uint64_t rest = 0;
  std::memcpy(&rest, at, left);
  return static_cast<uint32_t>(Mix(hash ^ rest, kMultipliers[2] ^ seed) >> 32);
}

void NameTable::Insert(uint32_t hash, uint32_t node) {
  if (used_ >= slots_.size() / 4 * 3 && shift_ > 0) {
    std::vector<uint64_t> old(slots_.size() * 2);
    old.swap(slots_);
    shift_--;
    for (uint64_t slot : old) {
      if (slot != 0) Place(slot);
    }
  }
  Place(static_cast<uint64_t>(hash) << 32 | node);
  used_++;
}

void NameTable::Place(uint64_t slot) {
  size_t i = slot >> 32 >> shift_;
  while (slots_[i] != 0) i = (i + 1) & (slots_.size() - 1);
  slots_[i] = slot;
}

void NameTable::Release() { slots_ = std::vector<uint64_t>(); }

}  // namespace shoal
