"""One run of the bench: its options, its folder, and what its scenarios have in common."""

import copy

from processes import Processes


class Run:
    """What a scenario is given: a folder of its own, its processes, and the table that it adds rows to."""

    def __init__(self, options, folder, table):
        self.options, self.folder, self.table = options, folder, table
        self.processes = Processes(folder)
        self.notes = {}
        # Why there is no network of our own with a resolver in it; None when there is.
        self.no_network = None

    def scenario(self, name):
        one = copy.copy(self)
        one.folder = self.folder / name
        one.folder.mkdir()
        # nginx's worker, which may be another user, writes below this directory.
        one.folder.chmod(0o755)
        one.processes = Processes(one.folder)
        return one

    def part(self, name):
        """A folder for a second daemon or server in the same scenario; its processes end with the scenario's."""
        one = copy.copy(self)
        one.folder = self.folder / name
        one.folder.mkdir()
        one.folder.chmod(0o755)
        one.processes = Processes(one.folder, self.processes.all)
        return one

    def tool(self, name):
        return self.options.tools / name

    def seconds(self, normal):
        """How long to measure: a third when it has to be quick."""
        return max(5, normal // 3) if self.options.quick else normal

    def note(self, key, text):
        """Something that whoever reads the table must know, said once."""
        self.notes[key] = text
