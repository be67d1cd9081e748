# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the report in a real browser: filter, sort, search, open, keyboard, correct, download; hostile headers."""

import importlib.util
import json
import time
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from matplotlib.figure import Figure

from astroclf import read_tags, write_label, write_tags
from astroclf.annotation import picture_path, save_annotated
from astroclf.cli import main
from astroclf.frames.frame import Facts, Origin
from astroclf.prediction import Prediction, Provenance, Status
from astroclf.report import Entry, collect_entries, write_report
from astroclf.tags import Tags
from astroclf.taxonomy import groups, labels

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # selenium's sockets

DATA = np.random.default_rng(12345).normal(100, 9, (40, 60)).astype("f4")
WAIT = 30
NIGHT = {
    "m31.fits": ("spiral_galaxy", 0.97, Status.OK, "M31", "ACS", "F606W", (10.68, 41.27)),
    "m51.fits": ("spiral_galaxy", 0.71, Status.GROUP, "M51", "ACS", "F814W", (202.47, 47.2)),
    "m13.fits": ("globular_cluster", 0.99, Status.OK, "M13", "WFC3", "F606W", (250.42, 36.46)),
    "m57.fits": ("planetary_nebula", 0.88, Status.OK, "M57", "WFC3", "F502N", (283.4, 33.03)),
    "x1.fits": ("star", 0.35, Status.UNCERTAIN, "HD 1", "ACS", "F606W", (1.3, 67.8)),
    'deep/a,b "c".fits': ("galaxy_field", 0.5, Status.NOVEL, "HUDF", "ACS", "F606W", (53.16, -27.79)),
}


def load_browser():
    """Import what starts Chromium, which is in no package."""
    spec = importlib.util.spec_from_file_location("browser", Path(__file__).with_name("browser.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BROWSER = load_browser()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """Return Chromium, without a window, and the folder of its downloads."""
    if missing := BROWSER.lacking():
        pytest.skip(missing)
    downloads = tmp_path_factory.mktemp("downloads")
    with BROWSER.open_browser(1200, 900, downloads=downloads) as browser:
        browser.implicitly_wait(0)
        browser.set_script_timeout(WAIT)
        yield browser, downloads


@pytest.fixture(scope="session")
def night(tmp_path_factory):
    """Return a folder with six tagged files, one of them labelled, two with pictures, one that is broken, a report."""
    folder = tmp_path_factory.mktemp("night")
    (folder / "deep").mkdir()
    for name, facts in NIGHT.items():
        _make_file(folder / name, *facts)
    for name in ("m31.fits", "m51.fits"):
        _draw(folder / name)
    write_label(folder / "m57.fits", "planetary_nebula", by="W. Parsons")
    (folder / "broken.fits").write_bytes(b"not FITS")
    write_report(collect_entries(folder), folder / "report.html", title="Night 1")
    return folder


def _make_file(path, label, prob, status, target, instrument, element, position):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = position, (30.5, 20.5), (-1e-4, 1e-4)
    header = wcs.to_header()
    header.update({"TARGNAME": target, "INSTRUME": instrument, "FILTER": element, "DATE-OBS": "2005-01-12"})
    fits.PrimaryHDU(DATA, header).writeto(path)
    write_tags(path, make_prediction(label, prob, status))


def make_prediction(label, prob, status):
    """Return a verdict whose first class is this."""
    others = [other for other in labels() if other != label]
    return Prediction(
        labels=(label, *others),
        probs=(prob, *[(1 - prob) / len(others)] * len(others)),
        groups=groups(),
        group_probs=(0.9,) + (0.1 / 6,) * 6,
        status=status,
        quality=0.0,
        provenance=Provenance("model", "ab" * 32, "0123456789ab"),
        origin=Origin(hdus=("0",), datasums=("12",)),
    )


def _draw(path):
    figure = Figure(figsize=(6, 3), dpi=100, facecolor="white")
    figure.add_axes((0.1, 0.1, 0.4, 0.8)).imshow(DATA)
    save_annotated(figure, picture_path(path))


@pytest.fixture
def page(chromium, night):
    """Return the report, opened anew."""
    return Page(*chromium, night / "report.html")


class Page:
    """What a person does with the report and sees of it."""

    def __init__(self, browser, downloads, path, hash=""):
        self.browser, self.downloads, self.path = browser, downloads, path
        browser.get("about:blank")
        browser.get(path.resolve().as_uri())
        browser.execute_script("localStorage.clear()")
        browser.get("about:blank")
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get(path.resolve().as_uri() + hash)

    def one(self, selector):
        """Return an element."""
        return self.browser.find_element("css selector", selector)

    def all(self, selector):
        """Return all elements."""
        return self.browser.find_elements("css selector", selector)

    def run(self, script, *arguments):
        """Run a script in the page."""
        return self.browser.execute_script(script, *arguments)

    def press(self, *keys):
        """Press keys where the focus is."""
        self.browser.switch_to.active_element.send_keys(*keys)

    def choose(self, selector, text):
        """Choose the option of a select whose text begins so."""
        option = next(
            option
            for option in self.one(selector).find_elements("css selector", "option")
            if option.text.startswith(text)
        )
        option.click()

    def wait(self, condition):
        """Wait until something is so."""
        until = time.monotonic() + WAIT
        while not self.run(f"return {condition}"):
            assert time.monotonic() < until, f"never came: {condition}"
            time.sleep(0.05)

    def type(self, selector, text):
        """Write into a field."""
        self.one(selector).clear()
        self.one(selector).send_keys(text)

    @property
    def shown(self):
        """Names of the files whose cards are shown, in their order."""
        return self.run(
            "return [...document.querySelectorAll('#gallery li')]"
            ".sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map((card) => view.rows[card.ariaPosInSet - 1].file)"
        )

    @property
    def count(self):
        """What the page says of how many are shown."""
        return self.one("#count").text

    @property
    def hash(self):
        """What is in the address."""
        return parse_qs(self.run("return location.hash.slice(1)"))

    @property
    def opened(self):
        """Heading of the details; None if they are closed."""
        return self.one("#details-title").text if self.run("return document.getElementById('details').open") else None

    def complaints(self):
        """Return errors and warnings in the console."""
        return [
            entry["message"] for entry in self.browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")
        ]

    def requests(self):
        """Return the addresses that were asked for."""
        messages = (json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance"))
        return {m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"}

    def download(self):
        """Download the corrections and return their file."""
        target = self.downloads / "corrections.csv"
        target.unlink(missing_ok=True)
        self.one("#download").click()
        until = time.monotonic() + WAIT
        while not target.exists() and time.monotonic() < until:
            time.sleep(0.1)
        return target


def test_opens(page):
    """The page opens without a complaint, shows all files, and says what they are."""
    assert page.one("h1").text == "Night 1"
    assert page.one("#summary").text.startswith("7 files")
    assert page.count == "7 of 7 files"
    assert page.shown == ["broken.fits", 'deep/a,b "c".fits', "m13.fits", "m31.fits", "m51.fits", "m57.fits", "x1.fits"]
    assert len(page.all("#gallery img")) == 2
    assert page.run("return [...document.querySelectorAll('#gallery img')].every((image) => image.naturalWidth > 0)")
    assert page.complaints() == []


def test_nothing_is_fetched(page, night):
    """Nothing is asked for but the page, data in it, and the picture that is looked at; the policy sees to it."""
    page.one("[aria-posinset='4'] .card").click()
    page.run("return document.querySelector('.large img').decode()")
    folder = night.resolve().as_uri()
    asked = {url for url in page.requests() if not url.startswith("data:")}
    assert asked <= {f"{folder}/report.html", f"{folder}/m31_astroclf.png", "about:blank"}
    assert f"{folder}/m31_astroclf.png" in asked
    blocked = page.browser.execute_async_script(
        "const done = arguments[0]; fetch('http://127.0.0.1:9/').then(() => done('fetched'), () => done('blocked'))"
    )
    assert blocked == "blocked"
    assert any("Content Security Policy" in message for message in page.complaints())


def test_filters(page):
    """Class, status, instrument and filter narrow down together; counts follow; the address remembers."""
    page.one("#classes [data-value='spiral_galaxy']").click()
    assert page.shown == ["m31.fits", "m51.fits"]
    assert page.count == "2 of 7 files"
    assert page.one("#statuses [data-value='OK'] .number").text == "1"
    page.one("#statuses [data-value='OK']").click()
    assert page.shown == ["m31.fits"]
    assert page.one("#classes [data-value='globular_cluster'] .number").text == "1"
    assert page.one("#classes [data-value='star'] .number").text == "0"
    assert page.hash == {"class": ["spiral_galaxy"], "status": ["OK"]}
    page.one("#reset").click()
    assert page.count == "7 of 7 files"
    assert page.hash == {}
    page.choose("#filter-instrument", "WFC3")
    assert page.shown == ["m13.fits", "m57.fits"]
    page.choose("#filter-filter", "F502N (1)")
    assert page.shown == ["m57.fits"]
    page.choose("#filter-instrument", "ACS (0)")
    assert page.shown == []
    assert page.one("#nothing").is_displayed()


def test_groups_and_labels(page):
    """Groups and people's labels are filters, too."""
    page.choose("#filter-label", "labelled by a person (1)")
    assert page.shown == ["m57.fits"]
    page.one("#reset").click()
    page.choose("#filter-group", "unknown (1)")
    assert page.shown == ["broken.fits"]


def test_probability(page):
    """A range of probabilities, those of the verdicts, leaves out what has none."""
    page.type("#min", "80")
    assert page.shown == ["m13.fits", "m31.fits", "m51.fits", "m57.fits"]
    page.type("#max", "89")
    assert page.shown == ["m57.fits"]
    assert page.hash == {"min": ["80"], "max": ["89"]}


def test_search(page):
    """Words are sought in names and targets, in any case; / goes to the field, Escape empties it."""
    page.one("body").send_keys("/")
    page.press("m5")
    assert page.shown == ["m51.fits", "m57.fits"]
    page.press(" FITS 7")
    assert page.shown == ["m57.fits"]
    assert page.hash == {"q": ["m5 FITS 7"]}
    page.press("\ue00c")
    assert page.count == "7 of 7 files"
    page.press("hudf")
    assert page.shown == ['deep/a,b "c".fits']


def test_sort(page):
    """Files are sorted either way; what has no value comes last both times."""
    page.choose("#sort", "probability")
    rising = ['deep/a,b "c".fits', "x1.fits"]
    assert set(page.shown[:2]) == set(rising)
    assert page.shown[-1] == "broken.fits"
    page.one("#order").click()
    assert page.shown[0] == "m13.fits"
    assert page.shown[-1] == "broken.fits"
    assert page.hash == {"sort": ["probability"], "order": ["down"]}


def test_address(chromium, night):
    """An address opens the view it was copied from, with the file that was looked at; nonsense in it does no harm."""
    page = Page(*chromium, night / "report.html", "#class=spiral_galaxy&class=star&sort=probability&open=m51.fits")
    assert page.opened == "M51"
    assert set(page.shown) == {"x1.fits", "m51.fits", "m31.fits"}
    page.run("location.hash = '#sort=constructor&min=abc&order=&status=%00&open=nothing'")
    page.browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert page.opened is None
    assert page.shown == []
    assert page.complaints() == []


def test_details(page):
    """The details have the picture, verdict, ranked probabilities, facts and every card of the header."""
    page.one("[aria-posinset='4'] .card").click()
    assert page.opened == "M31"
    text = page.one("#details-body").text
    for phrase in (
        "sure of the class",
        "spiral galaxy",
        "97%",
        "F606W",
        "2005-01-12",
        "00h 42m 43s +41° 16\N{PRIME} 12\N{DOUBLE PRIME}",
    ):
        assert phrase in text
    assert page.one("a.large").get_attribute("href").endswith("/m31_astroclf.png")
    assert page.run("return [...document.querySelectorAll('.bars .bar')].map((bar) => bar.style.width)")[0] == "97%"
    keywords = page.run("return [...document.querySelectorAll('.cards th')].map((cell) => cell.textContent)")
    assert {"CLFCLASS", "CLFPRB3", "CLFSHA", "CLFDATE"} <= set(keywords)
    page.one("#close").click()
    page.one("[aria-posinset='1'] .card").click()
    assert "not a FITS file" in page.one("#details-body").text
    assert page.all("#accept") == []


def test_keyboard(page):
    """Everything can be reached without a mouse: arrows, Enter, arrows in the details, Escape, back where one was."""
    page.one("#gallery .card[tabindex='0']").send_keys("\ue014\ue014\ue014")
    assert page.run("return document.activeElement.textContent").find("M31") >= 0
    assert page.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("\ue007")
    assert page.opened == "M31"
    page.press("\ue014")
    assert page.opened == "M51"
    page.press("\ue012\ue012")
    assert page.opened == "M13"
    page.press("\ue00c")
    assert page.opened is None
    page.wait("document.activeElement.textContent.includes('M13') && document.activeElement.matches('.card')")
    assert len(page.all("#gallery .card[tabindex='0']")) == 1
    page.press("\ue010")
    assert page.run("return document.activeElement.parentElement.ariaPosInSet") == "7"


def test_names_for_screen_readers(page):
    """Whatever can be operated has a name, and pressed filters say so."""
    page.one("#gallery .card").click()
    nameless = page.run(
        "return [...document.querySelectorAll('button, select, input, a')].filter((item) => item.checkVisibility())"
        ".filter((item) => !(item.textContent || item.ariaLabel || item.labels?.length || item.title))"
        ".map((item) => item.outerHTML)"
    )
    assert nameless == []
    page.press("\ue00c")
    page.one("#statuses [data-value='OK']").click()
    assert page.one("#statuses [data-value='OK']").get_attribute("aria-pressed") == "true"


def test_sky(page):
    """The map has a point for each position, follows the filters, has RA to the left, and opens files."""
    points = (
        "return ['OK', 'GROUP', 'UNCERTAIN', 'NOVEL', 'others'].map((name) => document.getElementById('sky-' + name))"
        ".map((path) => path.getAttribute('d').split('M').length - 1)"
    )
    assert page.run(points) == [3, 1, 1, 1, 0]
    page.one("#classes [data-value='spiral_galaxy']").click()
    assert page.run(points) == [1, 1, 0, 0, 4]
    assert page.one("#sky-count").text == "2 of 2 with a position"
    places = page.run("return Object.fromEntries(sky.points.map(({ row, place }) => [row.target, place]))")
    assert places["M13"][0] < places["M51"][0] < places["HUDF"][0] < places["M31"][0]
    assert places["HUDF"][1] > 0 > places["M51"][1]
    page.run(
        "const map = document.querySelector('#sky svg'), box = map.getBoundingClientRect(), [x, y] = arguments[0];"
        "const at = { clientX: box.left + (x + 194) / 388 * box.width, clientY: box.top + (y + 98) / 388 * box.width };"
        "map.dispatchEvent(new MouseEvent('click', { bubbles: true, ...at }))",
        places["M51"],
    )
    assert page.opened == "M51"


def test_projection(page):
    """The projection is Aitoff's: matplotlib draws the same, but for a scale of its own along x."""
    from matplotlib.projections import get_projection_class

    transform = get_projection_class("aitoff").AitoffTransform(60)
    places = [(ra, dec) for ra in (0.01, 90, 180, 201.5, 359.9) for dec in (-90, -45, 0, 30, 89)]
    for (ra, dec), (x, y) in zip(places, page.run("return arguments[0].map(([ra, dec]) => project(ra, dec))", places)):
        expected = np.degrees(transform.transform([np.radians([180 - ra, dec])])[0]) * (2, 1)
        np.testing.assert_allclose((x, -y), expected, atol=1e-6)


def test_galactic_plane(page):
    """The dashed line is where the galactic latitude is 0."""
    from astropy.coordinates import SkyCoord

    drawn = page.run("return galacticPlane().slice(1).split(/[ML]/).map((pair) => pair.split(' ').map(Number))")
    plane = SkyCoord(range(0, 361, 2), 0, unit="deg", frame="galactic").icrs
    places = list(zip(plane.ra.deg.tolist(), plane.dec.deg.tolist()))
    expected = page.run("return arguments[0].map(([ra, dec]) => project(ra, dec))", places)
    np.testing.assert_allclose(drawn, expected, atol=0.02)


def test_corrections_are_applied(page, night, tmp_path):
    """Labels accepted and corrected in the page are downloaded as a list that ``astroclf label --from`` applies."""
    page.one("[aria-posinset='2'] .card").click()
    page.choose("#correct", "irregular galaxy")
    page.press("\ue00c")
    page.one("[aria-posinset='5'] .card").click()
    page.press("a")
    assert page.one("#accept").text == "Accept spiral galaxy"
    page.press("\ue014")
    assert page.opened == "M57"
    page.press("\ue00c")
    assert page.one("#corrections-count").text == "2 labels to write."
    page.choose("#filter-label", "corrected here (2)")
    assert len(page.shown) == 2
    page.type("#by", 'E. "Ed" Hubble, Jr.')
    content = page.download().read_bytes()
    assert content == (
        b'file,label,by\r\n"deep/a,b ""c"".fits",irregular_galaxy,"E. ""Ed"" Hubble, Jr."\r\n'
        b'm51.fits,spiral_galaxy,"E. ""Ed"" Hubble, Jr."\r\n'
    )
    (night / "corrections.csv").write_bytes(content)
    assert main(["label", "--from", str(night / "corrections.csv")]) == 0
    tags = read_tags(night / 'deep/a,b "c".fits')
    assert (tags.human.label, tags.human.who) == ("irregular_galaxy", 'E. "Ed" Hubble, Jr.')
    assert read_tags(night / "m51.fits").human.label == "spiral_galaxy"
    assert read_tags(night / "m31.fits").human is None


def test_corrections_are_kept(page):
    """Corrections outlast a reload, are counted in the classes, can be taken back and discarded."""
    page.one("[aria-posinset='7'] .card").click()
    page.choose("#correct", "open cluster")
    page.browser.refresh()
    page.press("\ue00c")
    assert page.one("#classes [data-value='open_cluster'] .number").text == "1"
    assert page.one("#corrections").is_displayed()
    page.one("[aria-posinset='7'] .card").click()
    page.choose("#correct", "choose a class")
    page.press("\ue00c")
    assert not page.one("#corrections").is_displayed()
    page.one("[aria-posinset='6'] .card").click()
    page.one("#accept").click()
    page.press("\ue00c")
    page.one("#discard").click()
    page.browser.switch_to.alert.accept()
    page.wait("document.getElementById('corrections').hidden")
    assert page.run("return JSON.parse(localStorage.getItem(KEY))") == []


def test_name_must_fit_a_header(page):
    """A name that a header cannot hold is refused before the download."""
    page.one("[aria-posinset='6'] .card").click()
    page.one("#accept").click()
    page.press("\ue00c")
    page.type("#by", "Tycho Bråhe")
    page.run(
        "window.made = 0; const make = URL.createObjectURL;"
        "URL.createObjectURL = (list) => { window.made += 1; return make.call(URL, list); }"
    )
    page.one("#download").click()
    assert page.run("return document.getElementById('by').validity.patternMismatch")
    assert page.run("return window.made") == 0
    page.type("#by", "Tycho Brahe")
    page.one("#download").click()
    assert page.run("return window.made") == 1


def test_light_and_dark(page):
    """The page follows the system, and the switch overrules it and is remembered."""
    background = "return getComputedStyle(document.body).backgroundColor"
    assert page.run(background) == "rgb(255, 255, 255)"
    page.one("#theme").click()
    page.one("#theme").click()
    assert page.one("#theme").get_attribute("aria-label") == "Colours: Dark"
    assert page.run(background) == "rgb(15, 19, 26)"
    page.browser.refresh()
    assert page.run(background) == "rgb(15, 19, 26)"
    page.one("#theme").click()
    page.browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    assert page.run(background) == "rgb(15, 19, 26)"
    page.browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "light"}]}
    )


@pytest.fixture
def phone(page):
    """Return the report on a narrow screen."""
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    yield page
    metrics = {"width": 1200, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def test_phone(phone):
    """On a phone nothing is wider than the screen, there are two columns, and filters fold."""
    too_wide = "return document.documentElement.scrollWidth - window.innerWidth"
    phone.browser.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 100))")
    assert phone.run(too_wide) <= 0
    assert phone.run("return view.columns") == 2
    assert not phone.one("#min").is_displayed()
    phone.one("#more").click()
    assert phone.one("#min").is_displayed()
    assert phone.run(too_wide) <= 0
    phone.run("document.querySelector(\"[aria-posinset='2'] .card\").click()")
    assert phone.run(too_wide) <= 0
    assert phone.run("const box = document.getElementById('details'); return box.scrollWidth - box.clientWidth") <= 0


def test_print(page):
    """In print all files that are shown are there, whatever is on the screen."""
    page.run("window.dispatchEvent(new Event('beforeprint'))")
    assert len(page.all("#gallery li")) == 7
    page.run("window.dispatchEvent(new Event('afterprint'))")
    pdf = page.browser.print_page()
    assert len(pdf) > 10_000


def test_ten_thousand_files(chromium, tmp_path):
    """Of very many files only the cards on the screen exist, wherever one scrolls; the last can be reached."""
    tags = Tags({"CLFCLASS": "star", "CLFSTAT": "OK", "CLFPROB": 0.9, "CLFLAB1": "star", "CLFPRB1": 0.9})
    entries = [
        Entry(tmp_path / f"f{n:05d}.fits", tags, Facts(target=f"T{n}"), (n * 7.0 % 360, n % 90)) for n in range(10_000)
    ]
    write_report(entries, tmp_path / "report.html")
    page = Page(*chromium, tmp_path / "report.html")
    assert page.count == "10,000 of 10,000 files"
    assert len(page.all("#gallery li")) < 80
    page.one("#gallery .card[tabindex='0']").send_keys("\ue010")
    assert page.run("return document.activeElement.textContent").find("T9999") >= 0
    assert len(page.all("#gallery li")) < 80
    page.run("window.scrollTo(0, document.body.scrollHeight / 2)")
    page.browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert 0 < len(page.all("#gallery li")) < 80
    assert page.run("return parsed.size") < 10
    page.type("#search", "t5000")
    assert page.shown == ["f05000.fits"]


HOSTILE = (
    "</script><script>window.hurt = 1</script>",
    "<img src=x onerror='window.hurt = 1'>",
    '"><svg onload="window.hurt = 1">',
    "javascript:window.hurt=1",
    "'-window.hurt=1-'",
    "\u202etxt.exe",
    "\x1b]0;hurt\x07\x1b[2J",
    "__proto__",
    "constructor",
    "=1+1|cmd",
    "<!--<script>",
)


def test_hostile_headers(chromium, tmp_path):
    """Whatever stands in headers and file names, it is text: nothing runs, nothing is added to the page."""
    entries = []
    for number, text in enumerate(HOSTILE):
        tags = Tags(
            {
                "CLFCLASS": text,
                "CLFSTAT": "OK",
                "CLFPROB": 0.9,
                "CLFLAB1": text,
                "CLFPRB1": 0.9,
                "CLFHLAB": text,
                "CLFGROUP": text,
                "CLFHWHO": text,
            }
        )
        facts = Facts(telescope=text, instrument=text, detector=text, filter=text, target=text, date=text)
        entries.append(
            Entry(
                tmp_path / f"{number}{text.replace('/', '')}",
                tags,
                facts,
                picture=tmp_path / text.replace("/", ""),
                crop=(0, 0, 1, 1, 1),
            )
        )
        entries.append(Entry(tmp_path / f"e{number}", error=text))
    write_report(entries, tmp_path / "report.html", title=HOSTILE[0])
    page = Page(*chromium, tmp_path / "report.html")
    assert page.count == f"{2 * len(HOSTILE)} of {2 * len(HOSTILE)} files"
    assert page.one("h1").text == HOSTILE[0]
    scripts = len(page.all("script"))
    for number in range(2 * len(HOSTILE)):
        page.run("openDetails(ROWS[arguments[0]])", number)
        page.run("markOnSky(ROWS[arguments[0]])", number)
        page.browser.execute_async_script("setTimeout(arguments[0], 5)")
    assert page.run("return view.rows.length") == 2 * len(HOSTILE)
    page.press("\ue00c")
    for selector in ("#filter-instrument", "#filter-filter"):
        for option in range(1, len(HOSTILE)):
            page.run(
                "const select = document.querySelector(arguments[0]); select.selectedIndex = arguments[1];"
                "select.dispatchEvent(new Event('change'))",
                selector,
                option,
            )
            assert page.run("return view.rows.length") >= (selector == "#filter-instrument")
        page.run("document.getElementById('reset').click()")
    assert page.run("return window.hurt ?? null") is None
    assert len(page.all("script")) == scripts
    assert page.all("svg[onload], img[onerror], iframe, object, embed") == []
    links = page.run(
        "return ROWS.map((row) => row.picture).filter(Boolean).map((link) => new URL(link, location.href).protocol)"
    )
    assert set(links) == {"file:"}
    folder = tmp_path.resolve().as_uri()
    assert all(url.startswith((f"{folder}/", "data:", "about:")) for url in page.requests())


def test_hostile_file(chromium, tmp_path):
    """The same with a real file, whose raw header bytes have what no writer would let through."""
    path = tmp_path / "a.fits"
    _make_file(path, "star", 0.9, Status.OK, "X" * 60, "Y" * 60, "F606W", (10.0, 20.0))
    content = path.read_bytes()
    for placeholder, evil in (
        (b"X", b"</script><script>window.hurt=1</script>"),
        (b"Y", b"\x1b[2J\x07\xff<img src=x>"),
    ):
        assert content.count(placeholder * 60) == 1
        content = content.replace(placeholder * 60, evil.ljust(60))
    path.write_bytes(content)
    assert main(["report", str(path), "-o", str(tmp_path / "report.html")]) == 0
    page = Page(*chromium, tmp_path / "report.html")
    assert page.count == "1 of 1 file"
    page.one("#gallery .card").click()
    assert page.opened == "</script><script>window.hurt=1</script>"
    assert page.run("return window.hurt ?? null") is None
    assert page.complaints() == []


def test_statuses_of_a_prediction_are_all_shown(chromium, tmp_path):
    """Every status has its mark on the card and a filter of its own."""
    for status in Status:
        _make_file(tmp_path / f"{status}.fits", "star", 0.6, status, str(status), "ACS", "F606W", (10.0, 20.0))
        read = read_tags(tmp_path / f"{status}.fits")
        assert read.status == status
    write_report(collect_entries(tmp_path), tmp_path / "report.html")
    page = Page(*chromium, tmp_path / "report.html")
    for status in Status:
        page.one(f"#statuses [data-value='{status}']").click()
        assert page.shown == [f"{status}.fits"]
        assert str(status) in page.one("#gallery .badge").text
        page.one("#reset").click()
