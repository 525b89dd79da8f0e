"""Rooms and floors of the package, as Python's imports have them: ``python tests/contracts/rooms.py``.

A room is a module or package of the top level; its floor is the length of the longest chain of imports that
starts there.
"""

import graphlib

import grimp


def rooms():
    """The rooms that each room imports, by name."""
    graph = grimp.build_graph("neuroanp", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: set() for module in graph.find_children("neuroanp")}
    for importer in graph.modules - {"neuroanp"}:
        for imported in graph.find_modules_directly_imported_by(importer) - {"neuroanp"}:
            imports[_room(importer)].add(_room(imported))
    return {_short(room): {_short(other) for other in others - {room}} for room, others in imports.items()}


def floors(imports):
    """The floor of each room, from 1; `graphlib.CycleError` where rooms import each other in a circle."""
    floor = {}
    for room in graphlib.TopologicalSorter(imports).static_order():
        floor[room] = 1 + max((floor[other] for other in imports[room]), default=0)
    return floor


def _room(module):
    return ".".join(module.split(".")[:2])


def _short(room):
    return room.removeprefix("neuroanp.")


if __name__ == "__main__":
    found = rooms()
    floor = floors(found)
    for height in sorted(set(floor.values()), reverse=True):
        print(f"{height}  {'  '.join(sorted(room for room, at in floor.items() if at == height))}")
    arrows = sum(map(len, found.values()))
    print(f"{len(found)} rooms, {max(floor.values())} floors, {arrows} arrows, no circle")
