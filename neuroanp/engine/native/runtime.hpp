// The part of a compiled network that is the same for every network: the step loop, the tables
// through which Python reaches arrays, vectors and spike queues, and the random state.
#pragma once
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#define NEUROANP_EXPORT extern "C" __attribute__((visibility("default")))

namespace neuroanp {

struct Clock {
    int64_t *timestep;
    double *t, *dt;
    int64_t end;
};

struct Step {
    int clock;
    void (*function)();
};

struct Vector {
    void *object;
    void *(*data)(void *);
    int64_t (*size)(void *);
    void (*resize)(void *, int64_t, bool);
};

// A resize that keeps leaves the old memory in place, for views of it that Python may still hold; it
// goes with the library.
template <class T> Vector vector_entry(std::vector<T> &v) {
    return {&v, [](void *p) -> void * { return static_cast<std::vector<T> *>(p)->data(); },
            [](void *p) -> int64_t { return static_cast<std::vector<T> *>(p)->size(); },
            [](void *p, int64_t n, bool keep) {
                auto &vector = *static_cast<std::vector<T> *>(p);
                static std::vector<std::vector<T>> kept;
                if (keep && !vector.empty()) {
                    kept.push_back(std::move(vector));
                    vector = kept.back();
                }
                vector.resize(n);
            }};
}

struct Table {
    void *object;
    void (*shape)(void *, int64_t *);
    void (*resize)(void *, int64_t, int64_t);
    void (*read)(void *, void *);
    void (*write)(void *, const void *);
};

template <class T, class Array> Table table_entry(Array &array) {
    return {&array,
            [](void *p, int64_t *shape) {
                shape[0] = static_cast<Array *>(p)->n;
                shape[1] = static_cast<Array *>(p)->m;
            },
            [](void *p, int64_t n, int64_t m) { static_cast<Array *>(p)->resize((int)n, (int)m); },
            [](void *p, void *out) {
                Array &a = *static_cast<Array *>(p);
                for (int i = 0; i < (int)a.n; i++)
                    for (int j = 0; j < (int)a.m; j++) static_cast<T *>(out)[(int64_t)i * a.m + j] = a(i, j);
            },
            [](void *p, const void *in) {
                Array &a = *static_cast<Array *>(p);
                for (int i = 0; i < (int)a.n; i++)
                    for (int j = 0; j < (int)a.m; j++) a(i, j) = static_cast<const T *>(in)[(int64_t)i * a.m + j];
            }};
}

// Two clocks are at the same time when they differ by less than this part of a time step.
constexpr double same_time = 1e-4;

// Runs until every clock has reached its end, or until `budget` seconds of wall time have passed.
// Returns whether the end was reached; `now` becomes the time of the last step begun.
inline bool advance(std::vector<Clock> &clocks, const std::vector<Step> &steps, double budget, double *now) {
    using std::chrono::steady_clock;
    const auto start = steady_clock::now();
    const auto out_of_time = [&] {
        return std::chrono::duration<double>(steady_clock::now() - start).count() > budget;
    };
    if (clocks.size() == 1) {
        Clock &clock = clocks[0];
        for (int64_t n = 1; *clock.timestep < clock.end; n++) {
            *now = *clock.t;
            for (const Step &step : steps) step.function();
            *clock.timestep += 1;
            *clock.t = *clock.timestep * *clock.dt;
            if (n % 16 == 0 && out_of_time()) return *clock.timestep >= clock.end;
        }
        return true;
    }
    std::vector<char> current(clocks.size());
    for (int64_t n = 1;; n++) {
        size_t first = 0;
        for (size_t k = 1; k < clocks.size(); k++)
            if (*clocks[k].t < *clocks[first].t) first = k;
        if (*clocks[first].timestep >= clocks[first].end) return true;
        *now = *clocks[first].t;
        for (size_t k = 0; k < clocks.size(); k++)
            current[k] = std::abs(*clocks[k].t - *now) / std::fmin(*clocks[k].dt, *clocks[first].dt) < same_time;
        for (const Step &step : steps)
            if (current[step.clock]) step.function();
        for (size_t k = 0; k < clocks.size(); k++)
            if (current[k]) {
                *clocks[k].timestep += 1;
                *clocks[k].t = *clocks[k].timestep * *clocks[k].dt;
            }
        if (n % 16 == 0 && out_of_time()) return false;
    }
}

// A spike queue as one flat run of numbers: offset, number of slots, size of each slot, all entries.
template <class Queue> int64_t queue_size(const Queue &q) {
    int64_t n = 2 + q.queue.size();
    for (const auto &slot : q.queue) n += slot.size();
    return n;
}

template <class Queue> void queue_read(const Queue &q, int64_t *out) {
    *out++ = q.offset;
    *out++ = q.queue.size();
    for (const auto &slot : q.queue) *out++ = slot.size();
    for (const auto &slot : q.queue)
        for (auto entry : slot) *out++ = entry;
}

template <class Queue> void queue_write(Queue &q, const int64_t *in) {
    q.offset = (int)*in++;
    const int64_t slots = *in++;
    const int64_t *sizes = in;
    in += slots;
    q.queue.assign(slots, {});
    for (int64_t k = 0; k < slots; k++)
        for (int64_t i = 0; i < sizes[k]; i++) q.queue[k].push_back((int32_t)*in++);
}

}  // namespace neuroanp
