"""The order of things that hang together: which column each stands in, and who stands above whom. Pure; it knows no sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

MANY = 500
"""Above so many things in a column order the layered layout takes its quick settings."""


def ordered(keys: Sequence[Hashable], links: set[tuple[Hashable, Hashable]]) -> dict:
    """Return the column of every item (the longest way to it), items of one column in the order in which wires cross least.

    Raises ValueError if the links form a cycle.
    """
    found = columns(keys, links)
    if len(set(found.values())) == len(found):
        return found
    cross = _cross_positions(keys, links, found)
    return dict(sorted(found.items(), key=lambda item: (item[1], cross[item[0]])))


def columns(keys: Sequence[Hashable], links: set[tuple[Hashable, Hashable]]) -> dict:
    """Return the column of every item. Raises ValueError if the links form a cycle."""
    before, behind = _neighbours(links)
    return _pulled_right(_longest_ways(keys, before, behind), before, behind)


def _neighbours(links: set[tuple[Hashable, Hashable]]) -> tuple[Mapping[Hashable, list], Mapping[Hashable, list]]:
    before, behind = defaultdict(list), defaultdict(list)
    for source, target in sorted(links, key=str):
        before[target].append(source)
        behind[source].append(target)
    return before, behind


def _longest_ways(keys: Sequence[Hashable], before: Mapping, behind: Mapping) -> dict:
    """The number of links on the longest way to every item."""
    waiting = {key: len(before.get(key, ())) for key in keys}
    columns = {key: 0 for key in keys if not waiting[key]}
    ready = list(columns)
    for key in ready:
        for user in behind.get(key, ()):
            columns[user] = max(columns.get(user, 0), columns[key] + 1)
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    if len(ready) < len(waiting):
        raise ValueError("the links between these cards form a cycle, so they have no order from left to right")
    return {key: columns[key] for key in keys}


def _pulled_right(columns: dict, before: Mapping, behind: Mapping) -> dict:
    """Items without a predecessor stand right before their first user, not at the far left."""
    for key in columns:
        users = [columns[user] for user in behind.get(key, ())]
        if not before.get(key) and users:
            columns[key] = max(columns[key], min(users) - 1)
    return columns


def _cross_positions(keys: Sequence[Hashable], links: set[tuple[Hashable, Hashable]], columns: dict) -> dict:
    numbers = {key: number for number, key in enumerate(keys)}
    found = _layered(
        [(numbers[a], numbers[b]) for a, b in sorted(links, key=lambda link: (numbers[link[0]], numbers[link[1]]))], len(numbers)
    )
    if any(number not in found for number in numbers.values()):
        found = _spread(numbers, links, columns)
    return {key: found[number] for key, number in numbers.items()}


def _spread(numbers: Mapping[Hashable, int], links: set[tuple[Hashable, Hashable]], columns: Mapping) -> dict[int, float]:
    """Places across the columns for when the layered layout does not know every item."""
    import networkx  # here, because it takes as long to load as the whole window to paint

    graph = networkx.DiGraph()
    graph.add_nodes_from((number, {"column": columns[key]}) for key, number in numbers.items())
    graph.add_edges_from((numbers[a], numbers[b]) for a, b in links)
    return {number: place[1] for number, place in networkx.multipartite_layout(graph, subset_key="column").items()}


def _layered(edges: list[tuple[int, int]], count: int) -> dict[int, float]:
    """The place across the layers of every vertex that the layered layout knows; unlinked vertices are missing."""
    import fast_sugiyama

    quick = {"dummy_vertices": False, "transpose": False, "ranking_type": "up"} if count > MANY else {}
    found: dict[int, float] = {}
    offset = 0.0
    for positions, width, *_ in fast_sugiyama.from_edges(edges, **quick):
        found |= {vertex: offset + x for vertex, (x, _) in positions if vertex < count}
        offset += width + 1
    return found
