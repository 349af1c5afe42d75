#!/usr/bin/python3
"""Plants in a public header what must not be there, and expects that public_headers.py finds it."""

import unittest

import public_headers

HEADER = """// A comment with grpc in it.
#ifndef WORMHOLE_THING_H_
#define WORMHOLE_THING_H_
#include <string>
namespace wormhole {
class Engine;
inline namespace v0 {
struct Thing {
  std::string name;
};
}  // namespace v0
}  // namespace wormhole
#endif  // WORMHOLE_THING_H_
"""

# What each flag is there for.
WARNED_OF = (
    "#include \"wormhole/no_such_header.h\"",
    "inline std::string Missing();",
    "inline int Narrow(long n) { return n; }",
    "inline int Shadow(int n) { { int n = 1; (void)n; } return n; }",
    "inline void Unused(int n) {}",
    "inline void Throws() { throw 1; }",
    "#include <typeinfo>\nstruct B { virtual void F(); };\ninline bool Is(B& b) { return typeid(b) == typeid(B); }",
    "struct Pedant { int flexible[]; };",
)


class TextTest(unittest.TestCase):
    def faults(self, old, new):
        self.assertIn(old, HEADER)
        return public_headers.text_faults("thing.h", HEADER.replace(old, new))

    def test_nothing_planted(self):
        self.assertEqual(self.faults("Thing", "Thing"), [])
        self.assertEqual(public_headers.text_faults("thing.h", "#include <string>\n"), [])

    def test_planted(self):
        for old, new in (
            ("<string>", "<grpcpp/channel.h>"),
            ("<string>", '"client/core/code.h"'),
            ("std::string name", "std::shared_ptr<grpc::Channel> name"),
            ("std::string name", "rendezvous::v1::Mood name"),
            ("#include", "#define WORMHOLE_VERSION 1\n#include"),
            ("inline namespace v0", "namespace v0"),
            ("class Engine;", "class Other;"),
            ("class Engine;", "struct Outside {};"),
            ("}  // namespace v0", "}\nstruct Outside {};"),
            ("}  // namespace wormhole", "}\nstruct Outside {};"),
            ("}  // namespace wormhole", "}\nnamespace other { struct Outside {}; }"),
            ("}  // namespace v0", "}\nstruct Outside {\n}; namespace x {}"),
        ):
            with self.subTest(new):
                self.assertNotEqual(self.faults(old, new), [])


class CompileTest(unittest.TestCase):
    def test_each_flag_of_each_compiler(self):
        for compiler in public_headers.COMPILERS:
            for standard in public_headers.STANDARDS:
                self.assertEqual(public_headers.compile_faults(compiler, standard, "inline int One() { return 1; }"), "")
                for planted in WARNED_OF:
                    with self.subTest(compiler=compiler, standard=standard, planted=planted):
                        self.assertNotEqual(public_headers.compile_faults(compiler, standard, planted), "")

    def test_standards(self):
        for compiler in public_headers.COMPILERS:
            with self.subTest(compiler):
                newer = "template <typename T> concept Any = true;"
                self.assertNotEqual(public_headers.compile_faults(compiler, "c++17", newer), "")
                self.assertEqual(public_headers.compile_faults(compiler, "c++20", newer), "")


if __name__ == "__main__":
    unittest.main()
