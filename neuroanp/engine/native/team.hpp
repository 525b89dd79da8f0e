// Products whose columns several threads share: where lanes are few, and weights many.
//
// The one that runs the network hands out a product, takes panels itself, and waits for those alone that others
// have begun: helpers that are late, or away, cost nothing. Each begins with panels of its own, which stay in the
// cache of its core.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

#include "panels.hpp"

namespace neuroanp {

constexpr int most_panels = 512;
constexpr int64_t worth_sharing = 1 << 15;  // multiplications of a row

// A panel, in a line of the cache for itself: the number of the last product of which it was taken, one more once
// it was made.
struct alignas(64) Panel {
    std::atomic<int64_t> product{0};
};

struct Team {
    int members = 1;
    std::atomic<bool> open{false};
    alignas(64) std::atomic<int64_t> product{0};  // a multiple of four, but while one is being handed out
    void (*panel)(const Team &, int) = nullptr;
    const void *panels, *x;
    void *y;
    Stretches rows;
    int n_in, n_out, count;
    bool add;
    Panel places[most_panels];
};

static Team team;

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
    _mm_pause();
#endif
}

// Makes the panels of product `number` that nobody has taken, beginning with those of this member.
inline void work_on(int64_t number, int member, int count, void (*panel)(const Team &, int)) {
    const int own = static_cast<int>(static_cast<int64_t>(count) * member / team.members);
    for (int k = 0; k < count; k++) {
        const int p = own + k < count ? own + k : own + k - count;
        std::atomic<int64_t> &place = team.places[p].product;
        int64_t last = place.load(std::memory_order_relaxed);
        if (last < number && place.compare_exchange_strong(last, number)) {
            panel(team, p);
            place.store(number + 1, std::memory_order_release);
        }
    }
}

// Helps until the team is closed. A panel that could be taken is one of a product that isn't over, so what was
// read of it, all of one product, still holds.
inline void help(int member) {
    int64_t seen = 0;
    while (team.open.load(std::memory_order_acquire)) {
        const int64_t number = team.product.load(std::memory_order_acquire);
        const int count = team.count;
        const auto panel = team.panel;
        std::atomic_thread_fence(std::memory_order_acquire);
        if (number == seen || number % 4 || team.product.load(std::memory_order_relaxed) != number) {
            pause();
            continue;
        }
        seen = number;
        work_on(number, member, count, panel);
    }
}

template <class F> void shared_panel(const Team &t, int p) {
    project_packed(static_cast<const F *>(t.panels), static_cast<const F *>(t.x), static_cast<F *>(t.y), t.rows, t.n_in,
                   t.n_out, t.add, p, p + 1);
}

// As `project_packed`, of all panels, by the whole team where that is worth while.
template <class F>
void project_shared(const F *panels, const F *x, F *y, const Stretches &rows, int n_in, int n_out, bool add) {
    const int count = panels_of<F>(n_out);
    if (team.members == 1 || count == 1 || count > most_panels || int64_t(n_in) * n_out < worth_sharing)
        return project_packed(panels, x, y, rows, n_in, n_out, add, 0, count);
    const int64_t number = team.product.load(std::memory_order_relaxed) + 4;
    team.product.store(number - 2, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    team.panel = shared_panel<F>, team.panels = panels, team.x = x, team.y = y, team.rows = rows;
    team.n_in = n_in, team.n_out = n_out, team.count = count, team.add = add;
    team.product.store(number, std::memory_order_release);
    work_on(number, 0, count, team.panel);
    for (int p = 0; p < count; p++)
        while (team.places[p].product.load(std::memory_order_acquire) != number + 1) pause();
}

}  // namespace neuroanp
