"""`cite` gives BibTeX that holds together, of what was used and of nothing else."""

import re
from pathlib import Path

import pytest

import neuroanp as nap
from neuroanp.config import registry
from neuroanp.config.part import Part
from neuroanp.errors import InvalidValue
from neuroanp.models import ALIF, LIF
from neuroanp.optim import SGD, Adam, Chain, Clip
from neuroanp.reward import Modulator
from neuroanp.rules import ActivityPerturbation, EProp, NodePerturbation, ReadoutOnly, WeightPerturbation
from neuroanp.tasks import CopyingMemory, StoreRecall
from neuroanp.training.citing import cite
from support.toys import make_run

PAPER = "garciafernandez2024perturbations"
FIELD = re.compile(r"\s*(\w+)\s*=\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\},?")
NEEDED = {"article": {"journal", "volume", "pages"}, "inproceedings": {"booktitle"}, "misc": set(),
          "techreport": {"institution", "number"}}  # fmt: skip


def parsed(entry):
    """Kind, key and fields of a BibTeX entry."""
    start = re.match(r"@(\w+)\{([a-z]+[0-9]{4}[a-z]+),", entry)
    assert start, entry
    body, place, fields = entry[start.end() :], 0, {}
    while field := FIELD.match(body, place):
        assert field[1] not in fields
        fields[field[1]], place = " ".join(field[2].split()), field.end()
    assert body[place:].strip() == "}", entry
    return start[1], start[2], fields


def keys(text):
    return re.findall(r"^@\w+\{(\S+),", text, re.MULTILINE)


CLASSES = {cls for kind in registry.GROUPS for cls in registry.classes(kind).values()}
CLASSES |= {nap.Decorrelation, Modulator, Clip}


def test_sources_of_all_classes_are_bibtex_and_a_key_is_one_paper():
    entries = {entry for cls in CLASSES for entry in cls.sources}
    assert len(entries) > 30
    papers = [parsed(entry) for entry in entries]
    assert len({key for _, key, _ in papers}) == len(entries)
    titles = [fields["title"].lower() for _, _, fields in papers]
    assert len(set(titles)) == len(titles)
    for kind, key, fields in papers:
        assert {"author", "title", "year"} | NEEDED[kind] <= fields.keys(), key
        assert fields["year"] in key
        assert re.fullmatch(r"(10\.\d{4,}/\S+)?", fields.get("doi", ""))
        assert re.fullmatch(r"(\d{4}\.\d{4,5})?", fields.get("eprint", ""))
        assert {"doi", "eprint"} & fields.keys() or key in {"cauwenberghs1992fast", "jaeger2001echo"}
        assert all(", " in author for author in fields["author"].split(" and ")), key


def test_a_paper_that_a_class_names_by_its_number_is_among_its_sources():
    for cls in CLASSES:
        references = (vars(cls).get("__doc__") or "").partition("References")[2]
        named = set(re.findall(r"arXiv\W*(\d{4}\.\d{4,5})", references))
        assert named <= set(re.findall(r"\d{4}\.\d{4,5}", "".join(cls.sources))), cls


@pytest.mark.parametrize("rule", [NodePerturbation, ActivityPerturbation, WeightPerturbation])
def test_the_paper_is_a_source_of_its_rules(rule):
    assert any("2405.08967" in entry for entry in rule.sources)


def test_the_software_is_cited_as_its_file_says():
    facts = (Path(nap.__file__).parents[1] / "CITATION.cff").read_text()
    text = cite()
    assert keys(text) == ["neuroanp", PAPER]
    plain = re.sub(r"[{}]", "", text)
    assert re.search(r'^title: "(.*)"$', facts, re.MULTILINE)[1] in plain
    for name in ("title", "journal", "doi"):
        assert re.search(rf"^    {name}: (.*)$", facts, re.MULTILINE)[1] in plain
    assert "NeuroANP developers" in plain


def test_what_was_used_is_cited_once_and_nothing_else():
    recipe = nap.Recipe(model=ALIF(), rule=EProp(), optimizer=Chain(Clip(), SGD()), decorrelation=None)
    used = keys(cite(recipe, StoreRecall()))
    assert used[:3] == ["neuroanp", PAPER, "stimberg2019brian"]
    assert {"bellec2020solution", "bellec2018long"} < set(used)
    assert len(set(used)) == len(used)
    assert not {"kingma2015adam", "dalm2023node", "murray2019local"} & set(used)
    assert "kingma2015adam" in keys(cite(recipe.replace(optimizer=Chain(Clip(), Adam()))))


def test_brian2_is_cited_where_a_network_of_it_is():
    assert "stimberg2019brian" not in keys(cite(ReadoutOnly(), CopyingMemory))
    assert "stimberg2019brian" in keys(cite(LIF()))


def test_a_run_is_cited_with_its_task_and_recipe():
    run = nap.Run(**{**vars(make_run()), "settings": (CopyingMemory(), nap.Recipe())})
    assert set(keys(cite(run))) == set(keys(cite(nap.Recipe(), CopyingMemory())))
    assert repr(cite(run)) == str(cite(run))


def test_a_rule_of_ones_own_brings_its_sources():
    class Own(NodePerturbation):
        """Own."""

        sources = (*NodePerturbation.sources, "@misc{own2026, title = {Own}}")

    assert keys(cite(Own()))[-1] == "own2026"

    class Wrong(Part):
        """Wrong."""

        sources = ("Own, 2026",)

    with pytest.raises(
        InvalidValue, match=r"sources: expected BibTeX, as @article\{key, \.\.\.\}, got Own, 2026"
    ):
        cite(Wrong())


@pytest.mark.parametrize("subject", ["node-perturbation", 3, None])
def test_something_else_is_refused(subject):
    with pytest.raises(InvalidValue, match="cite: expected runs, recipes"):
        cite(subject)
