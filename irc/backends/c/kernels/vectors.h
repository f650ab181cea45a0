/*
 * Sixteen results side by side, in whatever vectors the processor has: GCC and Clang split them up.
 * Only what these languages cannot say is in intrinsics: counting bits, products of bytes, and a
 * comparison that gives bits.
 */
#ifndef IRC_VECTORS
#define IRC_VECTORS

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define IRC_INLINE static inline __attribute__((always_inline, unused))
#define IRC_ALIGNED __attribute__((aligned(64)))
#define IRC_LANES 16u

typedef uint32_t irc_lanes __attribute__((vector_size(64)));
typedef int32_t irc_signed_lanes __attribute__((vector_size(64)));

IRC_INLINE void irc_load(irc_lanes *to, const void *from)
{
    memcpy(to, from, sizeof *to);
}

/* counts += ones of each lane. */
IRC_INLINE void irc_count(irc_lanes *counts, const irc_lanes *words)
{
#if defined(__AVX512VPOPCNTDQ__)
    *counts += (irc_lanes)_mm512_popcnt_epi32((__m512i)*words);
#elif defined(__AVX2__)
    /* A table of 16 in each register (Mula, Kurz and Lemire, "Faster population counts using AVX2
       instructions", 2018). */
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    __m256i parts[2];
    memcpy(parts, words, sizeof parts);
    for (int i = 0; i < 2; ++i) {
        const __m256i first = _mm256_shuffle_epi8(table, _mm256_and_si256(parts[i], low));
        const __m256i shifted = _mm256_and_si256(_mm256_srli_epi16(parts[i], 4), low);
        const __m256i bytes = _mm256_add_epi8(first, _mm256_shuffle_epi8(table, shifted));
        const __m256i halves = _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));
        parts[i] = _mm256_madd_epi16(halves, _mm256_set1_epi16(1));
    }
    irc_lanes ones;
    memcpy(&ones, parts, sizeof ones);
    *counts += ones;
#elif defined(__aarch64__)
    uint8x16_t parts[4];
    memcpy(parts, words, sizeof parts);
    irc_lanes ones;
    for (int i = 0; i < 4; ++i) {
        const uint32x4_t sums = vpaddlq_u16(vpaddlq_u8(vcntq_u8(parts[i])));
        memcpy((unsigned char *)&ones + 16 * i, &sums, sizeof sums);
    }
    *counts += ones;
#else
    irc_lanes v = *words;
    v -= (v >> 1) & 0x55555555u;
    v = (v & 0x33333333u) + ((v >> 2) & 0x33333333u);
    v = (v + (v >> 4)) & 0x0F0F0F0Fu;
    v += v >> 8;
    *counts += (v + (v >> 16)) & 0x3Fu;
#endif
}

/* sums += products of four unsigned bytes with four signed ones, of at most 64 in magnitude. */
IRC_INLINE void irc_multiply(
    irc_signed_lanes *sums, const unsigned char *bytes, const int8_t *weights)
{
#if defined(__AVX512VNNI__) || defined(__AVX2__)
    uint32_t four;
    memcpy(&four, bytes, sizeof four);
#endif
#if defined(__AVX512VNNI__)
    const __m512i x = _mm512_set1_epi32((int)four);
    const __m512i w = _mm512_loadu_si512((const void *)weights);
    *sums = (irc_signed_lanes)_mm512_dpbusd_epi32((__m512i)*sums, x, w);
#elif defined(__AVX2__)
    const __m256i x = _mm256_set1_epi32((int)four);
    __m256i parts[2];
    irc_signed_lanes products;
    memcpy(parts, weights, sizeof parts);
    for (int i = 0; i < 2; ++i) {
        parts[i] = _mm256_madd_epi16(_mm256_maddubs_epi16(x, parts[i]), _mm256_set1_epi16(1));
    }
    memcpy(&products, parts, sizeof products);
    *sums += products;
#else
    for (unsigned lane = 0; lane < IRC_LANES; ++lane) {
        int32_t sum = 0;
        for (unsigned i = 0; i < 4u; ++i) {
            sum += (int32_t)bytes[i] * (int32_t)weights[4u * lane + i];
        }
        (*sums)[lane] += sum;
    }
#endif
}

/* A bit for each lane: whether it is less than its limit, both below 2^31. */
IRC_INLINE uint32_t irc_less(const irc_signed_lanes *values, const irc_signed_lanes *limits)
{
#if defined(__AVX512F__)
    return _mm512_cmplt_epi32_mask((__m512i)*values, (__m512i)*limits);
#elif defined(__AVX2__)
    __m256i a[2], b[2];
    uint32_t bits = 0;
    memcpy(a, values, sizeof a);
    memcpy(b, limits, sizeof b);
    for (int i = 0; i < 2; ++i) {
        const __m256 less = _mm256_castsi256_ps(_mm256_cmpgt_epi32(b[i], a[i]));
        bits |= (uint32_t)_mm256_movemask_ps(less) << (8 * i);
    }
    return bits;
#else
    const irc_signed_lanes places = {
        1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
    const irc_signed_lanes chosen = (*values < *limits) & places;
    uint32_t bits = 0;
    for (unsigned lane = 0; lane < IRC_LANES; ++lane) {
        bits |= (uint32_t)chosen[lane];
    }
    return bits;
#endif
}

#endif
