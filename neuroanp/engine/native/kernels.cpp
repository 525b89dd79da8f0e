// What is the same in every network and takes long to compile, compiled once and linked to each.
#include "panels.hpp"

namespace neuroanp {
template void project_packed(const float *, const float *, float *, const Stretches &, int, int, bool, int, int);
template void project_packed(const double *, const double *, double *, const Stretches &, int, int, bool, int, int);
}  // namespace neuroanp
