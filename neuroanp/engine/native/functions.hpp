// Functions of Brian2's language that are quicker here than in the library of mathematics.
#pragma once
#include <cmath>

// Hyperbolic tangent: a rational function of x^2, minimax in the relative error (6e-9), computed with 40 digits and
// exact to 3e-7 in float; 1 from the number on whose tangent rounds to less than 3e-7 below it. In double the
// library's own.
inline float neuroanp_tanh(float x) {
    constexpr float end = 7.9f;
    x = x > end ? end : x < -end ? -end : x;
    const float s = x * x;
    const float above = 1.0f + s * (0.134506345f + s * (0.00357900886f + s * (2.2023527e-05f + s * 1.5428375e-08f)));
    const float below = 1.0f + s * (0.467839628f + s * (0.0261923019f + s * (0.000342367828f + s * 8.59894214e-07f)));
    return x * above / below;
}

template <class T> inline double neuroanp_tanh(T x) { return std::tanh(static_cast<double>(x)); }
