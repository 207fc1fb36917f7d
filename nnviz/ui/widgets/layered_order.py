"""The order of things that hang together: which column each stands in, and who stands above whom. Pure; it knows no sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations

_ROOM = 1000
"""Half the distance of two items of a column, in steps of two links that enter one item."""
MANY_LINKS = 120
"""With more links than these no crossings are counted: that takes a look at every pair."""
MANY = 500
"""Above so many things in a column order the layered layout takes its quick settings."""


def ordered(keys: Sequence[Hashable], links: set[tuple[Hashable, Hashable]]) -> dict:
    """Return the column of every item (the longest way to it), items of one column in the order in which edges cross least.

    Raises ValueError if the links form a cycle.
    """
    found = columns(keys, links)
    if len(set(found.values())) == len(found):
        return found
    cross = _cross_positions(keys, links, found)
    return dict(sorted(found.items(), key=lambda item: (item[1], cross[item[0]])))


def uncrossed(given: Mapping[int, Sequence[Hashable]], links: Sequence[tuple[Hashable, Hashable]]) -> dict[int, list[Hashable]]:
    """Return the items of every column in an order in which straight links cross least; as given where that is no worse.

    `given`: column -> its items from top to bottom, centred. Links into one item enter it in their order. With more than MANY_LINKS it
    stays as given: every pair of links would have to be looked at.
    """
    if len(links) > MANY_LINKS:
        return {column: list(items) for column, items in given.items()}
    found = _uncrossed(tuple((column, tuple(items)) for column, items in given.items()), tuple(links))
    return {column: list(items) for column, items in found.items()}


@lru_cache(maxsize=16)
def _uncrossed(
    given: tuple[tuple[int, tuple[Hashable, ...]], ...], links: tuple[tuple[Hashable, Hashable], ...]
) -> dict[int, list[Hashable]]:
    """The network view asks for the same order again after every change that touches no link."""
    present = {column: list(items) for column, items in given}
    count = crossings(present, links) if any(len(items) > 1 for items in present.values()) else 0
    if not count:
        return present
    keys = [key for column in sorted(present) for key in present[column]]
    cross = _cross_positions(keys, set(links), {key: column for column, items in present.items() for key in items})
    layered = {column: sorted(items, key=lambda key: cross[key]) for column, items in present.items()}
    mirrored = {column: items[::-1] for column, items in layered.items()}
    best = min((present, layered, mirrored), key=lambda one: crossings(one, links))
    return _swapped(best, links, crossings(best, links))


def crossings(given: Mapping[int, Sequence[Hashable]], links: Sequence[tuple[Hashable, Hashable]]) -> int:
    """Return how many pairs of straight links between items in centred columns cross, ends that touch not counted."""
    places = {key: (column, _ROOM * (2 * place - len(items) + 1)) for column, items in given.items() for place, key in enumerate(items)}
    entries = defaultdict(list)
    for source, target in links:
        entries[target].append(source)
    ways = [(places[source], _entry(places[target], entries[target], source)) for source, target in links]
    return sum(_cross(one, other) for one, other in combinations(ways, 2))


def _entry(place: tuple[int, int], sources: Sequence[Hashable], source: Hashable) -> tuple[int, int]:
    """Where a link enters: the first at the top."""
    return place[0], place[1] + 2 * sources.index(source) - len(sources) + 1


def _cross(one: tuple, other: tuple) -> bool:
    """Whether two lines cross inside both: the ends of each lie on different sides of the other."""
    return _side(one, other[0]) * _side(one, other[1]) < 0 and _side(other, one[0]) * _side(other, one[1]) < 0


def _side(line: tuple, point: tuple) -> int:
    (x0, y0), (x1, y1), (x, y) = *line, point
    turn = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
    return (turn > 0) - (turn < 0)


def _swapped(present: dict[int, list], links: Sequence[tuple[Hashable, Hashable]], count: int) -> dict[int, list]:
    """Exchange neighbours as long as that leaves fewer crossings."""
    improved = True
    while improved and count:
        improved = False
        for column in sorted(present):
            for place in range(len(present[column]) - 1):
                items = list(present[column])
                items[place : place + 2] = reversed(items[place : place + 2])
                found = crossings(present | {column: items}, links)
                if found < count:
                    present, count, improved = present | {column: items}, found, True
    return present


def columns(keys: Sequence[Hashable], links: set[tuple[Hashable, Hashable]]) -> dict:
    """Return the column of every item. Raises ValueError if the links form a cycle."""
    before, behind = _neighbours(links)
    return _beside_siblings(_pulled_right(_longest_ways(keys, before, behind), before, behind), before, behind)


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


def _beside_siblings(columns: dict, before: Mapping, behind: Mapping) -> dict:
    """What stands further left than something else that uses the same item moves beside it where its own users leave room for that."""
    for key in reversed(columns):
        users = [columns[user] for user in behind.get(key, ())]
        siblings = {other for source in before.get(key, ()) for other in behind.get(source, ())}
        free = [columns[other] for other in siblings if columns[key] < columns[other] < min(users, default=0)]
        columns[key] = max(free, default=columns[key])
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
