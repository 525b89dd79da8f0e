// Products of matrices through the BLAS that SciPy carries, and sums of the weights of spikes.
#pragma once
#include <cstdint>

namespace neuroanp {

struct Blas {
    using Sgemm = void (*)(const char *, const char *, const int *, const int *, const int *, const float *,
                           const float *, const int *, const float *, const int *, const float *, float *,
                           const int *);
    using Dgemm = void (*)(const char *, const char *, const int *, const int *, const int *, const double *,
                           const double *, const int *, const double *, const int *, const double *, double *,
                           const int *);
    Sgemm sgemm;
    Dgemm dgemm;
    void gemm(const char *ta, const char *tb, const int *m, const int *n, const int *k, const float *alpha,
              const float *a, const int *lda, const float *b, const int *ldb, const float *beta, float *c,
              const int *ldc) const {
        sgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }
    void gemm(const char *ta, const char *tb, const int *m, const int *n, const int *k, const double *alpha,
              const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c,
              const int *ldc) const {
        dgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }
};

static Blas blas;

// c (rows, n) = a (rows, n) b (n, n), all row-major.
template <class F> void multiply(const F *a, const F *b, F *c, int rows, int n) {
    const F one = 1, zero = 0;
    blas.gemm("N", "N", &n, &rows, &n, &one, b, &n, a, &n, &zero, c, &n);
}

// For each spike of cell j of a row: target row += w[j]; w is stored (n_in, n_out).
template <class F>
void add_rows(const F *w, const int32_t *spikes, F *target, int n_in, int n_out, int count) {
    for (int s = 0; s < count; s++) {
        const int row = spikes[s] / n_in, cell = spikes[s] % n_in;
        const F *__restrict from = w + (int64_t)cell * n_out;
        F *__restrict to = target + (int64_t)row * n_out;
        for (int i = 0; i < n_out; i++) to[i] += from[i];
    }
}

// The same where negative weights have a target of their own, to which their size is added.
template <class F>
void add_rows_by_sign(const F *w, const int32_t *spikes, F *excited, F *inhibited, int n_in, int n_out, int count) {
    for (int s = 0; s < count; s++) {
        const int row = spikes[s] / n_in, cell = spikes[s] % n_in;
        const F *__restrict from = w + (int64_t)cell * n_out;
        F *__restrict up = excited + (int64_t)row * n_out;
        F *__restrict down = inhibited + (int64_t)row * n_out;
        for (int i = 0; i < n_out; i++) {
            up[i] += from[i] > 0 ? from[i] : 0;
            down[i] += from[i] < 0 ? -from[i] : 0;
        }
    }
}

}  // namespace neuroanp
