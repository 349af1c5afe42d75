#!/usr/bin/python3
"""Compares a bill of materials with the schema of SPDX 2.3, and finds what is wrong in one.

tests/image/sbom_schema_test.py SBOM SCHEMA
"""

import copy
import json
import pathlib
import sys
import unittest
from typing import Any

import jsonschema

FILES = sys.argv[1:]


class SchemaTest(unittest.TestCase):
    """By a validator of the schema's own draft."""

    def setUp(self) -> None:
        self.sbom, schema = (json.loads(pathlib.Path(file).read_text(encoding="utf-8")) for file in FILES)
        self.validator = jsonschema.Draft201909Validator(schema)
        self.assertEqual(jsonschema.validators.validator_for(schema), jsonschema.Draft201909Validator)

    def wrong(self, sbom: dict[str, Any]) -> str:
        return "\n".join(error.message for error in self.validator.iter_errors(sbom))

    def test_it_is_as_the_schema_says(self) -> None:
        self.assertEqual(self.wrong(self.sbom), "")

    def test_mistakes_are_found(self) -> None:
        for expected, change in (
                ("'documentNamespace' is a required property", lambda sbom: sbom.pop("documentNamespace")),
                ("'extra' was unexpected", lambda sbom: sbom["packages"][1].update(extra=1)),
                ("'downloadLocation' is a required property", lambda sbom: sbom["packages"][1].pop("downloadLocation")),
                ("'NEEDS' is not one of", lambda sbom: sbom["relationships"][0].update(relationshipType="NEEDS")),
                ("'MD7' is not one of", lambda sbom: sbom["files"][0]["checksums"][0].update(algorithm="MD7"))):
            sbom = copy.deepcopy(self.sbom)
            change(sbom)
            with self.subTest(expected):
                self.assertIn(expected, self.wrong(sbom))


if __name__ == "__main__":
    if len(FILES) != 2:
        sys.exit(__doc__)
    unittest.main(argv=sys.argv[:1])
