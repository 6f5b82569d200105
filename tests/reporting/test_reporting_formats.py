"""SARIF, workflow commands, JUnit and CSV: each against its own definition, and all against one another."""

import csv
import io
import json
from importlib.util import find_spec
from xml.etree import ElementTree

import numpy as np
import pytest

import uncheck
from reporting.sample import GRADIENT, component, inspection, sound, stage
from reporting.sample_repair import CLEAN, REFUSED, REPAIRED
from reporting.schemas import faults, sarif_schema
from uncheck.advising.causes import CAUSES
from uncheck.errors import UncheckError
from uncheck.reporting.formats import csv_text, github_text, junit_text, sarif_text
from uncheck.reporting.formats.findings import failing, find

SOURCES = {"": {"file": "nets/a b.py", "line": 4}, "up": {"file": "nets/a b.py", "line": 9}}


def network(**changed):
    """A network whose `up` makes a strong lattice, as the command line reports it."""
    guilty = stage("up", blame=0.9, blame_order=1)
    return inspection(
        **{
            "stages": [guilty, stage("down", kind="sub-pixel", blame=0.0)],
            "lattice": [component([4, 4], 4.4)],
            "strength": 4.4,
            "target": "nets/a b.py:make",
            "sources": SOURCES,
            "fail_above": None,
            **changed,
        }
    )


def undetermined():
    operations = {"handled": {}, "ignored": {}, "unsupported": {"roll": 1}}
    return network(verdict="undetermined", lattice=[], strength=0.0, operations=operations)


def measured(**changed):
    """Two pictures, one of them with a lattice and a strange name, and a file that could not be read."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64]
    noise = rng.normal(128, 4, (64, 64))
    report = uncheck.measure([noise + 6 * (-1.0) ** (x + y), noise]).to_dict()
    report["images"][0]["path"] = "a,b:\n50% \x1b<&>.png"
    report["images"][1]["path"] = "clean.png"
    return {**report, "errors": [{"path": "gone.png", "error": "gone.png: no such file"}], **changed}


def counted(kernel, stride):
    return uncheck.overlap(kernel, stride).to_dict()


def fused():
    refused = {"resize": "up", "reason": "the convolution is shared", "calls": 1}
    done = {"resize": "0", "conv": "1", "factor": [2, 2], "mode": "nearest", "kernel_size": [3, 3]}
    said = {"fused": [done], "refused": [refused], "difference": {}, "notes": []}
    return {"schema": "uncheck.fuse/1", **said, "target": "nets.py:make", "sources": SOURCES}


REPORTS = {
    "lattice": network,
    "invisible": lambda: network(lattice=[component([2, 2], 0.05)], strength=0.05),
    "nobody": lambda: network(stages=[stage("up", blame=0.0)]),
    "clean": lambda: network(verdict="clean", lattice=[], strength=0.0),
    "undetermined": undetermined,
    "gradient": lambda: network(verdict="clean", lattice=[], strength=0.0, gradient=GRADIENT),
    "sound": lambda: network(**sound(16000.0)),
    "pictures": measured,
    "uneven": lambda: counted(3, 2),
    "even": lambda: counted(4, 2),
    "fused": fused,
    "repaired": REPAIRED.to_dict,
    "refused": REFUSED.to_dict,
    "nothing": CLEAN.to_dict,
}

#: Reports for which a command exits with 1.
FAIL = {
    "lattice",
    "invisible",
    "nobody",
    "gradient",
    "sound",
    "pictures",
    "uneven",
    "fused",
    "refused",
    "nothing",
}


@pytest.fixture(params=REPORTS)
def name(request):
    return request.param


@pytest.fixture
def report(name):
    return REPORTS[name]()


def test_sarif_fits_the_schema(report):
    said, schema = json.loads(sarif_text(report, "1.2.3")), sarif_schema()
    assert faults(said, schema, schema) == []
    if find_spec("jsonschema"):
        from jsonschema import Draft4Validator

        Draft4Validator(schema).validate(said)
    (run,) = said["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"])
    assert set(rules) <= set(CAUSES)


def test_the_schema_catches_planted_faults():
    schema = sarif_schema()

    def broken(change):
        said = json.loads(sarif_text(network(), "1"))
        change(said["runs"][0])
        return faults(said, schema, schema)

    def first(run):
        return run["results"][0]

    assert broken(lambda run: first(run).update(level="fatal"))[0].startswith(
        "$.runs[0].results[0].level is none"
    )
    assert broken(lambda run: first(run).pop("message")) == ["$.runs[0].results[0] lacks message"]
    assert broken(lambda run: first(run).update(rank="high")) == ["$.runs[0].results[0].rank is no number"]
    assert broken(lambda run: run.update(extra=1)) == ["$.runs[0] has the unknown key extra"]
    assert broken(lambda run: run["tool"]["driver"].update(rules=[{"id": "a"}] * 2)) == [
        "$.runs[0].tool.driver.rules repeats an item"
    ]
    region = {"startLine": 0}
    places = [{"physicalLocation": {"artifactLocation": {"uri": "a"}, "region": region}}]
    assert "startLine is below 1" in broken(lambda run: first(run).update(locations=places))[0]


def test_all_formats_fail_together(name, report):
    fails = name in FAIL
    assert failing(report) is fails
    levels = [one["level"] for one in json.loads(sarif_text(report, "1"))["runs"][0]["results"]]
    assert ("error" in levels) is fails
    read = errors = [line for line in github_text(report).splitlines() if line.startswith("::error")]
    errors = [line for line in read if "not measured" not in line]
    assert bool(errors) is fails
    suites = ElementTree.fromstring(junit_text(report))
    assert (int(suites.get("failures")) > 0) is fails
    assert (int(suites.get("errors")) > 0) is (name in ("undetermined", "pictures"))


def test_sarif_names_file_line_layer_cause_and_cure():
    (result,) = json.loads(sarif_text(network(), "1"))["runs"][0]["results"]
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "nets/a%20b.py"},
        "region": {"startLine": 9},
    }
    (logical,) = location["logicalLocations"]
    assert (logical["name"], logical["fullyQualifiedName"]) == ("up", "nets/a b.py:make/up")
    assert result["ruleId"] == "uneven-overlap"
    assert "its kernel is not divisible by its stride" in result["message"]["text"]
    assert result["properties"] == {"greyLevels": 4.4}


def test_a_layer_without_a_line_is_at_the_target():
    (result,) = json.loads(sarif_text(network(sources={"": SOURCES[""]}), "1"))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 4}


def test_files_that_could_not_be_read_are_notifications():
    (run,) = json.loads(sarif_text(measured(), "1"))["runs"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    (one,) = invocation["toolExecutionNotifications"]
    assert one["message"]["text"] == "gone.png: no such file"


def test_workflow_commands_are_one_line_each_and_escaped():
    lines = github_text(measured()).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(
        "::error file=a%2Cb%3A%0A50%25 \\x1b<&>.png,line=1,title=A grid in a picture::a,b:%0A50%25"
    )
    assert lines[1] == "::error file=gone.png,title=not measured::gone.png: no such file"
    assert github_text(counted(4, 2)).startswith("::notice title=uncheck::Even: ")


def test_junit_is_xml_whatever_a_name_holds():
    suites = ElementTree.fromstring(junit_text(measured()))
    assert dict(suites.attrib) == {"tests": "3", "failures": "1", "errors": "1"}
    names = [one.get("name") for one in suites.iter("testcase")]
    assert names == ["a,b:\n50% \ufffd<&>.png", "clean.png", "gone.png"]


def test_junit_has_a_case_for_the_target_and_each_stage():
    cases = list(ElementTree.fromstring(junit_text(network())).iter("testcase"))
    assert [(one.get("name"), [child.tag for child in one]) for one in cases] == [
        ("nets/a b.py:make", ["failure"]),
        ("up", ["failure"]),
        ("down", ["system-out"]),
    ]
    assert [one.get("line") for one in cases] == ["4", "9", "4"]


def rows(report):
    return list(csv.DictReader(io.StringIO(csv_text(report))))


def test_csv_has_a_row_per_picture_and_component():
    first, clean, gone = rows(measured())
    assert (first["path"], first["verdict"], first["period"]) == ("a,b:\n50% \x1b<&>.png", "lattice", "2")
    assert float(first["amplitude"]) == pytest.approx(6, abs=0.2)
    assert (clean["path"], clean["verdict"], clean["period"]) == ("clean.png", "clean", "")
    assert (gone["verdict"], gone["error"]) == ("error", "gone.png: no such file")


def test_csv_of_a_network_has_a_row_per_component_and_stage():
    said = rows(network())
    assert [(row["row"], row["name"]) for row in said] == [
        ("output", "nets/a b.py:make"),
        ("stage", "up"),
        ("stage", "down"),
    ]
    assert said[1]["blame"] == "0.9"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_runs_no_formula_in_a_spreadsheet(start):
    name = f'{start}HYPERLINK("x")'
    assert rows(network(target=name))[0]["name"] == f"'{name}"
    assert rows(network(target="a=b"))[0]["name"] == "a=b"


def test_csv_of_every_report_reads_back(report):
    said = rows(report)
    assert said
    assert all(None not in row and None not in row.values() for row in said)


def test_fail_above_decides_the_level():
    weak, strong = network(fail_above=5.0), network(fail_above=4.0)
    assert [one.level for one in find(weak)] == ["note"]
    assert [one.level for one in find(strong)] == ["error"]
    pictures = measured(fail_above=50.0)
    assert not failing(pictures)
    assert ElementTree.fromstring(junit_text(pictures)).get("failures") == "0"


def test_a_report_of_something_else_is_refused():
    with pytest.raises(UncheckError, match=r"a report of schema 'x/1' has no findings"):
        find({"schema": "x/1"})
