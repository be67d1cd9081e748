# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of plain pictures: read as frames, described, and tagged in a copy's metadata."""

import json
import os
import struct
import zlib
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, TiffImagePlugin
from pyavm import AVM

from astroclf import (
    AstroclfWarning,
    Classifier,
    EmptyFrameError,
    FrameError,
    ModelError,
    Preprocessor,
    TagError,
    annotate,
    read_frame,
    read_tags,
    remove_tags,
    summarize,
    write_tags,
)
from astroclf.cli import main
from astroclf.datasets import make_frame
from astroclf.frames import Exposure
from astroclf.frames.files.avm import avm_wcs, read_avm
from astroclf.frames.files.pictures import picture_kind
from astroclf.model import load_record
from astroclf.model.head import HeadBackend
from astroclf.model.onnx_backend import OnnxBackend
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.tags.xmp import add_block, cut_block, read_block
from astroclf.taxonomy import groups, labels

COLOURS = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
GREY = COLOURS.mean(axis=2, dtype=np.float32)[::-1]
DEEP = np.random.default_rng(1).integers(0, 65536, (40, 60)).astype(np.uint16)

PACKET = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="uuid:1" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Émile's tool"
  xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt><rdf:li xml:lang="x-default">A galaxy.</rdf:li>
</rdf:Alt></dc:description></rdf:Description>
</rdf:RDF></x:xmpmeta>    <?xpacket end="w"?>""".encode()


def prediction(status=Status.OK, origin=None):
    """Return a verdict."""
    probs = tuple(np.linspace(0.2, 0.01, 14).round(3).tolist())
    settings = {} if origin is None else {"origin": origin}
    return Prediction(
        labels(), probs, groups(), probs[:7], status, 0.0, Provenance("model-1", "0" * 64, "1" * 12), **settings
    )


def png(rows, depth, color, width=60, height=40):
    """Return a PNG file of raw rows, as deep as Pillow cannot write it."""
    kinds = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)), (b"IDAT", zlib.compress(rows))]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in [*kinds, (b"IEND", b"")]
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def pixels(path):
    """Return the pixels of a picture as Pillow decodes them."""
    with Image.open(path) as image:
        return np.asarray(image)


class TestReading:
    """read_frame of a picture."""

    @pytest.mark.parametrize("name", ["a.png", "a.tif", "a.TIFF", "a.fits"])
    def test_colours(self, tmp_path, name):
        """The frame is the mean of the channels, its row 0 the bottom, whatever the file is called."""
        Image.fromarray(COLOURS).save(tmp_path / name, format="PNG" if name == "a.png" else "TIFF")
        frame = read_frame(tmp_path / name)
        assert_array_equal(frame.ccd.data, GREY)
        assert_array_equal(frame.colours, COLOURS[::-1])
        assert frame.ccd.data.dtype == np.float32
        assert (frame.layout, frame.exposure, str(frame.ccd.unit)) == ("picture", Exposure.PICTURE, "adu")
        assert frame.ccd.wcs is None
        assert frame.origin.path == tmp_path / name
        assert frame.origin.hdus == ()
        assert frame.notes == ()
        assert frame.good.all()

    def test_jpeg(self, tmp_path):
        """So it is of a JPEG, as Pillow decodes it."""
        Image.fromarray(COLOURS).save(tmp_path / "a.jpg")
        expected = pixels(tmp_path / "a.jpg")[::-1].mean(axis=2, dtype=np.float32)
        assert_array_equal(read_frame(tmp_path / "a.jpg").ccd.data, expected)

    @pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "LA", "RGBA"])
    def test_modes(self, tmp_path, mode):
        """Every mode gives the grey of its colours, and those that have any keep them; opaque alpha changes nothing."""
        image = Image.fromarray(COLOURS).convert(mode)
        image.save(tmp_path / "a.tif", format="TIFF")
        expected = np.asarray(image.convert("RGB"))[::-1]
        frame = read_frame(tmp_path / "a.tif")
        assert_array_equal(frame.ccd.data, expected.mean(axis=2, dtype=np.float32))
        assert frame.good.all()
        if mode in ("1", "L", "LA"):
            assert frame.colours is None
        else:
            assert_array_equal(frame.colours, expected)

    @pytest.mark.parametrize(("share", "apart", "kept"), [(0.02, 9, True), (0.02, 8, False), (0.005, 255, False)])
    def test_hardly_any_colour(self, tmp_path, share, apart, kept):
        """A picture is in colour if more than one pixel of a hundred is, by more than the noise of a JPEG."""
        pixels = np.zeros((40, 50, 3), np.uint8)
        pixels.reshape(-1, 3)[: round(2000 * share), 1] = apart
        Image.fromarray(pixels).save(tmp_path / "a.png")
        assert (read_frame(tmp_path / "a.png").colours is not None) == kept

    @pytest.mark.parametrize("array", [DEEP, DEEP.astype(np.int32) * 9, DEEP.astype(np.float32) / 7])
    def test_depth(self, tmp_path, array):
        """Grey of 16 and 32 bits and floats keeps its depth."""
        Image.fromarray(array).save(tmp_path / "a.tif")
        assert_array_equal(read_frame(tmp_path / "a.tif").ccd.data, array[::-1].astype(np.float32))

    def test_deep_png(self, tmp_path):
        """So does a grey PNG of 16 bits; of a coloured one 8 are read, and a note says so."""
        lines = (b"\0" + row.astype(">u2").tobytes() for row in DEEP)
        (tmp_path / "grey.png").write_bytes(png(b"".join(lines), 16, 0))
        frame = read_frame(tmp_path / "grey.png")
        assert_array_equal(frame.ccd.data, DEEP[::-1])
        assert frame.notes == ()
        lines = (b"\0" + np.repeat(row, 3).astype(">u2").tobytes() for row in DEEP)
        (tmp_path / "colour.png").write_bytes(png(b"".join(lines), 16, 2))
        assert "16 bits a channel were read as 8" in read_frame(tmp_path / "colour.png").notes[0]

    def test_white_is_zero(self, tmp_path):
        """A TIFF whose 0 is white is turned round, in 8 and in 16 bits."""
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[262] = 0
        Image.fromarray(DEEP).save(tmp_path / "deep.tif", tiffinfo=info)
        assert_array_equal(read_frame(tmp_path / "deep.tif").ccd.data, 65535 - DEEP[::-1].astype(np.float32))

    def test_float_holes(self, tmp_path):
        """Pixels that are no numbers are masked."""
        data = np.random.default_rng(2).normal(size=(40, 60)).astype(np.float32)
        data[5, 7] = np.nan
        Image.fromarray(data).save(tmp_path / "a.tif")
        assert list(zip(*np.nonzero(~read_frame(tmp_path / "a.tif").good))) == [(34, 7)]

    def test_transparent(self, tmp_path):
        """Transparent pixels are masked and do not count as bad; nothing but them is an empty frame."""
        image = Image.fromarray(COLOURS).convert("RGBA")
        alpha = np.full((40, 60), 255, np.uint8)
        alpha[:10] = 0
        image.putalpha(Image.fromarray(alpha))
        image.save(tmp_path / "a.png")
        frame = read_frame(tmp_path / "a.png")
        assert frame.quality == 0
        assert_array_equal(frame.good, alpha[::-1] > 0)
        image.putalpha(0)
        image.save(tmp_path / "clear.png")
        with pytest.raises(EmptyFrameError, match=r"clear\.png: no pixel"):
            read_frame(tmp_path / "clear.png")

    def test_orientation(self, tmp_path):
        """The EXIF orientation is obeyed."""
        exif = Image.Exif()
        exif[0x0112] = 8
        Image.fromarray(COLOURS).save(tmp_path / "a.png", exif=exif)
        frame = read_frame(tmp_path / "a.png")
        assert_array_equal(frame.ccd.data, np.rot90(GREY[::-1])[::-1])
        assert "turned the picture as its EXIF orientation says" in frame.steps

    def test_pages(self, tmp_path):
        """Of several pages the first is read and a note says so; plane= chooses another."""
        pages = [Image.fromarray(COLOURS + np.uint8(n)) for n in range(3)]
        pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
        frame = read_frame(tmp_path / "a.tif")
        assert_array_equal(frame.ccd.data, GREY)
        assert frame.notes == ("read page 1 of 3 alone; choose another with plane=",)
        second = read_frame(tmp_path / "a.tif", plane=2)
        assert_array_equal(second.ccd.data[::-1], np.asarray(pages[1]).mean(axis=2, dtype=np.float32))
        assert second.notes == ()
        with pytest.raises(FrameError, match=r"has the pages 1 to 3; got plane=4"):
            read_frame(tmp_path / "a.tif", plane=4)

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("cut.png", lambda good: good[: len(good) // 2], "the PNG picture cannot be read, it may be damaged"),
            ("head.png", lambda good: good[:20], "the PNG picture cannot be read, it may be damaged"),
            ("signature.png", lambda good: good[:8], "a PNG file that Pillow cannot read"),
            ("tiff.png", lambda good: b"II*\0" + good, "a TIFF file that Pillow cannot read"),
            ("large.png", lambda good: png(b"\0" * 99, 8, 0, 30000, 30000), "more than 179 million pixels"),
            ("tiny.png", lambda good: png(b"\0" * 30, 8, 0, 5, 5), "at least 16 a side are needed"),
        ],
    )
    def test_broken(self, tmp_path, name, content, message):
        """What is broken or too large is one message with the name of the file."""
        Image.fromarray(COLOURS).save(tmp_path / "good.png")
        (tmp_path / name).write_bytes(content((tmp_path / "good.png").read_bytes()))
        with pytest.raises(FrameError, match=f"{name}: .*{message}"):
            read_frame(tmp_path / name)

    def test_preview(self, tmp_path):
        """The preview at the head of a camera's raw file is not taken for its image."""
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[254] = 1
        Image.fromarray(COLOURS).save(tmp_path / "camera.nef", format="TIFF", tiffinfo=info)
        with pytest.raises(FrameError, match="begins with a preview"):
            read_frame(tmp_path / "camera.nef")

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
    def test_pipes_are_not_waited_for(self, tmp_path):
        """A named pipe is no picture, and nobody waits for what may come out of it."""
        os.mkfifo(tmp_path / "pipe.jpg")
        assert picture_kind(tmp_path / "pipe.jpg") == ""
        assert picture_kind(tmp_path) == ""

    def test_no_hdus(self, tmp_path):
        """A picture has no HDU to name."""
        Image.fromarray(COLOURS).save(tmp_path / "a.png")
        with pytest.raises(FrameError, match=r"a\.png: hdu='SCI' names a part of a FITS file; this is a picture"):
            read_frame(tmp_path / "a.png", hdu="SCI")

    def test_own_pictures_are_refused(self, tmp_path, monkeypatch, capsys):
        """A picture that astroclf drew is not classified, so that ``*.png`` does no harm."""
        monkeypatch.chdir(tmp_path)
        make_frame("wfc3_ir_sub256_flt", "star", seed=1).writeto("a.fits")
        main(["tag", "a.fits"])
        assert main(["classify", "a_astroclf.png"]) == 1
        assert "a_astroclf.png: a picture that astroclf made of a frame" in capsys.readouterr().err

    @given(st.binary(max_size=300), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*"]))
    def test_noise_is_refused(self, tmp_path_factory, noise, head):
        """Bytes that only begin like a picture are a FrameError, never anything else."""
        path = tmp_path_factory.mktemp("noise") / "noise"
        path.write_bytes(head + noise)
        with pytest.raises(FrameError, match="noise: "):
            read_frame(path)

    def test_summary(self, tmp_path):
        """What is said of a picture: its layout, what was done, and that no cosmic rays are looked for."""
        Image.fromarray(COLOURS).save(tmp_path / "a.png")
        found = summarize(tmp_path / "a.png")
        assert (found["layout"], found["cosmic_rays"]) == ("picture", False)
        assert found["steps"] == (
            "took the mean of the three colours, and kept them", "left the stretch of the picture as it is"
        )  # fmt: skip

    def test_verdict_is_that_of_the_grey_image(self, tmp_path):
        """A picture without colours is classified as the array of its grey values is."""
        light = make_frame("wfc3_ir_sub256_flt", "globular_cluster", seed=2)["SCI"].data
        grey = np.clip(255 * np.arcsinh(light) / 4, 0, 255).astype(np.uint8)
        Image.fromarray(grey[::-1]).convert("RGB").save(tmp_path / "a.png")
        classifier = Classifier()
        assert classifier(tmp_path / "a.png").probs == classifier(grey).probs

    def test_colours_count(self, tmp_path):
        """The verdict on a picture in colour is on the mean of the logits of both looks; its novelty is of the grey."""
        Image.fromarray(COLOURS).save(tmp_path / "a.png")
        frame, classifier = read_frame(tmp_path / "a.png"), Classifier(views=1)
        network = OnnxBackend(load_record().read_bytes())
        layers = network, HeadBackend(network, load_record().colour.read(len(labels())))
        looks = zip(layers, Preprocessor().looks(frame), strict=True)
        logits = np.concatenate([layer.logits(rgb[None]) for layer, rgb in looks])
        found, of_grey = classifier(frame), classifier(replace(frame, colours=None))
        assert_allclose(found.probs, sorted(classifier._probs(logits), reverse=True), atol=1e-6)
        assert found.probs != of_grey.probs
        assert found.novelty == of_grey.novelty

    def test_without_layer_for_colours(self, tmp_path):
        """A model that has no last layer for pictures in colour sees them in grey; a missing one is a clear error."""
        Image.fromarray(COLOURS).save(tmp_path / "a.png")
        frame, bundled, path = read_frame(tmp_path / "a.png"), load_record(), tmp_path / "b.json"
        fields = json.loads(bundled.path.with_suffix(".json").read_text())
        for file in (bundled, bundled.novelty):
            (tmp_path / file.path.name).symlink_to(file.path)
        path.write_text(json.dumps(fields))
        with pytest.raises(ModelError, match=r"colour\.npz: the last layer file cannot be read"):
            Classifier(path)
        grey = tmp_path / "c.json"
        grey.write_text(json.dumps({key: value for key, value in fields.items() if key != "colour"}))
        assert Classifier(grey)(frame).probs == Classifier()(replace(frame, colours=None)).probs

    def test_annotated_in_colour(self, tmp_path):
        """The annotated picture has the colours, pixel by pixel, and says nothing of a stretch."""
        pixels = np.repeat(np.repeat(COLOURS, 10, axis=0), 10, axis=1)
        Image.fromarray(pixels).save(tmp_path / "a.png")
        frame = read_frame(tmp_path / "a.png")
        figure = annotate(frame, prediction(), tmp_path / "b.png")
        drawn = figure.axes[0].images[0].get_array()
        assert_array_equal(np.round(255 * np.asarray(drawn)).astype(np.uint8), pixels[::-1])
        with Image.open(tmp_path / "b.png") as image:
            packet = image.info["XML:com.adobe.xmp"]
        assert "Headline" in packet
        assert "FL." not in packet
        assert "ColorAssignment" not in packet


class TestCoordinates:
    """World coordinates in Astronomy Visualization Metadata."""

    @pytest.fixture
    def picture(self, tmp_path):
        """Return the path of a picture with a full solution, its WCS and its metadata."""
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ("RA---TAN", "DEC--TAN"), (210.8, 54.3), (20.0, 15.0)
        wcs.wcs.cdelt, wcs.wcs.crota, wcs.wcs.radesys = (-1e-4, 1e-4), (30, 30), "ICRS"
        avm = AVM.from_wcs(wcs, shape=(40, 60))
        avm.Facility, avm.Instrument, avm.Subject.Name = ["Hubble", "Hubble"], ["ACS", "WFC3"], ["M 101", "NGC 5457"]
        Image.fromarray(COLOURS).save(tmp_path / "plain.png")
        avm.embed(str(tmp_path / "plain.png"), str(tmp_path / "avm.png"))
        return tmp_path / "avm.png", wcs, avm

    def test_full_solution(self, picture):
        """A full solution is the WCS of the frame; names are facts."""
        path, wcs, _ = picture
        frame = read_frame(path)
        assert_allclose(
            frame.ccd.wcs.pixel_to_world_values([0, 59], [0, 39]), wcs.pixel_to_world_values([0, 59], [0, 39])
        )
        facts = frame.facts
        assert (facts.telescope, facts.instrument, facts.target) == ("Hubble", "ACS+WFC3", "M 101")
        assert summarize(frame)["scale_arcsec"] == pytest.approx(0.36, rel=1e-3)

    def test_another_size(self, picture):
        """A picture that was made smaller keeps its place on the sky."""
        *_, avm = picture
        small = avm_wcs(read_avm(avm.to_xmp()), (20, 30))
        assert_allclose(small.proj_plane_pixel_scales()[0].to_value("arcsec"), 0.72)
        assert avm_wcs(read_avm(avm.to_xmp()), (30, 30)) is None

    @pytest.mark.parametrize("change", ["Quality", "ReferencePixel", "Scale", "CoordsystemProjection"])
    def test_partial_solution(self, picture, change):
        """Anything less than a full solution is none."""
        *_, avm = picture
        setattr(avm.Spatial, change, "Position" if change == "Quality" else None)
        assert avm_wcs(read_avm(avm.to_xmp()), (40, 60)) is None

    @given(st.one_of(st.none(), st.binary(max_size=200), st.just(PACKET), st.just(b"<a><b></a>")))
    def test_odd_packets(self, packet):
        """Metadata that cannot be understood are no metadata."""
        assert avm_wcs(read_avm(packet), (40, 60)) is None


class TestTags:
    """Tags in the metadata of a copy."""

    @pytest.fixture(params=["jpg", "png"])
    def picture(self, request, tmp_path):
        """Return the path of a picture without metadata; out/ is beside it."""
        Image.fromarray(COLOURS).save(tmp_path / f"a.{request.param}")
        (tmp_path / "out").mkdir()
        return tmp_path / f"a.{request.param}"

    @pytest.fixture(params=["jpg", "png"])
    def described(self, request, tmp_path):
        """Return the path of a picture with EXIF and somebody's metadata."""
        exif, options = Image.Exif(), {}
        exif[0x010F] = "maker"
        if request.param == "png":
            options["pnginfo"] = _with_packet(PACKET)
        else:
            options["xmp"] = PACKET
        Image.fromarray(COLOURS).save(tmp_path / f"b.{request.param}", exif=exif, **options)
        (tmp_path / "out").mkdir()
        return tmp_path / f"b.{request.param}"

    def test_round_trip(self, picture):
        """The block is that of a FITS header, the pixels are the same, and untagging gives the file back."""
        before = picture.read_bytes()
        tags = write_tags(picture, prediction(), output=picture.parent / "out")
        copy = picture.parent / "out" / picture.name
        assert picture.read_bytes() == before
        assert read_tags(picture) is None
        assert (tags.verdict, tags.prob, tags["CLFFILE"], tags["CLFUAT"]) == ("spiral_galaxy", 0.2, picture.name, 1560)
        assert tags.labels == labels()[:3]
        assert_array_equal(pixels(copy), pixels(picture))
        head, tail = before[:100], before[-len(before) // 2 :]
        assert copy.read_bytes().startswith(head[:2])
        assert copy.read_bytes().endswith(tail)
        assert remove_tags(copy).verdict == "spiral_galaxy"
        assert copy.read_bytes() == before
        assert remove_tags(copy) is None

    def test_same_tags_as_fits(self, picture, tmp_path):
        """Keyword by keyword a picture is tagged as a FITS file is."""
        make_frame("wfc3_ir_sub256_flt", "star", seed=1).writeto(tmp_path / "a.fits")
        of_fits = dict(write_tags(tmp_path / "a.fits", prediction()))
        of_picture = dict(write_tags(picture, prediction(), output=tmp_path / "out"))
        known = {key: value for key, value in of_fits.items() if value is not None}
        assert list(of_picture) == list(known)
        for own in ("CLFFILE", "CLFDATE"):
            del known[own], of_picture[own]
        assert of_picture == known

    def test_avm(self, picture):
        """Other programs find the category of a sure verdict, a description and the version of the standard."""
        write_tags(picture, prediction(), output=picture.parent / "out")
        avm = AVM.from_image(str(picture.parent / "out" / picture.name))
        assert avm.Subject.Category == ["E.5.1.1"]
        assert avm.Description.startswith("Classified by astroclf")
        assert avm.MetadataVersion == 1.2

    @pytest.mark.parametrize(
        ("status", "category"), [(Status.GROUP, ["E.5"]), (Status.UNCERTAIN, None), (Status.LOWQUAL, None)]
    )
    def test_avm_of_less_sure_verdicts(self, picture, status, category):
        """The category is that of the group where only that is sure, and left out where nothing is."""
        tags = write_tags(picture, prediction(status), output=picture.parent / "out")
        avm = AVM.from_image(str(picture.parent / "out" / picture.name))
        assert avm.Subject.Category == category
        assert tags.status == status

    def test_metadata_are_kept(self, described):
        """What others wrote stays, to the byte: their description, too."""
        before = described.read_bytes()
        copy = described.parent / "out" / described.name
        write_tags(described, prediction(), output=copy)
        with Image.open(copy) as image:
            assert image.getexif()[0x010F] == "maker"
            packet = image.info["xmp"]
        start = packet.index(b'<rdf:Description rdf:about="uuid:1" xmlns:astroclf')
        assert packet[:start] == PACKET[:start]
        assert packet.endswith(PACKET[start:])
        avm = AVM.from_image(str(copy))
        assert avm.Description == "A galaxy."
        assert avm.Subject.Category == ["E.5.1.1"]
        assert_array_equal(pixels(copy), pixels(described))
        remove_tags(copy)
        assert copy.read_bytes() == before

    def test_again(self, described):
        """Tagging a tagged copy replaces its block, and an earlier copy is replaced."""
        out = described.parent / "out"
        write_tags(described, prediction(), output=out)
        once = (out / described.name).read_bytes()
        write_tags(
            out / described.name, prediction(Status.UNCERTAIN), output=described.parent / f"again_{described.name}"
        )
        again = described.parent / f"again_{described.name}"
        assert read_tags(again).status == "UNCERTAIN"
        assert again.read_bytes().count(b"xmlns:astroclf") == 1
        write_tags(described, prediction(), output=out)
        assert len((out / described.name).read_bytes()) == len(once)

    def test_refusals(self, picture, tmp_path):
        """No picture is tagged in place, no other file overwritten, and a TIFF is no carrier of tags."""
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        with pytest.raises(TagError, match=r"a picture has no FITS header to tag; name a folder"):
            write_tags(picture, prediction())
        (tmp_path / "out" / picture.name).write_bytes(picture.read_bytes())
        with pytest.raises(TagError, match="exists and has no tag block"):
            write_tags(picture, prediction(), output=tmp_path / "out")
        (tmp_path / "out" / picture.name).unlink()
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        Image.fromarray(COLOURS).save(tmp_path / "a.tif")
        with pytest.raises(TagError, match="a TIFF picture cannot be tagged"):
            write_tags(tmp_path / "a.tif", prediction(), output=tmp_path / "out")
        assert read_tags(tmp_path / "a.tif") is None

    def test_changed_since(self, picture):
        """A picture that has changed since it was classified is refused."""
        verdict = prediction(origin=read_frame(picture).origin)
        Image.fromarray(COLOURS[::-1]).save(picture)
        with pytest.raises(TagError, match="has changed since it was classified"):
            write_tags(picture, verdict, output=picture.parent / "out")

    def test_several_pictures_in_one(self, tmp_path):
        """Pictures that point to each other by byte are not moved apart."""
        pages = [Image.fromarray(COLOURS), Image.fromarray(COLOURS)]
        pages[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=pages[1:])
        with pytest.raises(TagError, match="several pictures"):
            write_tags(tmp_path / "a.jpg", prediction(), output=tmp_path / "b.jpg")

    @pytest.mark.parametrize(
        ("packet", "message"),
        [
            (b"<a>", "not laid out as usual"),
            (b"<a></rdf:RDF>", "cannot be parsed"),
            (PACKET.replace("É".encode(), b"\xff"), "no UTF-8"),
            (PACKET.replace(b"    ", b" " * 65000), "fill the 65533 bytes"),
        ],
    )
    def test_odd_metadata(self, tmp_path, packet, message):
        """Metadata to which nothing can be added safely are left alone."""
        segment = b"http://ns.adobe.com/xap/1.0/\0" + packet
        Image.fromarray(COLOURS).save(tmp_path / "a.jpg")
        good = (tmp_path / "a.jpg").read_bytes()
        content = good[:2] + struct.pack(">BBH", 0xFF, 0xE1, 2 + len(segment)) + segment + good[2:]
        (tmp_path / "a.jpg").write_bytes(content)
        with pytest.raises(TagError, match=message):
            write_tags(tmp_path / "a.jpg", prediction(), output=tmp_path / "b.jpg")
        assert not (tmp_path / "b.jpg").exists()

    @given(st.integers(0, 4000), st.sampled_from(["a.jpg", "a.png"]))
    def test_cut_short(self, tmp_path_factory, length, name):
        """A file cut short anywhere in its head is a TagError or is read; nothing else is raised."""
        folder = tmp_path_factory.mktemp("cut")
        Image.fromarray(COLOURS).save(folder / name)
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: max(min(length, len(whole)), 8)])
        with nullcontext() if length >= len(whole) else suppress(TagError):
            assert read_tags(folder / name) is None

    def test_rewritten_by_another_program(self):
        """A block that was laid out anew is still read, and not cut out by guesswork."""
        packet = add_block(PACKET, _cards(), prediction(), "a.jpg")
        assert cut_block(packet, "a.jpg") == PACKET
        other = packet.replace(b" astroclf:", b" ns0:").replace(b"xmlns:astroclf", b"xmlns:ns0")
        assert read_block(other) == read_block(packet)
        with pytest.raises(TagError, match="another program has rewritten its tags"):
            cut_block(other, "a.jpg")

    def test_compressed_packet(self, tmp_path):
        """A compressed packet of a PNG is read and kept."""
        body = b"iTXtXML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(PACKET)
        Image.fromarray(COLOURS).save(tmp_path / "a.png")
        good = (tmp_path / "a.png").read_bytes()
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        (tmp_path / "a.png").write_bytes(good[:33] + chunk + good[33:])
        write_tags(tmp_path / "a.png", prediction(), output=tmp_path / "b.png")
        assert AVM.from_image(str(tmp_path / "b.png")).Description == "A galaxy."


class TestCommands:
    """Pictures on the command line."""

    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """Work in a folder with a picture, a.png."""
        monkeypatch.chdir(tmp_path)
        Image.fromarray(COLOURS).save("a.png")
        return tmp_path

    def test_tag(self, folder, capsys):
        """A copy is tagged and drawn with -o, and shown; without -o the picture is left alone."""
        before = Path("a.png").read_bytes()
        assert main(["tag", "a.png"]) == 1
        assert "a picture has no FITS header to tag" in capsys.readouterr().err
        assert [path.name for path in folder.iterdir()] == ["a.png"]
        assert main(["tag", "--dry-run", "a.png", "-o", "out"]) == 0
        assert "\n+ CLFCLASS= " in capsys.readouterr().out
        assert [path.name for path in folder.iterdir()] == ["a.png"]
        assert main(["tag", "a.png", "-o", "out"]) == 0
        assert sorted(path.name for path in Path("out").iterdir()) == ["a.png", "a.png_astroclf.png"]
        assert Path("a.png").read_bytes() == before
        capsys.readouterr()
        assert main(["show", "out/a.png", "a.png"]) == 0
        out = capsys.readouterr().out
        assert "\n  CLFLAB1  " in out
        assert "a.png: no tags" in out
        assert main(["untag", "out/a.png"]) == 0
        assert Path("out/a.png").read_bytes() == before

    def test_notes_are_warnings(self, folder, capsys):
        """What is to be known of a picture is told on stderr."""
        pages = [Image.fromarray(COLOURS)] * 2
        pages[0].save("a.tif", save_all=True, append_images=pages[1:])
        assert main(["classify", "a.tif"]) == 0
        assert "a.tif: warning: read page 1 of 2 alone; choose another with --plane\n" in capsys.readouterr().err
        assert main(["classify", "--plane", "2", "a.tif"]) == 0
        assert capsys.readouterr().err == ""


def _cards():
    from astroclf.tags.keywords import to_cards

    return to_cards(prediction(), file="a.jpg")


def _with_packet(packet):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    return info


def test_held_out_pictures(images_dir):
    """Real pictures are read as they were evaluated: the mean of the channels, nothing masked."""
    for path in sorted(images_dir.glob("spiral_galaxy/*.jpg"))[:5]:
        frame = read_frame(path)
        assert_array_equal(frame.ccd.data, pixels(path)[::-1].mean(axis=2, dtype=np.float32))
        assert frame.good.all()


def test_warning_is_known():
    """Notes become astroclf's own warnings."""
    assert issubclass(AstroclfWarning, UserWarning)
