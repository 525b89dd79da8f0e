"""Train recurrent networks, rate and spiking, without gradients.

Networks are Brian2 neuron groups, noise perturbs them, a reward monitor reduces what they did to a scalar,
and local plasticity rules turn the three into weight changes between runs.

The packages lie in the order of a trial's way: `network` runs a trial, `reward` makes a scalar of its losses,
`rules` an estimate of that, `optim` a change of the weights, `substrate` is what holds them, and `training`
is the loop around them.
`gradients` and `hardware` are other ways to learn; `verify`, `reproduce` and `bench` study a training; `cli`
is the shell. `models` and `tasks` are the zoo, `engine` is a Brian2 device that compiles once and runs often.
"""

import lazy_loader

# Names are looked up when used: the engine can be used alone, and `neuroanp --help` is quick.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
