#include "core/crc32c.h"

#include <array>

#include "core/bytes.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace shoal {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;

using Table = std::array<uint32_t, 256>;

constexpr std::array<Table, 8> MakeTables() {
  std::array<Table, 8> tables{};
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ ((value & 1) ? kPolynomial : 0);
    tables[0][i] = value;
  }
  for (uint32_t i = 0; i < 256; i++) {
    for (size_t k = 1; k < 8; k++) tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 255];
  }
  return tables;
}

constexpr auto kTables = MakeTables();

// a × b modulo the polynomial. Bit 31 is the coefficient of x⁰, as everywhere in a reflected CRC.
constexpr uint32_t Multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (; a != 0; a <<= 1) {
    if ((a >> 31) != 0) product ^= b;
    b = (b >> 1) ^ ((b & 1) ? kPolynomial : 0);
  }
  return product;
}

constexpr uint32_t kEighthPower = 0x00800000;  // x⁸: one byte

#if defined(__x86_64__) || defined(__aarch64__)

// The processor's instruction takes 3 cycles and starts anew in each, so three lanes side by side are three times as
// fast as one. A lane's value is carried over the lanes behind it by multiplying it with a power of x modulo the
// polynomial, which is linear: one table for each of its four bytes.
constexpr size_t kLongLane = 2048;
constexpr size_t kShortLane = 256;

// What a value becomes when `length` zero bytes follow it: times x^(8 × length). `length` is a power of two.
constexpr std::array<Table, 4> MakeShift(size_t length) {
  uint32_t power = kEighthPower;
  for (; length > 1; length /= 2) power = Multiply(power, power);
  std::array<Table, 4> shift{};
  for (uint32_t k = 0; k < 4; k++) {
    for (uint32_t bit = 0; bit < 8; bit++) {
      const uint32_t shifted = Multiply(uint32_t{1} << (8 * k + bit), power);
      for (uint32_t i = 0; i < (1U << bit); i++) shift[k][(1U << bit) + i] = shift[k][i] ^ shifted;
    }
  }
  return shift;
}

constexpr auto kLongShift = MakeShift(kLongLane);
constexpr auto kShortShift = MakeShift(kShortLane);

uint32_t Shift(const std::array<Table, 4>& shift, uint32_t crc) {
  return shift[0][crc & 255] ^ shift[1][(crc >> 8) & 255] ^ shift[2][(crc >> 16) & 255] ^ shift[3][crc >> 24];
}

// In assembler, so that the rest of this file needs no other instructions than the oldest processor has.
inline uint32_t Step8(uint32_t crc, const uint8_t* from) {
  const auto value = Load<uint64_t>(from);
#if defined(__x86_64__)
  uint64_t wide = crc;
  __asm__("crc32q %1, %0" : "+r"(wide) : "r"(value));
  return static_cast<uint32_t>(wide);
#else
  __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(value));
  return crc;
#endif
}

inline uint32_t Step1(uint32_t crc, uint8_t value) { return (crc >> 8) ^ kTables[0][(crc ^ value) & 255]; }

bool HasInstruction() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("sse4.2") != 0;
#else
  constexpr unsigned long kHwcapCrc32 = 1UL << 7;  // HWCAP_CRC32 of Linux's arch/arm64/include/uapi/asm/hwcap.h
  return (getauxval(AT_HWCAP) & kHwcapCrc32) != 0;
#endif
}

// Advances `crc` over as many times three lanes as there are.
uint32_t ThreeLanes(const uint8_t** data, size_t* size, uint32_t crc, size_t lane, const std::array<Table, 4>& shift) {
  for (; *size >= 3 * lane; *data += 3 * lane, *size -= 3 * lane) {
    const uint8_t* from = *data;
    uint32_t second = 0;
    uint32_t third = 0;
    for (const uint8_t* const end = from + lane; from != end; from += 8) {
      crc = Step8(crc, from);
      second = Step8(second, from + lane);
      third = Step8(third, from + 2 * lane);
    }
    crc = Shift(shift, Shift(shift, crc) ^ second) ^ third;
  }
  return crc;
}

uint32_t Crc32cInstruction(const uint8_t* data, size_t size, uint32_t seed) {
  uint32_t crc = ~seed;
  crc = ThreeLanes(&data, &size, crc, kLongLane, kLongShift);
  crc = ThreeLanes(&data, &size, crc, kShortLane, kShortShift);
  for (; size >= 8; data += 8, size -= 8) crc = Step8(crc, data);
  for (; size > 0; data++, size--) crc = Step1(crc, *data);
  return ~crc;
}

#endif

}  // namespace

uint32_t Crc32cPortable(const void* from, size_t size, uint32_t seed) {
  const auto* data = static_cast<const uint8_t*>(from);
  uint32_t crc = ~seed;
  for (; size >= 8; data += 8, size -= 8) {
    uint32_t low = Load<uint32_t>(data) ^ crc;
    uint32_t high = Load<uint32_t>(data + 4);
    crc = kTables[7][low & 255] ^ kTables[6][(low >> 8) & 255] ^ kTables[5][(low >> 16) & 255] ^ kTables[4][low >> 24] ^
          kTables[3][high & 255] ^ kTables[2][(high >> 8) & 255] ^ kTables[1][(high >> 16) & 255] ^
          kTables[0][high >> 24];
  }
  for (; size > 0; data++, size--) crc = (crc >> 8) ^ kTables[0][(crc ^ *data) & 255];
  return ~crc;
}

uint32_t Crc32cJoin(uint32_t first, uint32_t second, uint64_t length) {
  uint32_t power = kEighthPower;
  for (; length != 0; length /= 2, power = Multiply(power, power)) {
    if (length % 2 != 0) first = Multiply(first, power);
  }
  return first ^ second;
}

uint32_t Crc32c(const void* data, size_t size, uint32_t seed) {
#if defined(__x86_64__) || defined(__aarch64__)
  static const bool has_instruction = HasInstruction();
  if (has_instruction) return Crc32cInstruction(static_cast<const uint8_t*>(data), size, seed);
#endif
  return Crc32cPortable(data, size, seed);
}

}  // namespace shoal
