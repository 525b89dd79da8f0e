// Counter-based noise: a function of (seed, stream, trial, lane, unit, step) alone, as in engine/noise.py.
//
// Philox4x64-10 (Salmon, Moraes, Dror, Shaw, SC 2011) with key (seed, stream) and counter
// (block, lane, step, trial). One block is four 64-bit words: 8 Gaussian units, 256 signs or 4 rare units of one
// lane.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include "rows.hpp"

namespace neuroanp {
namespace noise_detail {

constexpr std::size_t words_per_block = 4;
constexpr std::size_t chunk = 64;  // blocks in work at once
constexpr std::size_t vector = 16;  // blocks that two vector registers hold at most

#ifdef __AVX512F__

// Eight blocks at a time.
struct Words {
    __m512i v;
};

inline Words operator+(Words a, Words b) { return {_mm512_add_epi64(a.v, b.v)}; }
inline Words operator^(Words a, Words b) { return {_mm512_xor_si512(a.v, b.v)}; }
inline Words same(std::uint64_t word) { return {_mm512_set1_epi64(static_cast<long long>(word))}; }
inline Words load(const std::uint64_t* from) { return {_mm512_loadu_si512(from)}; }

struct Product {
    Words high, low;
};

// All 128 bits of a * b, from products of halves: of two words a multiplication takes the low ones.
inline Product multiply(Words a, std::uint64_t b) {
    const auto upper_half = [](__m512i v) { return _mm512_maskz_shuffle_epi32(0x5555, v, _MM_PERM_DDBB); };
    const __m512i half = _mm512_set1_epi64(0xffffffff), upper = _mm512_shuffle_epi32(a.v, _MM_PERM_DDBB);
    const __m512i low = _mm512_set1_epi64(static_cast<long long>(b & 0xffffffffu));
    const __m512i high = _mm512_set1_epi64(static_cast<long long>(b >> 32));
    const __m512i least = _mm512_mul_epu32(a.v, low);
    const __m512i middle = _mm512_add_epi64(_mm512_mul_epu32(a.v, high), upper_half(least));
    const __m512i carry = _mm512_add_epi64(_mm512_mul_epu32(upper, low), _mm512_and_si512(middle, half));
    const __m512i most = _mm512_add_epi64(_mm512_mul_epu32(upper, high), _mm512_srli_epi64(middle, 32));
    return {{_mm512_add_epi64(most, _mm512_srli_epi64(carry, 32))},
            {_mm512_mask_shuffle_epi32(least, 0xaaaa, carry, _MM_PERM_CCAA)}};
}

// The four words of each block, one block after the other.
inline void store(std::uint64_t* to, Words c0, Words c1, Words c2, Words c3) {
    const __m512i front = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), back = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    const __m512i even01 = _mm512_unpacklo_epi64(c0.v, c1.v), odd01 = _mm512_unpackhi_epi64(c0.v, c1.v);
    const __m512i even23 = _mm512_unpacklo_epi64(c2.v, c3.v), odd23 = _mm512_unpackhi_epi64(c2.v, c3.v);
    const __m512i a = _mm512_permutex2var_epi64(even01, front, even23), b = _mm512_permutex2var_epi64(even01, back, even23);
    const __m512i c = _mm512_permutex2var_epi64(odd01, front, odd23), d = _mm512_permutex2var_epi64(odd01, back, odd23);
    _mm512_storeu_si512(to, _mm512_shuffle_i64x2(a, c, 0x44));
    _mm512_storeu_si512(to + 8, _mm512_shuffle_i64x2(a, c, 0xee));
    _mm512_storeu_si512(to + 16, _mm512_shuffle_i64x2(b, d, 0x44));
    _mm512_storeu_si512(to + 24, _mm512_shuffle_i64x2(b, d, 0xee));
}

#else

// One block at a time.
using Words = std::uint64_t;

inline Words same(std::uint64_t word) { return word; }
inline Words load(const std::uint64_t* from) { return *from; }

struct Product {
    Words high, low;
};

// All 128 bits of a * b.
inline Product multiply(Words a, std::uint64_t b) {
#ifdef __SIZEOF_INT128__
    const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)};
#else
    constexpr std::uint64_t low = 0xffffffffu;
    const std::uint64_t middle = (a & low) * (b >> 32) + (((a & low) * (b & low)) >> 32);
    const std::uint64_t carry = (a >> 32) * (b & low) + (middle & low);
    return {(a >> 32) * (b >> 32) + (middle >> 32) + (carry >> 32), a * b};
#endif
}

inline void store(std::uint64_t* to, Words c0, Words c1, Words c2, Words c3) {
    to[0] = c0, to[1] = c1, to[2] = c2, to[3] = c3;
}

#endif

// Blocks in work beside each other, as a round waits for the one before.
constexpr std::size_t beside = 2;

// words[4 * i + j]: word j of the block with counter (block[i], lane[i], step[i], trial); `count` is a multiple of
// `vector`.
[[gnu::noinline]] inline void philox(const std::uint64_t* __restrict block,
                                     const std::uint64_t* __restrict lane,
                                     const std::uint64_t* __restrict step, std::size_t count,
                                     std::uint64_t seed, std::uint64_t stream, std::uint64_t trial,
                                     std::uint64_t* __restrict words) {
    constexpr std::size_t each = sizeof(Words) / sizeof(std::uint64_t);
    for (std::size_t i = 0; i < count; i += beside * each) {
        Words c0[beside], c1[beside], c2[beside], c3[beside];
        for (std::size_t n = 0; n < beside; ++n) {
            const std::size_t at = i + n * each;
            c0[n] = load(block + at), c1[n] = load(lane + at), c2[n] = load(step + at), c3[n] = same(trial);
        }
        std::uint64_t k0 = seed, k1 = stream;
        for (int round = 0; round < 10; ++round) {
            for (std::size_t n = 0; n < beside; ++n) {
                const Product p = multiply(c0[n], 0xD2E7470EE14C6C93u), q = multiply(c2[n], 0xCA5A826395121157u);
                c0[n] = q.high ^ c1[n] ^ same(k0);
                c1[n] = q.low;
                c2[n] = p.high ^ c3[n] ^ same(k1);
                c3[n] = p.low;
            }
            k0 += 0x9E3779B97F4A7C15u;
            k1 += 0xBB67AE8584CAA73Bu;
        }
        for (std::size_t n = 0; n < beside; ++n) store(words + 4 * (i + n * each), c0[n], c1[n], c2[n], c3[n]);
    }
}

// Calls use(block, row, count, padded, words) for every chunk of `count` blocks, in the order of steps, lanes and
// units; words are there for `padded` blocks, a multiple of `vector`. Of the rows that it is told, one for each
// lane, a step has its own `apart` times as many rows after those of the step before. Lanes outside `some` are
// left out.
template <std::size_t units_per_block, class Use>
inline void for_each_chunk(std::uint64_t seed, std::uint64_t stream, std::uint64_t trial, std::uint64_t step,
                           Stretch some, std::uint64_t lanes, std::uint64_t units, std::uint64_t steps,
                           std::uint64_t apart, Use use) {
    std::uint64_t block[chunk], lane[chunk], at[chunk], row[chunk], words[words_per_block * chunk];
    const std::uint64_t blocks = (units + units_per_block - 1) / units_per_block;
    const auto first_lane = static_cast<std::uint64_t>(some.first), end_lane = static_cast<std::uint64_t>(some.end);
    std::uint64_t next_block = 0, next_lane = first_lane, next_step = 0;
    for (std::uint64_t left = steps * (end_lane - first_lane) * blocks; left > 0;) {
        const std::size_t count = left < chunk ? static_cast<std::size_t>(left) : chunk;
        const std::size_t padded = (count + vector - 1) / vector * vector;
        for (std::size_t i = 0; i < padded; ++i) {
            block[i] = next_block;
            lane[i] = next_lane;
            at[i] = step + next_step;
            row[i] = next_step * apart * lanes + next_lane;
            if (++next_block == blocks) {
                next_block = 0;
                if (++next_lane == end_lane) {
                    next_lane = first_lane;
                    ++next_step;
                }
            }
        }
        philox(block, lane, at, padded, seed, stream, trial, words);
        use(block, row, count, padded, words);
        left -= count;
    }
}

// Polynomials in x^2, minimax fits computed with 40 digits: atanh(x) / x for |x| <= 0.1716, sin(2 pi x) / x
// and cos(2 pi x) for |x| <= 1/8. Errors 1e-18, 2e-17, 5e-17 (double) and 7e-10, 2e-8, 3e-8 (float).
template <class F>
struct Coefficients;

template <>
struct Coefficients<double> {
    using Bits = std::uint64_t;
    static constexpr int mantissa = 52;
    static constexpr Bits sqrt_half = 0x3fe6a09e667f3bcdu;
    static constexpr double atanh[] = {
        1.0, 0.33333333333333823, 0.19999999999651169, 0.1428571438032084, 0.11111098528363023,
        0.090918158401146644, 0.076562640741820955, 0.074048551803276383};
    static constexpr double sin[] = {
        6.2831853071795865, -41.341702240399636, 81.605249275948035, -76.705859704274551, 42.058685020160894,
        -15.093804209987114, 3.7808689593022955};
    static constexpr double cos[] = {
        0.99999999999999995, -19.739208802178421, 64.939394022365371, -85.456817090341146, 60.24462008593029,
        -26.424257034882689, 7.8102909681441906};
};

template <>
struct Coefficients<float> {
    using Bits = std::uint32_t;
    static constexpr int mantissa = 23;
    static constexpr Bits sqrt_half = 0x3f3504f3u;
    static constexpr float atanh[] = {0.999999999f, 0.333334077f, 0.199874253f, 0.149621952f};
    static constexpr float sin[] = {6.28318529f, -41.3416626f, 81.5925429f, -75.4016127f};
    static constexpr float cos[] = {0.999999972f, -19.7391521f, 64.9212343f, -83.5918168f};
};

template <class F>
using Bits = typename Coefficients<F>::Bits;

template <class To, class From>
inline To bit_cast(From from) {
    static_assert(sizeof(To) == sizeof(From), "bit_cast needs types of one size");
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

template <std::size_t power = 0, class F, std::size_t terms>
inline F polynomial(const F (&coefficient)[terms], F x) {
    if constexpr (power + 1 == terms) {
        return coefficient[power];
    } else {
        return coefficient[power] + x * polynomial<power + 1>(coefficient, x);
    }
}

// -2 log u of u = (k + 1/2) / 2^32. Near u = 1, u - 1 is formed from the complement of k, exact in float too.
template <class F>
inline F minus_two_log(std::uint32_t k) {
    using C = Coefficients<F>;
    constexpr F resolution = F(1) / F(4294967296.0);
    const Bits<F> bits = bit_cast<Bits<F>>((static_cast<F>(k) + F(0.5)) * resolution);
    // u = 2^exponent * (1 + x) with 1 + x in [sqrt(1/2), sqrt(2)); shifted by 64 to stay unsigned
    const Bits<F> shifted = (bits - C::sqrt_half + (Bits<F>(64) << C::mantissa)) >> C::mantissa;
    const auto exponent = static_cast<std::int32_t>(shifted) - 64;
    F x = bit_cast<F>(bits - ((shifted - 64) << C::mantissa)) - F(1);
    if (sizeof(F) == sizeof(float)) {
        const F below_one = (static_cast<F>(~k) + F(0.5)) * -resolution;
        x = k >= 0xB504F334u ? below_one : x;
    }
    const F ratio = x / (x + F(2));
    return F(-4) * ratio * polynomial(C::atanh, ratio * ratio)
           - F(1.38629436111989061883) * static_cast<F>(exponent);
}

// cos and sin of 2 pi k / 2^32: nearest quarter turn, then polynomials of the rest.
template <class F>
inline void cos_sin(std::uint32_t k, F& cosine, F& sine) {
    using C = Coefficients<F>;
    const std::uint32_t quarter = (k + 0x20000000u) >> 30;
    const F x = static_cast<F>(static_cast<std::int32_t>(k - (quarter << 30))) * (F(1) / F(4294967296.0));
    const Bits<F> c = bit_cast<Bits<F>>(polynomial(C::cos, x * x));
    const Bits<F> s = bit_cast<Bits<F>>(x * polynomial(C::sin, x * x));
    const Bits<F> odd = Bits<F>(0) - static_cast<Bits<F>>(quarter & 1);
    constexpr int sign = 8 * sizeof(F) - 2;  // bit 1 to the sign bit
    cosine = bit_cast<F>(((c & ~odd) | (s & odd)) ^ (static_cast<Bits<F>>((quarter + 1) & 2) << sign));
    sine = bit_cast<F>(((s & ~odd) | (c & odd)) ^ (static_cast<Bits<F>>(quarter & 2) << sign));
}

}  // namespace noise_detail

// Fill the lanes `some` of out (lanes, units), row-major, with `scale` times standard normal noise; with more than
// one step, also the following ones, each `apart` times as far behind the one before as out is long.
//
// Word j of a block serves units 2j and 2j + 1 of its eight: Box-Muller of u = (k + 1/2) / 2^32 with k the
// low half, and of the angle 2 pi m / 2^32 with m the high half; the cosine first.
template <class F>
void fill_gaussian(F* out, std::uint64_t seed, std::uint64_t stream, std::uint64_t trial, std::uint64_t step,
                   Stretch some, std::uint64_t lanes, std::uint64_t units, F scale, std::uint64_t steps = 1,
                   std::uint64_t apart = 1) {
    namespace d = noise_detail;
    constexpr std::size_t per_block = 2 * d::words_per_block;
    d::for_each_chunk<per_block>(
        seed, stream, trial, step, some, lanes, units, steps, apart,
        [=](const std::uint64_t* block, const std::uint64_t* row, std::size_t count, std::size_t padded,
            const std::uint64_t* words) {
            F noise[per_block * d::chunk];
            for (std::size_t i = 0; i < d::words_per_block * padded; ++i) {
                const F radius = scale * std::sqrt(d::minus_two_log<F>(static_cast<std::uint32_t>(words[i])));
                F cosine, sine;
                d::cos_sin(static_cast<std::uint32_t>(words[i] >> 32), cosine, sine);
                noise[2 * i] = radius * cosine;
                noise[2 * i + 1] = radius * sine;
            }
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint64_t first = per_block * block[i];
                F* to = out + row[i] * units + first;
                if (units - first >= per_block) {
                    std::memcpy(to, noise + per_block * i, per_block * sizeof(F));
                } else {
                    std::memcpy(to, noise + per_block * i, (units - first) * sizeof(F));
                }
            }
        });
}

// As `fill_gaussian`, with plus or minus `scale`: unit i of a block's 256 is minus where bit
// i % 64 of word i / 64 is set.
template <class F>
void fill_sign(F* out, std::uint64_t seed, std::uint64_t stream, std::uint64_t trial, std::uint64_t step,
               Stretch some, std::uint64_t lanes, std::uint64_t units, F scale, std::uint64_t steps = 1,
               std::uint64_t apart = 1) {
    namespace d = noise_detail;
    using Bits = d::Bits<F>;
    constexpr std::size_t per_block = 64 * d::words_per_block;
    constexpr std::size_t digits = 8 * sizeof(F);
    const Bits plus = d::bit_cast<Bits>(scale);
    d::for_each_chunk<per_block>(
        seed, stream, trial, step, some, lanes, units, steps, apart,
        [=](const std::uint64_t* block, const std::uint64_t* row, std::size_t count, std::size_t,
            const std::uint64_t* words) {
            const auto spread = [=](Bits bits, F* to, std::size_t number) {
                for (std::size_t j = 0; j < number; ++j) {
                    to[j] = d::bit_cast<F>(static_cast<Bits>(plus ^ ((bits >> j) << (digits - 1))));
                }
            };
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint64_t first = per_block * block[i];
                const std::uint64_t end = units - first < per_block ? units - first : per_block;
                F* to = out + row[i] * units + first;
                for (std::size_t j = 0; j < end; j += digits) {
                    const auto bits = static_cast<Bits>(words[d::words_per_block * i + j / 64] >> (j % 64));
                    if (end - j >= digits) {
                        spread(bits, to + j, digits);
                    } else {
                        spread(bits, to + j, end - j);
                    }
                }
            }
        });
}

// As `fill_gaussian`, with zeros and, with probability `chance`, `scale` * sqrt(3 / chance)
// times a number from -1 to 1: unit i of a block's four has word i, whose low half says whether and whose high
// half says what.
template <class F>
void fill_rare(F* out, std::uint64_t seed, std::uint64_t stream, std::uint64_t trial, std::uint64_t step,
               Stretch some, std::uint64_t lanes, std::uint64_t units, F scale, double chance, std::uint64_t steps = 1,
               std::uint64_t apart = 1) {
    namespace d = noise_detail;
    const auto limit = static_cast<std::uint64_t>(chance * 4294967296.0);
    const F largest = scale * static_cast<F>(std::sqrt(3.0 / chance));
    d::for_each_chunk<d::words_per_block>(
        seed, stream, trial, step, some, lanes, units, steps, apart,
        [=](const std::uint64_t* block, const std::uint64_t* row, std::size_t count, std::size_t,
            const std::uint64_t* words) {
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint64_t first = d::words_per_block * block[i];
                F* to = out + row[i] * units + first;
                for (std::size_t j = 0; j < d::words_per_block && first + j < units; ++j) {
                    const std::uint64_t word = words[d::words_per_block * i + j];
                    const double size = (static_cast<double>(word >> 32) + 0.5) / 2147483648.0 - 1.0;
                    to[j] = (word & 0xffffffffu) < limit ? largest * static_cast<F>(size) : F(0);
                }
            }
        });
}

// As `fill_gaussian`, with logistic noise of the same variance: sqrt(3) / pi times log(u / (1 - u)) of
// u = (k + 1/2) / 2^32, with k the low half of a word for unit 2j and the high half for unit 2j + 1.
template <class F>
void fill_logistic(F* out, std::uint64_t seed, std::uint64_t stream, std::uint64_t trial, std::uint64_t step,
                   Stretch some, std::uint64_t lanes, std::uint64_t units, F scale, std::uint64_t steps = 1,
                   std::uint64_t apart = 1) {
    namespace d = noise_detail;
    constexpr std::size_t per_block = 2 * d::words_per_block;
    const F half = scale * F(0.27566444771089602);  // sqrt(3) / pi / 2
    d::for_each_chunk<per_block>(
        seed, stream, trial, step, some, lanes, units, steps, apart,
        [=](const std::uint64_t* block, const std::uint64_t* row, std::size_t count, std::size_t padded,
            const std::uint64_t* words) {
            F noise[per_block * d::chunk];
            for (std::size_t i = 0; i < d::words_per_block * padded; ++i) {
                const auto low = static_cast<std::uint32_t>(words[i]);
                const auto high = static_cast<std::uint32_t>(words[i] >> 32);
                noise[2 * i] = half * (d::minus_two_log<F>(~low) - d::minus_two_log<F>(low));
                noise[2 * i + 1] = half * (d::minus_two_log<F>(~high) - d::minus_two_log<F>(high));
            }
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint64_t first = per_block * block[i];
                const std::uint64_t left = units - first < per_block ? units - first : per_block;
                std::memcpy(out + row[i] * units + first, noise + per_block * i, left * sizeof(F));
            }
        });
}

}  // namespace neuroanp
