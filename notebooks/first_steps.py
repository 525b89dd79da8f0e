"""From import to picture: a recurrent network learns to repeat a sequence, without gradients."""

import neuroanp as nap
from neuroanp.models import TanhRNN
from neuroanp.tasks import CopyingMemory

if __name__ == "__main__":
    task = CopyingMemory(alphabet=6, length=5, delay=5)
    rule = nap.rules.NodePerturbation(sigma=0.01, readout="delta")
    run = nap.train(TanhRNN(hidden=100), task, rule=rule, seed=1)
    print(run)
    run.plot().savefig("first_steps.png")
