"""Tests of compile_cache.py: where the cache is, what it is good for, and what is removed from it."""

import fcntl
import os
import pathlib
import tempfile
import unittest

import compile_cache


class RootTest(unittest.TestCase):
    def test_follows_the_rules_for_caches(self):
        root = lambda **environment: str(compile_cache.root_of(environment))
        self.assertEqual(root(XDG_CACHE_HOME="/c", HOME="/h"), "/c/wormhole-sync/compile")
        self.assertEqual(root(HOME="/h"), "/h/.cache/wormhole-sync/compile")
        self.assertEqual(root(XDG_CACHE_HOME="", HOME="/h"), "/h/.cache/wormhole-sync/compile")
        self.assertEqual(root(XDG_CACHE_HOME="c", HOME="/h"), "/h/.cache/wormhole-sync/compile")

    def test_without_a_home_there_is_no_cache(self):
        for environment in ({}, {"HOME": ""}, {"HOME": "relative"}):
            with self.assertRaises(compile_cache.NoCache):
                compile_cache.root_of(environment)

    def test_a_home_that_cannot_be_written_to_is_said(self):
        with tempfile.NamedTemporaryFile() as file:  # no folder can be made in it, by root neither
            with self.assertRaisesRegex(compile_cache.NoCache, "cannot write to .*/key: "):
                compile_cache.make_folder({"HOME": file.name}, "key")

    def test_makes_the_folder_of_a_key(self):
        with tempfile.TemporaryDirectory() as home:
            folder = compile_cache.make_folder({"HOME": home}, "key")
            self.assertEqual(folder, pathlib.Path(home) / ".cache/wormhole-sync/compile/key")
            self.assertEqual(list(folder.iterdir()), [])


class KeyTest(unittest.TestCase):
    def packages(self, *lines):
        return [compile_cache.Package(line) for line in lines]

    def test_has_what_the_packages_need(self):
        packages = self.packages(
            "g++\t12\t\t,g++-12 (>= 12.2), gone | gcc:any",
            "g++-12\t12.2\tc++-compiler\tlibc6 (>= 2), libdev-virtual",
            "gcc\t12\t\t,g++-12",  # a circle
            "libc6\t2.36\t\t,",
            "libdev\t1\tlibdev-virtual (= 1)\t,",
            "firefox\t99\t\t,libc6")
        self.assertEqual(
            compile_cache.with_what_they_need(["g++", "missing"], packages),
            ["g++ 12", "g++-12 12.2", "gcc 12", "libc6 2.36", "libdev 1"])

    def test_is_another_after_an_upgrade_and_the_same_else(self):
        key = lambda *lines: compile_cache.key_of(
            compile_cache.with_what_they_need(["a"], self.packages(*lines)))
        before = key("a\t1\t\t,b", "b\t1\t\t,", "c\t1\t\t,")
        self.assertEqual(before, key("c\t2\t\t,", "b\t1\t\t,", "a\t1\t\t,b"))
        self.assertNotEqual(before, key("a\t1\t\t,b", "b\t1+deb12u1\t\t,", "c\t1\t\t,"))

    def test_a_program_that_was_written_anew_is_another(self):
        with tempfile.NamedTemporaryFile() as file:
            before = compile_cache.state_of(file.name)
            self.assertEqual(before, compile_cache.state_of(file.name))
            os.utime(file.name, (1, 1))
            self.assertNotEqual(before, compile_cache.state_of(file.name))

    def test_knows_this_system(self):
        needed = compile_cache.with_what_they_need(
            compile_cache.needed_packages(), compile_cache.installed_packages())
        names = [line.split()[0] for line in needed]
        for name in ("g++-12", "libstdc++-12-dev", "libc6-dev", "libgrpc++-dev", "protobuf-compiler"):
            self.assertIn(name, names)


class PruneTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)

    def add(self, name, used, made=None):
        """A file of one block."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 4096)
        os.utime(path, (used, made or used))

    def left(self):
        return sorted(str(path.relative_to(self.root)) for path in self.root.glob("*/**/*")
                      if path.is_file())

    def test_removes_what_was_not_used_for_longest(self):
        self.add("old/cas/1", used=10)
        self.add("old/cas/2", used=90, made=10)  # read lately
        for n, used in enumerate((20, 30, 40, 50)):
            self.add(f"new/ac/{n}", used=used)
        compile_cache.prune(self.root, most_bytes=4 * 4096)
        self.assertEqual(self.left(), ["new/ac/2", "new/ac/3", "old/cas/2"])

    def test_leaves_what_is_within_the_bound(self):
        self.add("key/cas/1", used=10)
        self.add("key/cas/2", used=20)
        compile_cache.prune(self.root, most_bytes=2 * 4096)
        self.assertEqual(self.left(), ["key/cas/1", "key/cas/2"])

    def test_does_nothing_while_another_does_it(self):
        self.add("key/cas/1", used=10)
        with open(self.root / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            compile_cache.prune(self.root, most_bytes=0)
        self.assertEqual(self.left(), ["key/cas/1"])
        compile_cache.prune(self.root, most_bytes=0)
        self.assertEqual(self.left(), [])

    def test_minds_no_file_that_is_gone(self):
        self.add("key/cas/1", used=10)
        compile_cache.remove_oldest([(1, 4096, str(self.root / "gone")),
                                     (2, 4096, str(self.root / "key/cas/1"))], 4096 + 1)
        self.assertEqual(self.left(), [])

    def test_leaves_half_of_what_is_free(self):
        self.assertEqual(compile_cache.bound(used=1000, free=200), 600)
        self.assertEqual(compile_cache.bound(used=0, free=1 << 50), compile_cache.MOST_BYTES)


if __name__ == "__main__":
    unittest.main()
