"""Sources that several files name, as BibTeX; what one class alone is from stands in its own file."""

ANP = r"""@article{garciafernandez2024perturbations,
  author = {Garc{\'i}a Fern{\'a}ndez, Jes{\'u}s and Keemink, Sander and van Gerven, Marcel},
  title = {Gradient-free training of recurrent neural networks using random perturbations},
  journal = {Frontiers in Neuroscience},
  volume = {18},
  pages = {1439155},
  year = {2024},
  doi = {10.3389/fnins.2024.1439155},
  eprint = {2405.08967},
  archivePrefix = {arXiv}
}"""

BRIAN2 = """@article{stimberg2019brian,
  author = {Stimberg, Marcel and Brette, Romain and Goodman, Dan F. M.},
  title = {{Brian} 2, an intuitive and efficient neural simulator},
  journal = {eLife},
  volume = {8},
  pages = {e47314},
  year = {2019},
  doi = {10.7554/eLife.47314}
}"""

FIETE_SEUNG = """@article{fiete2006gradient,
  author = {Fiete, Ila R. and Seung, H. Sebastian},
  title = {Gradient learning in spiking neural networks by dynamic perturbation of conductances},
  journal = {Physical Review Letters},
  volume = {97},
  pages = {048104},
  year = {2006},
  doi = {10.1103/PhysRevLett.97.048104}
}"""

LANSDELL = """@inproceedings{lansdell2020learning,
  author = {Lansdell, Benjamin James and Prakash, Prashanth Ravi and Kording, Konrad Paul},
  title = {Learning to solve the credit assignment problem},
  booktitle = {International Conference on Learning Representations},
  year = {2020},
  eprint = {1906.00889},
  archivePrefix = {arXiv}
}"""

NICOLA_CLOPATH = """@article{nicola2017supervised,
  author = {Nicola, Wilten and Clopath, Claudia},
  title = {Supervised learning in spiking neural networks with {FORCE} training},
  journal = {Nature Communications},
  volume = {8},
  pages = {2208},
  year = {2017},
  doi = {10.1038/s41467-017-01827-3}
}"""

WILLIAMS = """@article{williams1992simple,
  author = {Williams, Ronald J.},
  title = {Simple statistical gradient-following algorithms for connectionist reinforcement learning},
  journal = {Machine Learning},
  volume = {8},
  pages = {229--256},
  year = {1992},
  doi = {10.1007/BF00992696}
}"""

E_PROP = """@article{bellec2020solution,
  author = {Bellec, Guillaume and Scherr, Franz and Subramoney, Anand and Hajek, Elias and Salaj, Darjan and
    Legenstein, Robert and Maass, Wolfgang},
  title = {A solution to the learning dilemma for recurrent networks of spiking neurons},
  journal = {Nature Communications},
  volume = {11},
  pages = {3625},
  year = {2020},
  doi = {10.1038/s41467-020-17236-y}
}"""
