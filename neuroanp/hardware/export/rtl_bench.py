"""Test bench of a learning core in Verilog, with the numbers that it has to show."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuroanp.hardware.export.rtl_core import Core
from neuroanp.hardware.export.rtl_host import Recorder
from neuroanp.hardware.integer_chip import IntegerChip

STEPS = 20
"""Steps of the trial that the test bench plays."""

_BENCH = """\
// Plays the commands of a trial of {steps} steps, and compares the outputs and spikes of every step, and all
// weights after it, with the integers of IntegerChip. Prints PASSED, or what differs first.
`timescale 1ns / 1ps
module core_tb;
  localparam COMMANDS = {commands}, WEIGHTS = {weights}, WIDTH = {width}, SHOWN = {shown};
  reg [WIDTH-1:0] stimuli [0:COMMANDS-1];
  reg [SHOWN-1:0] expected [0:COMMANDS-1];
  reg [{load}-1:0] loads [0:WEIGHTS-1];
  reg [{load}-1:0] results [0:WEIGHTS-1];
  reg clk = 0, rst = 1, write = 0;
  reg [WIDTH-1:0] now = 0;
  reg [2:0] go = 0;
  reg [{projection}-1:0] projection = 0;
  reg [{address}-1:0] address = 0;
  reg [{data}-1:0] data = 0;
  wire busy;
  wire [{data}-1:0] read;
  wire [{z}-1:0] z;
{wires}
  integer k, wrong = 0;
  core dut (.clk(clk), .rst(rst), .go(go), .projection(projection), .address(address), .data(data),
            .write(write), .busy(busy), .read(read), .z(z){ports});
  always #5 clk = ~clk;
  initial begin
    $readmemh("commands.hex", stimuli);
    $readmemh("expected.hex", expected);
    $readmemh("weights_before.hex", loads);
    $readmemh("weights_after.hex", results);
    repeat (2) @(negedge clk);
    rst = 0;
    for (k = 0; k < WEIGHTS; k = k + 1) begin
      {{projection, address, data}} = loads[k];
      write = 1;
      @(negedge clk);
    end
    write = 0;
    for (k = 0; k < COMMANDS; k = k + 1) begin
      now = stimuli[k];
      go = now[2:0];
      @(negedge clk);
      go = 0;
      while (busy) @(negedge clk);
      if (expected[k][0] && {{{outputs}z}} !== expected[k][SHOWN-1:1]) begin
        if (wrong == 0) $display("command %0d: outputs and spikes differ", k);
        wrong = wrong + 1;
      end
    end
    for (k = 0; k < WEIGHTS; k = k + 1) begin
      {{projection, address, data}} = results[k];
      @(negedge clk);
      @(negedge clk);
      if (read !== data) begin
        if (wrong == 0) $display("weight %0d: %0d instead of %0d", k, $signed(read), $signed(data));
        wrong = wrong + 1;
      end
    end
    if (wrong == 0) $display("PASSED"); else $display("FAILED: %0d differences", wrong);
    $finish;
  end
endmodule
"""


def bench(chip: IntegerChip, made: Core) -> dict[str, str]:
    """Test bench and its numbers, of a trial on a chip made anew."""
    recorder = Recorder(chip.fresh(), made)
    other = chip.on(recorder)
    before = other.integers
    trial = other.trial(0)
    short = type(trial)(trial.inputs[-STEPS:], trial.targets[-STEPS:], np.asarray(trial.mask)[-STEPS:])
    other.learn_from(short, 0)
    widths = dict(_inputs(made))
    y = chip.blocks.formats["readout"]["y"].bits
    n_out, hidden = chip.network.n_out, chip.network.model.hidden
    shown = 1 + hidden + n_out * y
    values: dict[str, int] = dict.fromkeys(widths, 0)
    stimuli, expected = [], []
    for code, ports, result in recorder.commands:
        values |= ports
        word, place = code, 3
        for name, width in widths.items():
            word |= (values[name] & (1 << width) - 1) << place
            place += width
        stimuli.append(word)
        expected.append(0)
        if result is not None:
            outputs, spikes = result
            seen = sum(int(bit) << k for k, bit in enumerate(spikes))
            for k, output in enumerate(outputs):
                seen |= (int(output) & (1 << y) - 1) << hidden + k * y
            expected[-1] = seen << 1 | 1
    connections, place = "", 3
    for name, width in widths.items():
        connections += f", .{name}(now[{place + width - 1}:{place}])"
        place += width
    loads, ends = (_weights(made, integers) for integers in (before, other.integers))
    sizes = {name: len(getattr(made, name)) for name in ("projection", "address", "data")}
    bench = _BENCH.format(
        steps=short.steps, commands=len(stimuli), weights=len(loads), width=place, shown=shown, z=hidden,
        load=sum(sizes.values()), ports=connections + "".join(f", .y{k}(y{k})" for k in range(n_out)),
        wires="\n".join(f"  wire [{y - 1}:0] y{k};" for k in range(n_out)),
        outputs="".join(f"y{k}, " for k in reversed(range(n_out))), **sizes,
    )  # fmt: skip
    tables = {"commands": stimuli, "expected": expected, "weights_before": loads, "weights_after": ends}
    hexes = {f"{name}.hex": "".join(f"{word:x}\n" for word in words) for name, words in tables.items()}
    return {"core_tb.v": bench} | hexes


def _inputs(made: Core) -> list[tuple[str, int]]:
    """Inputs of a core that commands set, with their widths."""
    names = ["u", "redraw", "quiet", "going", "resting", "course"]
    names += [scalar.port for scalar in made.scalars] + [f"target{k}" for k in range(made.n_out)]
    return [(name, len(getattr(made, name))) for name in names]


def _weights(made: Core, integers: Any) -> list[int]:
    """Weights as projection, address and value, side by side."""
    address, data = len(made.address), len(made.data)
    return [
        (number << address | place) << data | int(weight) & (1 << data) - 1
        for number, weights in enumerate(integers.values())
        for place, weight in enumerate(weights.ravel())
    ]
