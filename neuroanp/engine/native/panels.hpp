// Products with weights that stay the same for many steps.
//
// BLAS rearranges the weights at every call, which costs several times a product of few rows. Here they are
// rearranged once a run, into panels of columns of W^T that are read from front to back.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "rows.hpp"

namespace neuroanp {
namespace panels_detail {

#ifdef __AVX512F__
constexpr int vector_bytes = 64, vectors_each = 4, rows_each = 6;
#else
constexpr int vector_bytes = 32, vectors_each = 4, rows_each = 3;
#endif

// How many rows to take together where fewer than `rows` are left.
constexpr int fewer(int rows) { return rows == 6 ? 4 : rows == 3 ? 2 : rows / 2; }

template <class F> constexpr int width = vector_bytes / static_cast<int>(sizeof(F));
template <class F> constexpr int columns_each = vectors_each * width<F>;

template <class F> struct Of {
    typedef F vector __attribute__((vector_size(vector_bytes), aligned(sizeof(F)), may_alias));
};

template <class F> int vectors(int columns) { return (columns + width<F> - 1) / width<F>; }

// Keep a vector in a register: the compiler would read it again from memory for every row.
template <class Vector> inline void hold([[maybe_unused]] Vector &v) {
#if defined(__AVX512F__)
    asm("" : "+v"(v));
#elif defined(__AVX__)
    asm("" : "+x"(v));
#endif
}

// Lines of the cache that are asked for while others are in work, as weights may be far away.
struct Ahead {
    const char *next, *end;

    // The next `count` lines; past the end they are those that are at hand.
    const char *lines(int64_t count, const void *at_hand, int &apart) {
        const char *first = next < end ? next : static_cast<const char *>(at_hand);
        apart = next < end ? line : 0;
        next += count * line;
        return first;
    }
    static constexpr int line = 64;
};

// How many inputs are summed apart, so that few vectors keep the arithmetic busy; by B alone, as it orders the sum.
template <int B> constexpr int apart = vectors_each / B;

template <class F, int R, int B>
inline void add_products(typename Of<F>::vector (&sum)[R][B], const F *panel, const F *x, int j, int n_in) {
    using Vector = typename Of<F>::vector;
    Vector source[R];
    for (int r = 0; r < R; r++) {
        source[r] = x[r * n_in + j] - Vector{};
        if constexpr (B > 1) hold(source[r]);
    }
    for (int p = 0; p < B; p++) {
        Vector w = *reinterpret_cast<const Vector *>(panel + (j * B + p) * width<F>);
        hold(w);
        for (int r = 0; r < R; r++) sum[r][p] += w * source[r];
    }
}

// y (R, columns) of rows n_out apart = or += x (R, n_in) times one panel of B vectors. Out of line and not made
// anew for one n_in, or the compiler would unroll the sum and order it by R and B.
template <class F, int R, int B>
[[gnu::noinline, gnu::noclone]] void product(const F *panel, const F *x, F *y, int columns, int n_in, int n_out, bool add,
                                             Ahead &ahead) {
    using Vector = typename Of<F>::vector;
    constexpr int S = apart<B>;
    Vector sum[S][R][B] = {};
    int j = 0, between;
    const char *far = ahead.lines(n_in / S, panel, between);
    for (; j + S <= n_in; j += S, far += between) {
        __builtin_prefetch(far, 0, 2);
        for (int s = 0; s < S; s++) add_products<F, R, B>(sum[s], panel, x, j + s, n_in);
    }
    for (int s = 0; s < S - 1; s++)
        if (j + s < n_in) add_products<F, R, B>(sum[s], panel, x, j + s, n_in);
    for (int s = 1; s < S; s++)
        for (int r = 0; r < R; r++)
            for (int p = 0; p < B; p++) sum[0][r][p] += sum[s][r][p];
    constexpr int whole = (B - 1) * width<F>;
    for (int r = 0; r < R; r++) {
        F *to = y + static_cast<int64_t>(r) * n_out;
        for (int p = 0; p < B - 1; p++) {
            Vector *there = reinterpret_cast<Vector *>(to + p * width<F>);
            *there = add ? *there + sum[0][r][p] : sum[0][r][p];
        }
        F last[width<F>];
        std::memcpy(last, &sum[0][r][B - 1], sizeof last);
        for (int i = whole; i < columns; i++) to[i] = add ? to[i] + last[i - whole] : last[i - whole];
    }
}

template <class F, int R, int B = vectors_each>
void product_of(int count, const F *panel, const F *x, F *y, int columns, int n_in, int n_out, bool add, Ahead &ahead) {
    if (count == B)
        product<F, R, B>(panel, x, y, columns, n_in, n_out, add, ahead);
    else if constexpr (B > 1)
        product_of<F, R, B - 1>(count, panel, x, y, columns, n_in, n_out, add, ahead);
}

template <class F, int R = rows_each>
void rows_of(int rows, int count, const F *panel, const F *x, F *y, int columns, int n_in, int n_out, bool add,
             Ahead &ahead) {
    for (; rows >= R; rows -= R, x += R * n_in, y += static_cast<int64_t>(R) * n_out)
        product_of<F, R>(count, panel, x, y, columns, n_in, n_out, add, ahead);
    if constexpr (R > 1) rows_of<F, fewer(R)>(rows, count, panel, x, y, columns, n_in, n_out, add, ahead);
}

}  // namespace panels_detail

// Where panels begin in a buffer: vectors that lie across two lines of the cache take twice as long to read.
template <class F> F *aligned(F *buffer) {
    const auto bytes = reinterpret_cast<uintptr_t>(buffer), line = static_cast<uintptr_t>(panels_detail::vector_bytes);
    return reinterpret_cast<F *>((bytes + line - 1) / line * line);
}

// The panels of W (n_out, n_in), row-major; n_out is filled up with zeros to whole vectors.
template <class F> void pack(const F *w, F *panels, int n_in, int n_out) {
    namespace d = panels_detail;
    for (int first = 0; first < n_out; first += d::columns_each<F>) {
        const int columns = std::min(d::columns_each<F>, n_out - first);
        const int padded = d::vectors<F>(columns) * d::width<F>;
        for (int j = 0; j < n_in; j++, panels += padded) {
            const F *from = w + static_cast<int64_t>(first) * n_in + j;
            for (int i = 0; i < columns; i++) panels[i] = from[static_cast<int64_t>(i) * n_in];
            for (int i = columns; i < padded; i++) panels[i] = 0;
        }
    }
}

// How many panels W has.
template <class F> int panels_of(int n_out) {
    return (n_out + panels_detail::columns_each<F> - 1) / panels_detail::columns_each<F>;
}

// y (rows, n_out) = x (rows, n_in) W^T, or += where `add`, of packed W, for some rows and the panels `from` to before
// `to`. A row's sum doesn't depend on the others.
template <class F>
void project_packed(const F *panels, const F *x, F *y, const Stretches &some, int n_in, int n_out, bool add, int from,
                    int to) {
    namespace d = panels_detail;
    const int64_t whole = static_cast<int64_t>(d::columns_each<F>) * n_in;
    const F *const start = panels + from * whole;
    panels = start;
    for (int p = from; p < to; p++) {
        const int first = p * d::columns_each<F>;
        const int columns = std::min(d::columns_each<F>, n_out - first), count = d::vectors<F>(columns);
        const int64_t size = static_cast<int64_t>(count) * d::width<F> * n_in;
        const F *after = p + 1 < to ? panels + size : start;
        d::Ahead ahead{reinterpret_cast<const char *>(after), reinterpret_cast<const char *>(after + size)};
        for (const Stretch &rows : some)
            d::rows_of<F>(static_cast<int>(rows.end - rows.first), count, panels, x + rows.first * n_in,
                          y + rows.first * n_out + first, columns, n_in, n_out, add, ahead);
        panels += size;
    }
}

// in kernels.cpp
extern template void project_packed(const float *, const float *, float *, const Stretches &, int, int, bool, int,
                                    int);
extern template void project_packed(const double *, const double *, double *, const Stretches &, int, int, bool, int,
                                    int);

}  // namespace neuroanp
