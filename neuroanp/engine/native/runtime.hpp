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

// A whole number divided by zero is 0, as NumPy has it, and not the end of the process.
template <class Operation, class A, class B> inline auto divided(Operation operation, A a, B b) {
    if constexpr (std::is_integral<A>::value && std::is_integral<B>::value)
        if (b == 0) return decltype(operation(a, b))(0);
    return operation(a, b);
}

// A clock with steps of length dt, or one that follows a list of times.
struct Clock {
    int64_t *timestep;
    double *t, *dt, *times;
    int64_t end;

    void tick() {
        *timestep += 1;
        *t = times ? times[*timestep] : *timestep * *dt;
    }
    double length() const { return dt ? *dt : HUGE_VAL; }
};

struct Step {
    int clock;
    void (*function)();
};

struct Vector {
    void *object;
    void *(*data)(void *);
    int64_t (*size)(void *);
    void (*resize)(void *, int64_t);
};

template <class T> Vector vector_entry(std::vector<T> &v) {
    return {&v, [](void *p) -> void * { return static_cast<std::vector<T> *>(p)->data(); },
            [](void *p) -> int64_t { return static_cast<std::vector<T> *>(p)->size(); },
            [](void *p, int64_t n) { static_cast<std::vector<T> *>(p)->resize(n); }};
}

// What generated code does with a vector whose length a run doesn't change, on memory of Python's.
template <class T> struct Borrowed {
    T *first;
    size_t length;

    bool empty() const { return length == 0; }
    size_t size() const { return length; }
    T &operator[](size_t k) { return first[k]; }
};

struct Loan {
    void **first;
    size_t *length;
};

template <class T> Loan loan(Borrowed<T> &v) { return {(void **)&v.first, &v.length}; }

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
// The time step by which clocks without one are compared.
constexpr double resolution = 1e-8;

// Runs until every clock has reached its end, or until `budget` seconds of wall time have passed.
// Returns whether the end was reached; `now` becomes the time of the last step begun.
// `spent`, if not null, gets the seconds that each step function takes, added up.
inline bool advance(std::vector<Clock> &clocks, const std::vector<Step> &steps, double budget, double *now,
                    double *spent) {
    using std::chrono::steady_clock;
    const auto start = steady_clock::now();
    const auto out_of_time = [&] {
        return std::chrono::duration<double>(steady_clock::now() - start).count() > budget;
    };
    const auto call = [&](size_t k) {
        if (!spent) return steps[k].function();
        const auto begin = steady_clock::now();
        steps[k].function();
        spent[k] += std::chrono::duration<double>(steady_clock::now() - begin).count();
    };
    if (clocks.size() == 1) {
        Clock &clock = clocks[0];
        for (int64_t n = 1; *clock.timestep < clock.end; n++) {
            *now = *clock.t;
            for (size_t k = 0; k < steps.size(); k++) call(k);
            clock.tick();
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
        for (size_t k = 0; k < clocks.size(); k++) {
            const double shorter = std::fmin(clocks[k].length(), clocks[first].length());
            current[k] = std::abs(*clocks[k].t - *now) / (shorter < HUGE_VAL ? shorter : resolution) < same_time;
        }
        for (size_t k = 0; k < steps.size(); k++)
            if (current[steps[k].clock]) call(k);
        for (size_t k = 0; k < clocks.size(); k++)
            if (current[k]) clocks[k].tick();
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
