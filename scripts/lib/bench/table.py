"""The one table that a run prints: a row a measure, with its bound and whether it holds."""

import math

from machine import say

VERDICTS = {None: "", True: "ok", False: "BROKEN"}


class Table:
    def __init__(self):
        self.rows = []
        self.is_well = True

    def title(self, text):
        self.rows.append((text, None))

    def row(self, what, value, bound="", holds=None):
        """holds is None where nothing is asked of the value, which is then there to compare with."""
        self.is_well = self.is_well and holds is not False
        self.add(what, str(value), bound, VERDICTS[holds])

    def add(self, what, *cells):
        self.rows.append(("  " + what, cells))
        # Those who wait for the table see it grow.
        say("  ".join(word for word in ("  " + what + ":", *cells) if word))

    def at_most(self, what, value, bound, unit="", digits=2):
        self.row(what, f"{value:.{digits}f}{unit}", f"≤ {bound:g}{unit}", value <= bound)

    def at_least(self, what, value, bound, unit="", digits=2):
        self.row(what, f"{value:.{digits}f}{unit}", f"≥ {bound:g}{unit}", value >= bound)

    def missing(self, what, why):
        self.add(what, f"not measured: {why}", "", "")

    def broken(self, what, why):
        """A scenario that could not be brought to its end."""
        self.is_well = False
        self.add(what, f"failed: {why}", "", "BROKEN")

    def text(self):
        cells = [("measure", ("value", "bound", "verdict"))] + self.rows
        widths = [max(len(row[0]) for row in cells if row[1])]
        # A long reason may run past its column; it is the last thing on its line.
        widths += [max(len(row[1][column]) for row in cells if row[1] and (row[1][1] or column)) for column in (0, 1)]
        lines = []
        for what, rest in cells:
            if rest is None:
                lines += ["", what]
                continue
            parts = [what.ljust(widths[0]), rest[0].ljust(widths[1]), rest[1].ljust(widths[2]), rest[2]]
            lines.append("  ".join(parts).rstrip())
        return "\n".join(lines)


def quantile(values, share):
    """The smallest of the values below or at which this share of them lies; nan of none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def median(values):
    return quantile(values, 0.5)
