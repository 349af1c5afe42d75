#!/usr/bin/python3
"""deploy/image/build makes the same image each time and in any folder, and says what it lacks.

tests/image/build_test.py LAYOUT [DIGEST]: what it has written for this tree, and printed.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

from image import read_image

SOURCE = pathlib.Path(__file__).resolve().parents[2]
LAYOUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path()
PRINTED = sys.argv[2] if len(sys.argv) > 2 else ""


class BuildTest(unittest.TestCase):
    """Each test has a copy of the tree in another folder, its programs among it."""

    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.tree = self.folder / "another place"
        self.tree.mkdir()
        copied = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=SOURCE,
                                check=True, capture_output=True)
        # What is deleted and not committed yet is listed, too.
        there = b"\0".join(path for path in copied.stdout.split(b"\0") if path and os.path.lexists(SOURCE / path.decode()))
        subprocess.run(f'tar -C "{SOURCE}" --null --files-from=- -c | tar -C "{self.tree}" -x', shell=True, check=True,
                       input=there)
        self.built = self.folder / "k8-opt/bin"
        for program in ("relay/wormhole-relay", "client/cli/wormhole-sync"):
            (self.built / program).parent.mkdir(parents=True)
            shutil.copy(SOURCE / "bazel-bin" / program, self.built / program)
        (self.tree / "bazel-bin").symlink_to(self.built)
        # Of this tree Bazel has built nothing, and would start a server for it.
        self.tools = self.folder / "tools"
        self.tools.mkdir()
        self.fake_bazel("exit 0")

    def fake_bazel(self, script: str) -> None:
        (self.tools / "bazel").write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
        (self.tools / "bazel").chmod(0o755)

    def take_history(self) -> None:
        git = subprocess.run(["git", "rev-parse", "--git-common-dir"], cwd=SOURCE, check=True, capture_output=True,
                             encoding="utf-8").stdout.strip()
        shutil.copytree(SOURCE / git, self.tree / ".git", symlinks=True)

    def build(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {"PATH": f"{self.tools}:{os.environ['PATH']}"}
        if "HOME" in os.environ:
            kept["HOME"] = os.environ["HOME"]
        return subprocess.run([self.tree / "deploy/image/build", *arguments], cwd=self.folder, env=kept | environment,
                              capture_output=True, check=False, encoding="utf-8", umask=0o077)

    def refusal(self, *arguments: str, status: int = 1, **environment: str) -> str:
        """The one line that it ends with."""
        ended = self.build(*arguments, **environment)
        self.assertEqual((ended.returncode, ended.stdout, len(ended.stderr.splitlines())), (status, "", 1), ended.stderr)
        return ended.stderr

    def test_a_copy_elsewhere_makes_the_same(self) -> None:
        """With other habits, too, and over an older image."""
        self.take_history()
        out = self.folder / "a folder/image"
        shutil.copytree(LAYOUT, out)
        (out / "index.json").write_text("{}", encoding="utf-8")
        ended = self.build(str(out), "--prebuilt", TZ="Asia/Tokyo", LC_ALL="C", LD_LIBRARY_PATH=str(self.folder))
        self.assertEqual((ended.returncode, ended.stdout.strip()), (0, PRINTED), ended.stderr)
        self.assertEqual(out.with_name("image.spdx.json").read_bytes(),
                         LAYOUT.with_name(LAYOUT.name + ".spdx.json").read_bytes())
        self.assertEqual(sorted(path.name for path in out.parent.iterdir()), ["image", "image.spdx.json"])

    def test_a_tree_that_was_changed_says_so_and_another_time_is_another_image(self) -> None:
        self.take_history()
        with open(self.tree / "README.md", "a", encoding="utf-8") as readme:
            readme.write("changed\n")
        ended = self.build("image", "--prebuilt", SOURCE_DATE_EPOCH="1700000000")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("not committed", ended.stderr)
        image = read_image(self.folder / "image")
        self.assertRegex(image.config["config"]["Labels"]["org.opencontainers.image.revision"],
                         "^[0-9a-f]{40}-modified$")
        self.assertEqual(image.config["created"], "2023-11-14T22:13:20Z")
        self.assertNotEqual(image.manifest["layers"], read_image(LAYOUT).manifest["layers"])

    def test_without_the_history_the_time_is_asked_for_and_the_files_are_the_same(self) -> None:
        self.assertIn("set SOURCE_DATE_EPOCH", self.refusal("image", "--prebuilt"))
        self.assertIn("set SOURCE_DATE_EPOCH", self.refusal("image", "--prebuilt", SOURCE_DATE_EPOCH="yesterday"))
        commit = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=SOURCE, check=True, capture_output=True,
                                encoding="utf-8").stdout.strip()
        ended = self.build("image", "--prebuilt", SOURCE_DATE_EPOCH=commit)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        image = read_image(self.folder / "image")
        self.assertNotIn("org.opencontainers.image.revision", image.config["config"]["Labels"])
        self.assertEqual(image.manifest["layers"], read_image(LAYOUT).manifest["layers"])

    def fake(self, name: str, script: str) -> str:
        """A $PATH on which only this one of the programs that make images is, and does what the script says. Bazel is
        the test's, if any."""
        folder = self.folder / "path"
        folder.mkdir()
        for program in pathlib.Path("/usr/bin").iterdir():
            if program.name not in ("buildah", "docker", "bazel"):
                (folder / program.name).symlink_to(program)
        (folder / name).write_text("#!/bin/bash\nset -eu\n" + script, encoding="utf-8")
        (folder / name).chmod(0o755)
        return f"{self.tools}:{folder}"

    def fake_buildah(self) -> str:
        """It keeps its arguments and the context, and makes the image that there is already."""
        return self.fake("buildah", f"""
            case "$1" in
              bud) printf '%s\\n' "$@" >"{self.folder}/arguments"; cp -r "${{!#}}" "{self.folder}/context"
                   while [ "$1" != --iidfile ]; do shift; done; echo 123 >"$2" ;;
              push) to=${{!#}}; to=${{to#oci:}}; cp -r "{LAYOUT}" "${{to%:latest}}" ;;
            esac""")

    def fake_docker(self) -> str:
        """It makes the image that there is already."""
        return self.fake("docker", f"""
            [ "$1" = buildx ] || exit 1
            [ "$2" = build ] || exit 0
            output=$(printf '%s\\n' "$@" | sed -n 's/^type=oci.*,dest=\\([^,]*\\).*/\\1/p')
            cp -r "{LAYOUT}" "$output" """)

    def whole(self, **environment: str) -> tuple[list[str], set[str]]:
        """The arguments that a whole build gives to buildah, and the paths in its context."""
        for junk in (".bazelrc.user", "bazel-out", "bazel-testlogs"):
            (self.tree / junk).symlink_to(self.built)
        ended = self.build("image", PATH=self.fake_buildah(), **environment)
        self.assertEqual((ended.returncode, ended.stdout.strip()), (0, PRINTED), ended.stderr)
        context = self.folder / "context"
        paths = {str(path.relative_to(context)) for path in context.rglob("*") if not path.is_dir()}
        self.assertTrue({"WORKSPACE", "deploy/image/Dockerfile", "deploy/image/rootfs", "relay/main.cc"} <= paths)
        self.assertEqual({path for path in paths if path.startswith(("bazel-", ".git/", ".bazelrc.user"))}, set())
        return (self.folder / "arguments").read_text(encoding="utf-8").splitlines(), paths

    def test_whole_it_takes_what_is_tracked(self) -> None:
        self.take_history()
        (self.tree / "untracked").write_text("x", encoding="utf-8")
        (self.tree / "CHANGELOG.md").unlink()
        arguments, paths = self.whole(BASE="localhost/mine", BUILDAH_LAYERS="true")
        self.assertNotIn("untracked", paths)
        self.assertNotIn("CHANGELOG.md", paths)
        self.assertIn("BASE=localhost/mine", arguments)
        self.assertIn("--layers=false", arguments)
        self.assertNotIn("--build-context", arguments)

    def test_whole_without_the_history_it_takes_the_folder(self) -> None:
        arguments, _ = self.whole(SOURCE_DATE_EPOCH="1700000000")
        self.assertIn("SOURCE_DATE_EPOCH=1700000000", arguments)
        self.assertEqual([one for one in arguments if one.startswith("BASE=")], [])

    def test_without_buildah_it_takes_docker_or_says_what_it_takes(self) -> None:
        path = self.fake_docker()
        ended = self.build("image", "--prebuilt", PATH=path, SOURCE_DATE_EPOCH="1")
        self.assertEqual((ended.returncode, ended.stdout.strip()), (0, PRINTED), ended.stderr)
        # Its default builder may refuse.
        docker = self.folder / "path/docker"
        docker.write_text('#!/bin/bash\n[ "$2" != build ]\n', encoding="utf-8")
        self.assertIn("docker buildx create --use", self.refusal("other", "--prebuilt", PATH=path, SOURCE_DATE_EPOCH="1"))
        docker.unlink()
        self.assertIn("apt-get install buildah",
                      self.refusal("other", "--prebuilt", PATH=path, SOURCE_DATE_EPOCH="1"))

    def test_what_is_no_image_is_left_alone(self) -> None:
        precious = self.folder / "precious"
        precious.mkdir()
        (precious / "file").write_text("x", encoding="utf-8")
        self.assertIn("is no image", self.refusal(str(precious), "--prebuilt", SOURCE_DATE_EPOCH="1"))
        self.assertTrue((precious / "file").exists())
        self.assertIn("cannot have", self.refusal("a:b", "--prebuilt", SOURCE_DATE_EPOCH="1"))

    def test_programs_that_are_missing_or_of_another_build_are_refused(self) -> None:
        (self.tree / "bazel-bin").unlink()
        self.assertIn("bazel build -c opt", self.refusal("image", "--prebuilt", SOURCE_DATE_EPOCH="1"))
        self.built.rename(self.folder / "k8-fastbuild")
        (self.tree / "bazel-bin").symlink_to(self.folder / "k8-fastbuild")
        self.assertIn("another configuration", self.refusal("image", "--prebuilt", SOURCE_DATE_EPOCH="1"))
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith("image")], [])

    def test_programs_that_are_older_than_the_source_are_refused(self) -> None:
        asked = self.folder / "asked"
        self.fake_bazel(f"""printf '%s\\n' "$PWD" "$@" >"{asked}"
            echo "INFO: Found 2 targets..." >&2
            echo "ERROR: action 'Compiling relay/main.cc' is not up-to-date" >&2
            exit 1""")
        said = self.refusal("image", "--prebuilt", SOURCE_DATE_EPOCH="1")
        self.assertIn("older than the source (Bazel: action 'Compiling relay/main.cc' is not up-to-date): "
                      "bazel build -c opt //relay:wormhole-relay //client/cli:wormhole-sync", said)
        self.assertEqual(asked.read_text(encoding="utf-8").splitlines(),
                         [str(self.tree), "build", "-c", "opt", "--check_up_to_date", "--noshow_progress",
                          "//relay:wormhole-relay", "//client/cli:wormhole-sync"])
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith("image")], [])

    def test_without_bazel_it_says_that_it_has_not_asked(self) -> None:
        path = self.fake_docker()
        (self.tools / "bazel").unlink()
        ended = self.build("image", "--prebuilt", PATH=path, SOURCE_DATE_EPOCH="1")
        self.assertEqual((ended.returncode, ended.stdout.strip()), (0, PRINTED), ended.stderr)
        self.assertIn("no Bazel here; it was not checked", ended.stderr)

    def test_the_callers_umask_decides_no_mode(self) -> None:
        out = self.folder / "out"
        subprocess.run([self.tree / "deploy/image/rootfs", out, self.built / "relay/wormhole-relay",
                        self.built / "client/cli/wormhole-sync"], env=os.environ | {"SOURCE_DATE_EPOCH": "1"}, check=True,
                       umask=0o077)
        folders = [path for path in out.rglob("*") if path.is_dir() and not path.is_symlink()]
        odd = {str(path.relative_to(out)): f"{path.stat().st_mode & 0o7777:o}" for path in folders
               if path.stat().st_mode & 0o7777 != 0o755}
        self.assertEqual(odd, {"state/wormhole": "700"})

    def test_a_library_that_is_no_packages_own_is_refused(self) -> None:
        for source, more in (("int f() { return 0; }", ["-shared", "-o", "libforeign.so"]),
                             ("int f(); int main() { return f(); }",
                              ["-o", self.built / "client/cli/wormhole-sync", "-L.", f"-Wl,-rpath,{self.folder}", "-lforeign"])):
            subprocess.run(["g++", "-x", "c++", "-", "-x", "none", *more], input=source, check=True, encoding="utf-8",
                           cwd=self.folder)
        self.assertIn("libforeign.so belongs to no package",
                      self.refusal("image", "--prebuilt", SOURCE_DATE_EPOCH="1"))

    def test_wrong_arguments_are_refused(self) -> None:
        for arguments in ((), ("--other",), ("a", "b")):
            self.assertIn("usage: deploy/image/build OUT", self.refusal(*arguments, status=2))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    unittest.main(argv=sys.argv[:1])
