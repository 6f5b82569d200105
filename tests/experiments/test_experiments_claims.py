"""Every experiment of a claim runs, resumes, and says in its tables what its committed results say."""

import json
import re
import sys
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

from lab import claim_tables  # noqa: E402
from lab.claims import verdict  # noqa: E402
from lab.config import claims, read  # noqa: E402
from lab.load import experiment  # noqa: E402
from lab.runs import UNDER_WAY, Experiment, main  # noqa: E402

#: Minutes that one run may take on two cores.
LIMIT = 20

FOLDERS = claim_tables.measured()


@pytest.fixture(params=FOLDERS)
def name(request):
    return request.param


def committed(name):
    return json.loads((EXPERIMENTS / name / "results" / "results.json").read_text())


@pytest.mark.integration
def test_one_step_of_it_runs_and_draws_its_figures(name, tmp_path):
    results = main(experiment(name), ["--smoke", "--jobs", "1", "--out", str(tmp_path)])
    said = claims(EXPERIMENTS / name / "config.toml")
    assert set(results["claims"]) == set(said)
    assert json.loads((tmp_path / "results" / "results.json").read_text()) == results
    drawn = {path.stem for path in (tmp_path / "figures").glob("*.png")}
    assert {claim["figure"] for claim in said.values()} <= drawn
    assert not (tmp_path / "results" / UNDER_WAY).exists()


def test_verdicts_follow_from_the_committed_rows(name):
    results = committed(name)
    assert experiment(name).conclude(results["rows"], results["config"]) == results["claims"]


def test_results_are_of_the_committed_settings_and_say_where_they_come_from(name):
    results = committed(name)
    config = read(EXPERIMENTS / name / "config.toml")
    assert results["config"] == json.loads(json.dumps(config))
    assert {"date", "versions", "processor", "python"} <= set(results["machine"])
    # Where no released networks are at hand, their tasks are missing here, not there.
    for task in json.loads(json.dumps(experiment(name).tasks(results["config"]))):
        assert any(task.items() <= row.items() for row in results["rows"]), f"not measured: {task}"
    assert results["seconds"] / 2 <= 60 * LIMIT


def test_there_are_three_seeds_or_more(name):
    config = read(EXPERIMENTS / name / "config.toml")
    # Where every seed is a network of its own, the settings say how many.
    assert len(config.get("seeds", range(config.get("faulty", 0)))) >= 3


def test_every_claim_has_its_prediction_and_its_figure(name):
    for claim in claims(EXPERIMENTS / name / "config.toml").values():
        assert claim["article"]
        assert claim["predicted"]
        assert (EXPERIMENTS / name / "figures" / f"{claim['figure']}.png").exists()


@pytest.mark.slow
def test_figures_need_the_results_alone(name, tmp_path):
    experiment(name).draw(committed(name), tmp_path)
    assert list((tmp_path / "figures").glob("*.png"))


def test_the_tables_are_made_from_the_results():
    for path, text in claim_tables.pages().items():
        assert path.read_text() == text, f"{path.name} of {path.parent.name}: run experiments/claim_pages.py"


def test_a_table_changed_by_hand_is_noticed():
    path = EXPERIMENTS / "before-training" / "README.md"
    changed = re.sub(r"\*\*(confirmed|refuted|depends)", "**open", path.read_text(), count=1)
    assert changed != path.read_text()
    assert claim_tables.filled(changed, claim_tables.of_one("before-training"), path) == path.read_text()


def test_a_page_without_markers_is_refused():
    with pytest.raises(SystemExit, match=r"page\.md has no markers; add"):
        claim_tables.filled("# Page\n", "table", Path("page.md"))


def test_an_outcome_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="outcome 'likely': give confirmed, refuted, open, or depends on"):
        verdict("likely", "1.0")


def small(folder, fails_at=None, measured=None):
    """An experiment of four tasks that notes which it measured, and can be interrupted."""

    def measure(task, config):
        if task["n"] == fails_at:
            raise KeyboardInterrupt
        measured.append(task["n"])
        return {"square": task["n"] ** 2 + config["plus"]}

    (folder / "config.toml").write_text("seeds = [0]\nplus = 1\n[smoke]\nplus = 0\n[claims.a]\n")
    return Experiment(
        folder,
        lambda config: [{"n": n, "seed": config["seeds"][0]} for n in range(4)],
        measure,
        lambda rows, config: {"a": verdict("confirmed", str(sum(r["square"] for r in rows)))},
        lambda results, out: None,
    )


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    measured = []
    with pytest.raises(KeyboardInterrupt):
        main(small(tmp_path, fails_at=2, measured=measured), ["--jobs", "1"])
    assert measured == [0, 1]
    assert not (tmp_path / "results" / "results.json").exists()
    with (tmp_path / "results" / UNDER_WAY).open("a") as log:
        log.write('{"task": 2, "row": {"squ')  # as a process killed while writing leaves it
    results = main(small(tmp_path, measured=measured), ["--jobs", "1"])
    assert measured == [0, 1, 2, 3]
    assert [row["square"] for row in results["rows"]] == [1, 2, 5, 10]
    assert results["claims"]["a"]["came_out"] == "18"


@pytest.mark.parametrize("change", [["--fresh"], ["--seeds", "5"]])
def test_other_settings_or_fresh_start_again(tmp_path, change):
    measured = []
    with pytest.raises(KeyboardInterrupt):
        main(small(tmp_path, fails_at=2, measured=measured), ["--jobs", "1"])
    main(small(tmp_path, measured=measured), ["--jobs", "1", *change])
    assert measured == [0, 1, 0, 1, 2, 3]


def test_a_smoke_run_may_not_replace_the_results(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(small(tmp_path, measured=[]), ["--smoke"])
    assert (
        "--smoke would replace the results by those of one step; give --out a folder"
        in capsys.readouterr().err
    )
