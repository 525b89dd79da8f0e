// The rows of a network, one for each lane of each pass, which don't depend on each other: a copy of the
// library may have a part of the lanes, so that several work at the same time.
#pragma once
#include <cstdint>
#include <cstring>

namespace neuroanp {

struct Stretch {
    int64_t first, end;
};

// Lanes of this copy; all of them where `lanes` is 0.
struct Part {
    int64_t passes, all, first, lanes;
};

static Part part;

struct Stretches {
    Stretch stretch[3];  // there are three kinds of passes
    int count;
    const Stretch *begin() const { return stretch; }
    const Stretch *end() const { return stretch + count; }
};

// This copy's cells of `size` in each of `passes`, as many in every lane.
inline Stretches cells(int64_t size, int64_t passes) {
    if (part.lanes == 0) return {{{0, size}}, 1};
    const int64_t each = size / (passes * part.all);
    Stretches mine{{}, static_cast<int>(passes)};
    for (int64_t pass = 0; pass < passes; pass++) {
        const int64_t first = pass * part.all + part.first;
        mine.stretch[pass] = {first * each, (first + part.lanes) * each};
    }
    return mine;
}

inline Stretches cells(int64_t size) { return cells(size, part.passes); }
inline Stretches cells_of_pass(int64_t size) { return cells(size, 1); }

// This copy's rows of `rows`, which are all lanes once, or once for each pass.
inline Stretches stretches(int64_t rows) { return cells(rows, part.lanes == 0 ? 1 : rows / part.all); }

// Those of these rows that are among `count` from `first` on.
inline Stretches among(const Stretches &rows, int64_t first, int64_t count) {
    Stretches some{{}, 0};
    for (const Stretch &s : rows) {
        const Stretch common = {s.first > first ? s.first : first, s.end < first + count ? s.end : first + count};
        if (common.first < common.end) some.stretch[some.count++] = common;
    }
    return some;
}

// Row after this one. The compiler can't look past it: what it makes of a row doesn't depend on the rows beside.
inline void go_on(int64_t &row) {
    row++;
    asm volatile("" : "+r"(row));
}

// Indices of the marks that are 1 among `count` that are 0 or 1, followed by zeros up to a multiple of eight.
struct Marked {
    const char *marks;
    int count;

    struct Place {
        const char *marks;
        int first, count;
        uint64_t eight;

        void find() {
            for (; first < count; first += 8)
                if (std::memcpy(&eight, marks + first, 8), eight) {
                    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) eight = __builtin_bswap64(eight);
                    return;
                }
            first = count;
        }
        int operator*() const { return first + lowest() / 8; }
        void operator++() {
            eight &= eight - 1;
            if (!eight) first += 8, find();
        }
        bool operator!=(const Place &other) const { return first != other.first; }
        int lowest() const { return __builtin_ctzll(eight); }
    };
    Place begin() const {
        Place place{marks, 0, (count + 7) / 8 * 8, 0};
        place.find();
        return place;
    }
    Place end() const { return {marks, (count + 7) / 8 * 8, 0, 0}; }
};

}  // namespace neuroanp
