#!/usr/bin/python3
"""Plants in a page what pages.py must find."""

import unittest

import pages

PROGRAM = "int main() {\n  return Use(4);\n}\n"
PAGE = "Text.\n\n```cpp\nreturn\n  Use(4);\n```\n\n```\n$ ./first\n```\n\n| `kNone` | nothing |\n"
HEADER = "enum class Reason {\n  kNone = 0,  // OK\n  kForged = 17,  // a lie\n};\n"


class PagesTest(unittest.TestCase):
    def test_blocks(self):
        self.assertEqual(pages.blocks_nowhere(PAGE, ["", PROGRAM]), [])
        self.assertEqual(pages.blocks_nowhere(PAGE.replace("Use(4)", "Use(5)"), ["", PROGRAM]), ["return\n  Use(5);\n"])
        self.assertIsNone(pages.blocks_nowhere("Text.\n", [PROGRAM]))

    def test_reasons(self):
        self.assertEqual(pages.reasons_nowhere(PAGE, HEADER), ["kForged"])
        self.assertEqual(pages.reasons_nowhere(PAGE + "| `kForged` | run |\n", HEADER), [])


if __name__ == "__main__":
    unittest.main()
