/* What generated C needs of the C library on a machine without one. */

#ifndef IRC_MATH_H
#define IRC_MATH_H

#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")

float expf(float x);
float fabsf(float x);
float logf(float x);
float sqrtf(float x);
float floorf(float x);
float ceilf(float x);
float rintf(float x);
float tanhf(float x);
float fminf(float x, float y);
float fmaxf(float x, float y);
float powf(float x, float y);
float erff(float x);
float log1pf(float x);

#endif
