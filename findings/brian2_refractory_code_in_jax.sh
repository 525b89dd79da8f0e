#!/usr/bin/env bash
# Brian2 and JAX: Brian2's exponential Euler code divides 0 by 0 in a refractory cell, and one such cell turns the
# reverse gradient of a weight that all cells share into NaN. Values and forward gradients are right.
#
# Versions   brian2 2.9.0, jax 0.10.2 (NumPy 2.3.5, Python 3.11).
#            The same with brian2 2.11.0, jax 0.12.0.1 (NumPy 2.5.5, Python 3.13).
# Behaviour  For an equation flagged `(unless refractory)` Brian2 multiplies the right-hand side with
#            int(not_refractory) before it solves the linear equation. In a refractory cell the rate is then 0, and the
#            steady state that the method divides out is 0 / 0. Brian2 never stores that result; neither does
#            jnp.where(not_refractory, v_new, v). But grad passes a zero through the division: 0 * inf = NaN.
# Seen       Brian2: v = [0.4858 0.    ]
#            JAX: v = [0.4858 0.    ]
#            forward dv/dw = [0.0171 0.    ]
#            reverse dv/dw = [nan nan]
#            reverse, masked once = [0.0171 0.    ]
# A guess    would have been equal gradients both ways: the equation is smooth, the cell holds still, and a masked value
#            that never reaches the output should not reach the gradient. Even the awake cell's entry is NaN.
# Matters    because the generated code is the obvious thing to hand to an autodiff library, and a test on values, or
#            before the first spike, passes. Take int(not_refractory) as 1 in the code and mask once, afterwards.
#
# Exit status: 0 as described, 1 if the behaviour changed.
set -euo pipefail
shopt -s inherit_errexit

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check \
    'brian2==2.9.0' 'jax==0.10.2' 'jaxlib==0.10.2' 'numpy<2.4'

cat >"$dir/trial.py" <<'PYTHON'
import brian2 as b2
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
np.set_printoptions(precision=4, suppress=True)
b2.prefs.codegen.target = "numpy"
b2.defaultclock.dt = 1 * b2.ms
cells = b2.NeuronGroup(
    2,
    "dv/dt = (w * g * (4 - v) - v) / (20*ms) : 1 (unless refractory)\ng : 1\nw : 1 (shared)",
    threshold="v > 1",
    reset="v = 0",
    refractory=3 * b2.ms,
    method="exponential_euler",
)
cells.w = 1
cells.g = [0.1, 0.2]
cells.v = [0.5, 2]  # the second cell spikes in the first step
network = b2.Network(cells)
network.run(b2.defaultclock.dt)
v_start = jnp.asarray(np.array(cells.v))
known = {"g": jnp.asarray(np.array(cells.g)), "t": float(network.t), "dt": 1e-3, "ms": 1e-3}
known |= {"lastspike": jnp.asarray(np.array(cells.lastspike)), "exp": jnp.exp}
known["timestep"] = lambda time, dt: jnp.floor(time / dt + 1e-3)
network.run(b2.defaultclock.dt)
code = cells.state_updater.abstract_code


def step(w, as_number=lambda flag: jnp.where(flag, 1.0, 0.0)):
    names = {**known, "v": v_start, "w": w, "int": as_number}
    exec(code, names)
    return jnp.where(names["not_refractory"], names["v"], v_start)


print("Brian2: v =", np.array(cells.v))
print("JAX: v =", np.array(step(1.0)))
print("forward dv/dw =", np.array(jax.jacfwd(step)(1.0)))
print("reverse dv/dw =", np.array(jax.jacrev(step)(1.0)))
print("reverse, masked once =", np.array(jax.jacrev(lambda w: step(w, lambda flag: 1.0))(1.0)))
PYTHON

cd "$dir"
export TMPDIR="$dir"
seen=$("$dir/venv/bin/python" trial.py)
echo "$seen"
expected="Brian2: v = [0.4858 0.    ]
JAX: v = [0.4858 0.    ]
forward dv/dw = [0.0171 0.    ]
reverse dv/dw = [nan nan]
reverse, masked once = [0.0171 0.    ]"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
