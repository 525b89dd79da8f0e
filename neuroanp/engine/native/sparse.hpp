// Sparse projections: spikes that wait for their axonal delay, and the synapses that exist.
#pragma once
#include <cstdint>

namespace neuroanp {

// Puts spikes into the slots of the steps in which they arrive: `waiting` (slots, cells), `counts` (slots).
inline void send(const int32_t *spikes, int count, const int32_t *delays, int n_in, int64_t cells, int32_t *waiting,
                 int32_t *counts, int64_t now, int64_t slots) {
    for (int s = 0; s < count; s++) {
        int64_t slot = now + delays[spikes[s] % n_in];
        if (slot >= slots) slot -= slots;
        waiting[slot * cells + counts[slot]++] = spikes[s];
    }
}

// For each spike of cell j of a row: target row at targets[j, k] += w[j, k]; w and targets are (n_in, outgoing).
template <class F>
void add_existing(const F *w, const int32_t *targets, int64_t outgoing, const int32_t *spikes, int count, F *target,
                  int n_in, int n_out) {
    for (int s = 0; s < count; s++) {
        const int row = spikes[s] / n_in, cell = spikes[s] % n_in;
        const F *from = w + cell * outgoing;
        const int32_t *where = targets + cell * outgoing;
        F *to = target + (int64_t)row * n_out;
        for (int64_t k = 0; k < outgoing; k++) to[where[k]] += from[k];
    }
}

// The same where negative weights have a target of their own, to which their size is added.
template <class F>
void add_existing_by_sign(const F *w, const int32_t *targets, int64_t outgoing, const int32_t *spikes, int count,
                          F *excited, F *inhibited, int n_in, int n_out) {
    for (int s = 0; s < count; s++) {
        const int row = spikes[s] / n_in, cell = spikes[s] % n_in;
        const F *from = w + cell * outgoing;
        const int32_t *where = targets + cell * outgoing;
        F *up = excited + (int64_t)row * n_out;
        F *down = inhibited + (int64_t)row * n_out;
        for (int64_t k = 0; k < outgoing; k++) (from[k] > 0 ? up : down)[where[k]] += from[k] > 0 ? from[k] : -from[k];
    }
}

}  // namespace neuroanp
