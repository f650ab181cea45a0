/*
 * What generated C calls of math.h, for compilers that bring no such library. Roundings and the
 * square root are exact; the others compute in double and err by less than one unit in the last
 * place of a float, in more instructions than a library that is made for the core.
 */

#include <stdint.h>

#include "math.h"
#include "string.h"

#define LN2 0.693147180559945309417
#define TWO_TO_23 8388608.0f

static double scaled(double x, int exponent)
{
    while (exponent > 1000) {
        x *= 0x1p1000;
        exponent -= 1000;
    }
    while (exponent < -1000) {
        x *= 0x1p-1000;
        exponent += 1000;
    }
    const uint64_t bits = (uint64_t)(1023 + exponent) << 52;
    double factor;
    memcpy(&factor, &bits, sizeof factor);
    return x * factor;
}

/* exp(x) = 2^n exp(r) with |r| <= ln(2) / 2, by its series. */
static double exponential(double x)
{
    if (x > 1000.0 || x < -1000.0) {
        return x > 0.0 ? INFINITY : 0.0;
    }
    const int n = (int)(x / LN2 + (x < 0.0 ? -0.5 : 0.5));
    const double r = x - n * LN2;
    double sum = 1.0;
    for (int k = 14; k > 0; --k) {
        sum = 1.0 + sum * r / k;
    }
    return scaled(sum, n);
}

/* log(m 2^n) = n ln(2) + 2 artanh((m - 1) / (m + 1)) with m around 1. */
static double logarithm(double x)
{
    if (!(x > 0.0)) {
        return x == 0.0 ? -INFINITY : NAN;
    }
    if (x > 0x1p1000) {
        return x;
    }
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int n = (int)(bits >> 52) - 1023;
    bits = (bits & 0xFFFFFFFFFFFFFu) | (uint64_t)1023 << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        ++n;
    }
    const double s = (m - 1.0) / (m + 1.0);
    double sum = 0.0;
    for (int k = 23; k > 0; k -= 2) {
        sum = sum * s * s + 1.0 / k;
    }
    return n * LN2 + 2.0 * s * sum;
}

float fabsf(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits &= 0x7FFFFFFFu;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float with_sign_of(float magnitude, float sign)
{
    uint32_t a, b;
    memcpy(&a, &magnitude, sizeof a);
    memcpy(&b, &sign, sizeof b);
    a = (a & 0x7FFFFFFFu) | (b & 0x80000000u);
    memcpy(&magnitude, &a, sizeof magnitude);
    return magnitude;
}

/* Halves go to even: the sum with 2^23 has no bits for a fraction. */
float rintf(float x)
{
    const float magnitude = fabsf(x);
    return magnitude < TWO_TO_23 ? with_sign_of((magnitude + TWO_TO_23) - TWO_TO_23, x) : x;
}

float floorf(float x)
{
    const float rounded = rintf(x);
    return rounded > x ? with_sign_of(rounded - 1.0f, x) : rounded;
}

float ceilf(float x)
{
    const float rounded = rintf(x);
    return rounded < x ? with_sign_of(rounded + 1.0f, x) : rounded;
}

float fminf(float x, float y)
{
    return x < y || y != y ? x : y;
}

float fmaxf(float x, float y)
{
    return x > y || y != y ? x : y;
}

/* Newton's method, in more bits than the result has. */
float sqrtf(float x)
{
    if (!(x > 0.0f) || x == INFINITY) {
        return x == 0.0f || x == INFINITY ? x : NAN;
    }
    const double wide = x;
    uint64_t bits;
    memcpy(&bits, &wide, sizeof bits);
    bits = (bits >> 1) + ((uint64_t)1023 << 51);
    double root;
    memcpy(&root, &bits, sizeof root);
    for (int step = 0; step < 5; ++step) {
        root = 0.5 * (root + wide / root);
    }
    return (float)root;
}

float expf(float x)
{
    return x != x ? x : (float)exponential(x);
}

float logf(float x)
{
    return x != x ? x : (float)logarithm(x);
}

float log1pf(float x)
{
    const double wide = x;
    /* Around 0 the sum would drop bits of x. */
    if (x != x || fabsf(x) < 1e-5f) {
        return (float)(wide - 0.5 * wide * wide);
    }
    return (float)logarithm(1.0 + wide);
}

float tanhf(float x)
{
    const double wide = x;
    if (x != x || fabsf(x) < 1e-4f) {
        return (float)(wide - wide * wide * wide / 3.0);
    }
    const double power = exponential(-2.0 * (double)fabsf(x));
    return with_sign_of((float)((1.0 - power) / (1.0 + power)), x);
}

/* 2 / sqrt(pi) times the sum of (-1)^k x^(2k+1) / (k! (2k+1)); beyond 4 it is 1 in a float. */
float erff(float x)
{
    if (x != x || fabsf(x) > 4.0f) {
        return x != x ? x : with_sign_of(1.0f, x);
    }
    const double square = (double)x * (double)x;
    double term = (double)x, sum = 0.0;
    for (int k = 0; k < 70; ++k) {
        sum += term / (2 * k + 1);
        term *= -square / (k + 1);
    }
    return (float)(1.1283791670955126 * sum);
}

float powf(float x, float y)
{
    if (y == 0.0f || x == 1.0f) {
        return 1.0f;
    }
    if (x != x || y != y) {
        return x + y;
    }
    const int is_whole = rintf(y) == y;
    const int is_odd = is_whole && rintf(y * 0.5f) != y * 0.5f;
    if (x < 0.0f && !is_whole) {
        return NAN;
    }
    float magnitude;
    if (x == 0.0f) {
        magnitude = y > 0.0f ? 0.0f : INFINITY;
    } else {
        magnitude = (float)exponential((double)y * logarithm((double)fabsf(x)));
    }
    return is_odd ? with_sign_of(magnitude, x) : magnitude;
}
