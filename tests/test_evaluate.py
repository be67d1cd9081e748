# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the evaluation: predictions to and from CSV, the report, comparisons, and the verb."""

import json

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from astroclf import AstroclfError, write_label
from astroclf.cli import main
from astroclf.taxonomy import labels
from astroclf.train.evaluate import read_cases
from astroclf.train.predictions import UNREAD, Predictions, read_predictions, write_predictions
from astroclf.train.report import compare, comparison_text, measure, report_text


@pytest.fixture
def cases(tmp_path):
    """Return 60 cases of 30 objects: 40 simulated spirals of known depth and 20 pictures of nebulae."""
    lines = ["file,label,object_key,accept,kind,snr"]
    lines += [f"s{i}.fits,spiral_galaxy,S{i // 2},spiral_galaxy,simulated,{10 + 40 * (i % 2)}" for i in range(40)]
    accept = "diffuse_nebula supernova_remnant"
    lines += [f"n{i}.png,diffuse_nebula,N{i // 2},{accept if i % 4 == 0 else 'diffuse_nebula'},," for i in range(20)]
    path = tmp_path / "cases.csv"
    path.write_text("\n".join(lines) + "\n")
    return read_cases(path)


def said(cases, share, seed=0):
    """Return predictions with the probability 0.9 for a class that is right in some share of the files."""
    rng = np.random.default_rng(seed)
    truth = np.array([labels().index(case.label) for case in cases])
    named = np.where(rng.random(len(truth)) < share, truth, labels().index("star"))
    probs = np.full((len(truth), len(labels())), 0.1 / (len(labels()) - 1))
    probs[np.arange(len(truth)), named] = 0.9
    return Predictions.from_probs(cases, probs, ["OK"] * len(truth), np.ones(len(truth)))


def test_kind_and_depth(cases):
    """The manifest says what a file is, else its type does; depth may be missing."""
    assert {case.kind for case in cases[:40]} == {"simulated"}
    assert {case.kind for case in cases[40:]} == {"picture"}
    assert cases[1].snr == 50
    assert np.isnan(cases[50].snr)


@pytest.mark.parametrize(("kind", "snr", "match"), [("drawing", "", "unknown kind drawing"), ("", "much", "got much")])
def test_bad_columns(tmp_path, kind, snr, match):
    """An unknown kind and a depth that is no number are named."""
    path = tmp_path / "cases.csv"
    path.write_text(f"file,label,object_key,kind,snr\na.fits,star,A,{kind},{snr}\n")
    with pytest.raises(AstroclfError, match=rf"a\.fits.*{match}"):
        read_cases(path)


def test_predictions_survive_csv(cases, tmp_path):
    """What is read is what was written, unread files and unknown values too; so both give the same numbers."""
    rng = np.random.default_rng(1)
    status = [UNREAD, *["GROUP"] * 59]
    probs = rng.dirichlet(np.ones(14), 60)
    probs[0] = 0
    written = Predictions.from_probs(cases, probs, status, [0, *[3] * 59], [np.nan, *[0.25] * 59])
    write_predictions(written, tmp_path / "p.csv")
    read = read_predictions(tmp_path / "p.csv")
    for name in written.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name), err_msg=name)
    assert json.dumps(measure(read)) == json.dumps(measure(written))
    assert not read.right[0]
    assert read.named[0] == read.named_group[0] == ""


def test_own_classes(cases, tmp_path):
    """Predictions of other classes keep them in CSV and report them, and are only compared with their like."""
    manifest, own = tmp_path / "own.csv", ("ring", "spiral_galaxy", "star")
    manifest.write_text("file,label,object_key\n" + "".join(f"{i}.fits,{own[i % 3]},{i}\n" for i in range(12)))
    probs = np.tile(np.diag([0.8, 0.8, 0.8]) + 0.05, (4, 1))
    written = Predictions.from_probs(read_cases(manifest, known=own), probs, classes=own)
    assert written.groups == ("ring", "galaxy", "stellar")
    assert list(written.true_group[:3]) == list(written.named_group[:3]) == ["ring", "galaxy", "stellar"]
    assert written.right.all()
    assert written.right_group.all()
    write_predictions(written, tmp_path / "p.csv")
    read = read_predictions(tmp_path / "p.csv")
    assert read.classes == own
    np.testing.assert_array_equal(read.probs, written.probs)
    assert [row["class"] for row in measure(read)["frame"]["classes"]] == list(own)
    assert compare(read, written.in_order(own[::-1]))["sections"]["frame"][0]["label_gain"] == 0
    with pytest.raises(ValueError, match=r"the classes are spiral_galaxy, .*, and not ring, spiral_galaxy, star; "):
        compare(written, said(cases, 1))


def test_foreign_csv(cases, tmp_path):
    """A file that is none of ours is refused, with what it lacks or what is wrong."""
    path = tmp_path / "p.csv"
    with pytest.raises(AstroclfError, match="cannot be read"):
        read_predictions(path)
    path.write_text("file,label\na,b\n")
    with pytest.raises(AstroclfError, match="lacks the columns object_key"):
        read_predictions(path)
    write_predictions(said(cases, 1), path)
    path.write_text(path.read_text().replace("0.900000", "much"))
    with pytest.raises(AstroclfError, match="could not convert"):
        read_predictions(path)


def test_sections_are_kept_apart(cases):
    """Each kind has its own numbers, counted by hand; depth only where it is known."""
    predictions = said(cases, 0.75)
    sections = measure(predictions)
    assert list(sections) == ["picture", "simulated"]
    simulated = sections["simulated"]
    right = predictions.named[:40] == "spiral_galaxy"
    assert simulated["shares"]["label"]["by_file"] == pytest.approx(right.mean())
    assert simulated["shares"]["label"]["by_object"] == pytest.approx(right.reshape(-1, 2).mean())
    assert simulated["shares"]["label"]["objects"] == 20
    assert simulated["calibration"]["ece"] == pytest.approx(abs(0.9 - right.mean()))
    assert simulated["calibration"]["coverage"]["by_file"] == pytest.approx(right.mean())
    assert simulated["selective"]["risk"]["100%"] == pytest.approx(1 - right.mean())
    assert np.sum(simulated["confusion"]["counts"]) == 40
    assert [(row["snr_from"], row["files"]) for row in simulated["by_snr"]] == [(0.0, 20), (50.0, 20)]
    assert sections["picture"]["several_right"] == 5
    assert sections["picture"]["by_snr"] == []


def test_precision_and_recall(cases):
    """Recall is of the files of a class, precision of the files named so; their trials are objects."""
    predictions = said(cases, 0.75)
    spiral, star = measure(predictions)["simulated"]["classes"]
    assert (spiral["class"], star["class"]) == ("spiral_galaxy", "star")
    assert spiral["recall_files"] == 40
    assert spiral["recall_objects"] == 20
    assert spiral["precision"] == 1
    assert star["precision"] == 0
    assert np.isnan(star["recall"])


def test_text_says_every_section(cases):
    """The text has a heading a kind, and names each measure."""
    text = report_text(measure(said(cases, 0.75)))
    for words in ("Pictures: 20 files of 10 objects", "Simulated frames: 40", "Brier", "risk at coverage", "label set"):
        assert words in text


def test_comparison(cases):
    """A clear gain is seen where there are objects enough; ten are too few, and oneself is no better."""
    good, bad = said(cases, 1), said(cases, 0.3)
    sections = compare(good, bad)["sections"]
    everything, galaxy = sections["simulated"]
    assert everything["label_gain"] == pytest.approx(1 - bad.right[:40].mean())
    assert galaxy["label_verdict"] == galaxy["group_verdict"] == "better"
    assert compare(bad, good)["sections"]["simulated"][0]["label_verdict"] == "worse"
    assert compare(good, good)["sections"]["simulated"][0]["label_verdict"] == "no difference shown"
    assert {row["label_verdict"] for row in sections["picture"]} == {"too few objects"}
    assert "too few objects" in comparison_text(compare(good, bad))


def test_comparison_of_files_in_both(cases):
    """Files that only one was given are left out, and counted; other truths and no common file are errors."""
    everything, some = said(cases, 1), said(cases[:50], 1)
    assert compare(everything, some)["left_out"] == 10
    with pytest.raises(ValueError, match="no file is in both"):
        compare(everything[:5], everything[5:])
    other = read_cases_with(cases[:2], "star")
    with pytest.raises(ValueError, match=r"s0\.fits: truth, object or kind differ"):
        compare(everything, said(other, 1))


def read_cases_with(cases, label):
    """Return cases whose truth is another."""
    from dataclasses import replace

    return [replace(case, label=label, accept=(label,)) for case in cases]


def test_verb(tmp_path, capsys):
    """The verb prints all sections, and writes what its options say; a comparison with itself shows nothing."""
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        Image.fromarray(rng.integers(0, 256, (60, 60), dtype=np.uint8)).save(tmp_path / name)
    manifest = tmp_path / "cases.csv"
    manifest.write_text("file,label,object_key\na.png,star,A\nb.png,star_field,B\nmissing.fits,star,C\n")
    output, numbers = tmp_path / "p.csv", tmp_path / "n.json"
    assert main(["evaluate", str(manifest), "-o", str(output), "--json", str(numbers)]) == 1
    told = capsys.readouterr()
    assert "Pictures: 2 files" in told.out
    assert "Real frames: 1 files of 1 objects; 1 could not be read" in told.out
    assert "missing.fits" in told.err
    assert json.loads(numbers.read_text())["sections"]["picture"]["files"] == 2
    assert json.loads(numbers.read_text())["sections"]["frame"]["calibration"]["ece"] is None
    assert list(read_predictions(output).files) == ["a.png", "b.png", "missing.fits"]
    assert main(["evaluate", str(manifest), "--compare", str(output)]) == 1
    assert "Compared on 3 files in both" in capsys.readouterr().out


def test_verb_from_tags(tmp_path, capsys):
    """The truth may be labels in headers; what the model does not know is named and left out."""
    rng = np.random.default_rng(0)
    (tmp_path / "more").mkdir()
    for name in ("a.fits", "more/b.fits", "odd.fits", "plain.fits"):
        fits.writeto(tmp_path / name, rng.normal(size=(60, 60)).astype(np.float32))
    assert main(["evaluate", "--from-tags", str(tmp_path)]) == 1
    assert "no file in it has a person's label" in capsys.readouterr().err
    write_label(tmp_path / "a.fits", "star", by="ann")
    write_label(tmp_path / "more" / "b.fits", "star_field", by="ann")
    command = ["evaluate", "--from-tags", str(tmp_path), "-o", str(tmp_path / "p.csv")]
    assert main(command) == 0
    assert "Real frames: 2 files of 2 objects; 0 could not be read" in capsys.readouterr().out
    read = read_predictions(tmp_path / "p.csv")
    assert list(read.files) == list(read.objects) == ["a.fits", "more/b.fits"]
    assert list(read.truth) == ["star", "star_field"]
    fits.setval(tmp_path / "odd.fits", "CLFHLAB", value="odd")
    (tmp_path / "bad.fits").write_text("no FITS file")
    assert main(command) == 1
    told = capsys.readouterr()
    assert "Real frames: 2 files of 2 objects" in told.out
    assert "odd.fits: left out: its label odd is no class of the model: spiral_galaxy" in told.err
    assert "bad.fits" in told.err


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([], "either a MANIFEST or a folder"),
        (["cases.csv", "--from-tags", "."], "either a MANIFEST or a folder"),
        (["--from-tags", "none"], "--from-tags wants a folder; none is none"),
        (["--from-tags", ".", "--split", "test"], "--split divides the objects of a manifest"),
    ],
)
def test_verb_usage(arguments, match, tmp_path, monkeypatch, capsys):
    """There is one source of the truth."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["evaluate", *arguments])
    assert match in capsys.readouterr().err
