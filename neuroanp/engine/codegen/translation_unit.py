"""One translation unit from the files of a generated network.

Compiled file by file the same network takes about ten times as long, most of it in the same
headers. Every code object keeps a ``#line`` mark, so that a compiler message names it.
"""

from __future__ import annotations

import re

from brian2.codegen.generators.cpp_generator import c_data_type

from neuroanp.engine.codegen.source import Source

_SHARED = [
    "brianlib/stdint_compat.h",
    "brianlib/common_math.h",
    "brianlib/dynamic_array.h",
    "brianlib/clocks.h",
]
# Brian2 asks for these whatever it writes, and reading them takes a fifth of a small network's compile time
_RARE = {"<iostream>", "<fstream>", "<map>", "<tuple>", "<iterator>"}
# with names of the standard library beyond these, or with headers of the user's, they are read
_COMMON = re.compile(
    r"vector|string|set|size_t|u?int(32|64)_t|min|max|fill|copy|swap|move|abs|sqrt|exp|log|pow|fmin|fmax|memcpy|memset"
    r"|numeric_limits|is_trivially_copyable|chrono|clock(_t)?|mt19937|random_device"
)
_DELAYS = re.compile(r"std::vector<\w+> &(?=real_delays = )")

CLOCK = ("timestep", "t", "dt", "times")
"""Variables of a clock, of which one kind has ``dt`` and the other ``times``."""

_CHANGES = {
    # the random numbers are in memory that outlives the library
    "std::vector< RandomGenerator > _random_generators": "RandomGenerator* _random_generators",
    # sorting synapses happens once, and would be most of the code if it were repeated wherever it is called
    "<typename scalar> void prepare": "<typename scalar> __attribute__((noinline)) void prepare",
    # synapses are in memory of Python's
    "std::vector<int> &": "neuroanp::Borrowed<int> &",
}
_INCLUDE = re.compile(r"^\s*#\s*include\s*(<[^>]+>|\"[^\"]+\"|\S+\.h\w*)\s*$")


def unity(source: Source, library_files: dict[str, str]) -> str:
    """The whole network as one C++ file.

    Parameters
    ----------
    source : Source
    library_files : dict
        Brian2's own support files (spike queue, dynamic arrays, ...), name to text.
    """
    local = {*library_files, *source.files, "network.h"}
    local |= {name.rsplit("/", 1)[-1] for name in library_files}
    parts = [(name, library_files[name]) for name in _SHARED]
    if source.pathways:
        parts.append(("brianlib/spikequeue.h", library_files["brianlib/spikequeue.h"]))
        parts.append(("synapses_classes.h", source.files["synapses_classes.h"]))
    parts += [(name, source.files[name]) for name in ("objects.h", "objects.cpp")]
    headers: dict[str, None] = {}
    bodies = []
    for name, text in parts:
        for original, replacement in _CHANGES.items():
            text = text.replace(original, replacement)
        for _, array in source.borrowed:
            text = re.sub(rf"std::vector<(\w+)> {array};", rf"neuroanp::Borrowed<\1> {array};", text)
        bodies.append(f'#line 1 "{name}"\n' + _without_includes(text, local, headers))
    for name, text in source.files.items():
        if name.startswith("code_objects/"):
            unit = name[len("code_objects/") : -len(".cpp")]
            body = _DELAYS.sub("auto &", _without_includes(text, local, headers))
            bodies.append(f'namespace unit_{unit} {{\n#line 1 "{unit}"\n{body}\n}}')
    code = "\n".join(bodies)
    plain = _plain(code) and all(header.startswith("<") for header in headers)
    includes = "\n".join(f"#include {header}" for header in headers if not (plain and header in _RARE))
    native = "\n".join(
        f'#include "{name}.hpp"'
        for name in ("runtime", "functions", "rows", "noise", "dense", "team", "sparse")
    )
    block = _GLOBALS.format(constants=max(len(source.constants), 1))
    return "\n".join([includes, native, block, code, _api(source)])


def _plain(code: str) -> bool:
    """Truth of: the code names nothing of the standard library but what is common."""
    names = re.findall(r"\bstd\s*::\s*(\w+)", code)
    return not re.search(r"\busing\s+(namespace\s+)?std\b", code) and all(map(_COMMON.fullmatch, names))


def _without_includes(text: str, local: set[str], headers: dict[str, None]) -> str:
    """Blank out includes, keeping the others for the head of the unit; line numbers stay right."""
    lines = []
    for line in text.split("\n"):
        match = _INCLUDE.match(line)
        if match and "INCLUDE_" not in line:
            header = match[1].strip('"')
            if header.strip("<>") not in local and not header.startswith("code_objects/"):
                headers.setdefault(match[1])
            lines.append("")
        else:
            lines.append(line)
    return "\n".join(lines)


_GLOBALS = """
namespace neuroanp {{ static double constants[{constants}]; }}
static double* const _neuroanp_constants = neuroanp::constants;
"""


def _function(kind: str, name: str) -> str:
    return f"unit_{kind}{name}::_{kind or 'run_'}{name}"


def _rows(lines: list[str]) -> str:
    return "".join(f"\n    {line}," for line in lines)


def _queues(source: Source) -> str:
    """Functions that reach the spike queues, where there are any."""
    if not source.pathways:
        return ""
    queues = [f"brian::{name}.queue[0]" for _, name in source.pathways]
    return f"""
static CSpikeQueue* queue(int k) {{
    CSpikeQueue* all[] = {{{_rows(queues)}}};
    return all[k];
}}
NEUROANP_EXPORT int64_t neuroanp_queue_size(int k) {{ return queue_size(*queue(k)); }}
NEUROANP_EXPORT void neuroanp_queue_read(int k, int64_t* out) {{ queue_read(*queue(k), out); }}
NEUROANP_EXPORT double* neuroanp_queue_dt(int k) {{ return &queue(k)->dt; }}
NEUROANP_EXPORT void neuroanp_queue_write(int k, const int64_t* in) {{ queue_write(*queue(k), in); }}
"""


def _api(source: Source) -> str:
    names = {variable: name for variable, name in source.arrays}
    clocks = [
        [f"brian::{names[clock.variables[part]]}" if part in clock.variables else "nullptr" for part in CLOCK]
        for clock in source.clocks
    ]
    steps = [f"{{{clock}, {_function('', name)}}}" for clock, name in source.steps]
    slots = [f"(void**)&brian::{name}" for _, name in source.arrays]
    slots += [f"(void**)&brian::{entry.name}" for entry in source.static]
    loans = [f"loan(brian::{name})" for _, name in source.borrowed]
    vectors = [f"vector_entry(brian::{name})" for _, name in source.vectors]
    tables = [f"table_entry<{c_data_type(v.dtype)}>(brian::{name})" for v, name in source.tables]
    before = "\n".join(
        f"    {'if (queues) ' if name in source.queue_units else ''}{_function('before_run_', name)}();"
        for name in source.before
    )
    after = "\n".join(f"    {_function('after_run_', name)}();" for name in source.after)
    return f"""
#line 1 "neuroanp"
namespace neuroanp {{
static void** slots[] = {{{_rows(slots)}
    nullptr}};
static Loan loans[] = {{{_rows(loans)}
    {{}}}};
static Vector vectors[] = {{{_rows(vectors)}
    {{}}}};
static Table tables[] = {{{_rows(tables)}
    {{}}}};
static std::vector<Clock> clocks;
static const std::vector<Step> steps = {{{_rows(steps)}
}};
}}  // namespace neuroanp
using namespace neuroanp;

NEUROANP_EXPORT double* neuroanp_constants() {{ return constants; }}
NEUROANP_EXPORT void neuroanp_bind(int k, void* data) {{ *slots[k] = data; }}
NEUROANP_EXPORT void neuroanp_borrow(int k, void* data, int64_t n) {{
    *loans[k].first = data;
    *loans[k].length = n;
}}
NEUROANP_EXPORT void neuroanp_start() {{
    clocks = {{{_rows([f"{{(int64_t*){', '.join(pointers)}, 0}}" for pointers in clocks])}
    }};
}}
NEUROANP_EXPORT void neuroanp_before_run(int queues) {{
{before}
}}
NEUROANP_EXPORT void neuroanp_part(int64_t passes, int64_t all, int64_t first, int64_t lanes) {{
    part = {{passes, all, first, lanes}};
}}
NEUROANP_EXPORT void neuroanp_gather(int members) {{
    team.members = members;
    team.open = true;
}}
NEUROANP_EXPORT void neuroanp_help(int member) {{ help(member); }}
NEUROANP_EXPORT int neuroanp_advance(const int64_t* ends, double budget, double* now, double* spent) {{
    for (size_t k = 0; k < clocks.size(); k++) clocks[k].end = ends[k];
    const bool finished = advance(clocks, steps, budget, now, spent);
    team.open = false;
    if (!finished) return 0;
{after}
    return 1;
}}
NEUROANP_EXPORT void* neuroanp_vector_data(int k) {{ return vectors[k].data(vectors[k].object); }}
NEUROANP_EXPORT int64_t neuroanp_vector_size(int k) {{ return vectors[k].size(vectors[k].object); }}
NEUROANP_EXPORT void neuroanp_vector_resize(int k, int64_t n) {{ vectors[k].resize(vectors[k].object, n); }}
NEUROANP_EXPORT void neuroanp_table_shape(int k, int64_t* shape) {{
    tables[k].shape(tables[k].object, shape);
}}
NEUROANP_EXPORT void neuroanp_table_resize(int k, int64_t n, int64_t m) {{
    tables[k].resize(tables[k].object, n, m);
}}
NEUROANP_EXPORT void neuroanp_table_read(int k, void* out) {{ tables[k].read(tables[k].object, out); }}
NEUROANP_EXPORT void neuroanp_table_write(int k, const void* in) {{ tables[k].write(tables[k].object, in); }}
{_queues(source)}
static_assert(std::is_trivially_copyable<brian::RandomGenerator>::value, "random state must be plain memory");
NEUROANP_EXPORT int64_t neuroanp_random_size() {{ return sizeof(brian::RandomGenerator); }}
NEUROANP_EXPORT void neuroanp_random_bind(void* state) {{
    brian::_random_generators = (brian::RandomGenerator*)state;
}}
NEUROANP_EXPORT void neuroanp_random_seed(unsigned long seed) {{ brian::_random_generators->seed(seed); }}
NEUROANP_EXPORT void neuroanp_blas(void* sgemm, void* dgemm) {{
    blas.sgemm = (Blas::Sgemm)sgemm;
    blas.dgemm = (Blas::Dgemm)dgemm;
}}
"""
