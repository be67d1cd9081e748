# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of remote files against servers on this machine: what is fetched, what goes wrong, and what is said of it."""

import gzip
import io
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal

from astroclf import FrameError, MissingDependencyError, TagError, read_frame, write_tags
from astroclf.frames.files import remote

pytest.importorskip("aiohttp")

SIDE = 400


def picture(side=SIDE):
    """Return a picture."""
    return np.random.default_rng(5).integers(20, 120, (side, side)).astype(np.float32)


def exposure(images=1):
    """Return the bytes of a file of SCI, ERR and DQ, ERR being three quarters of it."""
    hdul = fits.HDUList([fits.PrimaryHDU()])
    for version in range(1, images + 1):
        hdul.append(fits.ImageHDU(picture(), name="SCI", ver=version))
        hdul.append(fits.ImageHDU(np.zeros((3 * SIDE, 3 * SIDE)), name="ERR", ver=version))
        hdul.append(fits.ImageHDU(np.eye(SIDE, dtype=np.int16), name="DQ", ver=version))
    file = io.BytesIO()
    hdul.writeto(file)
    return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    """Serves ``server.files``; the first folder of a path says how well."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        """Answer with headers alone."""
        self._answer(body=False)

    def do_GET(self):
        """Answer with the file, or the range of it that is asked for."""
        self._answer(body=True)

    def _answer(self, body):
        _, how, name = self.path.partition("?")[0].split("/", 2)
        if how.isdecimal():
            self.send_error(int(how))
            return
        if how == "moved":
            self.send_response(302)
            self.send_header("Location", f"/ranges/{name}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        asked = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = map(int, asked.groups()) if asked and how != "whole" else (0, len(content) - 1)
        part = content[first : last + 1]
        self.send_response(206 if asked and how != "whole" else 200)
        self.send_header("Content-Length", str(len(part)))
        if asked and how != "whole":
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.end_headers()
        if not body:
            return
        if how == "silent" and first > 0:
            time.sleep(3)
        if how == "dropping" and first > 100:
            part = part[: len(part) // 2]
            self.close_connection = True
        self.server.sent += len(part)
        self.server.requests += 1
        try:
            self.wfile.write(part)
        except OSError:  # who asked has had enough
            self.close_connection = True

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def server():
    """Return a server, and how to count what it sent."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.files = {"a.fits": exposure(), "a.fits.gz": gzip.compress(exposure()), "page.fits": b"<!DOCTYPE html>" * 9}
    server.sent = server.requests = 0
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def at(server):
    """Return the address of a file on the server; the count of what was sent begins anew."""
    server.sent = server.requests = 0
    return lambda path: f"http://127.0.0.1:{server.server_port}/{path}"


def refusal(url, error=FrameError):
    """Return the one line with which an address is refused."""
    with pytest.raises(error) as info:
        read_frame(url)
    text = str(info.value)
    assert text.startswith(f"{url}: ")
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    "path", ["ranges/a.fits", "moved/a.fits", "whole/a.fits", "ranges/a.fits.gz", "whole/a.fits.gz"]
)
def test_http(at, path):
    """A file is read from servers with and without ranges, behind redirections, packed or not."""
    frame = read_frame(at(path))
    assert_array_equal(frame.ccd.data, picture())
    assert frame.ccd.mask.sum() == SIDE
    assert (frame.origin.url, frame.origin.path, frame.origin.fingerprint) == (at(path), None, None)
    assert (frame.origin.name, frame.origin.datasums) == (path.partition("/")[2], ())


def test_bytes_fetched(at, server):
    """No more is fetched than headers, image and data quality, each to 128 KiB."""
    frame = read_frame(at("ranges/a.fits"))
    needed = frame.ccd.data.nbytes + SIDE * SIDE * 2
    assert server.sent < needed + 6 * 2**17
    assert server.sent < 0.2 * len(server.files["a.fits"])
    assert server.requests < 15
    server.sent = 0
    read_frame(at("ranges/a.fits"), hdu="DQ")
    assert server.sent < SIDE * SIDE * 2 + 6 * 2**17


@pytest.mark.parametrize(
    ("path", "reason"),
    [("ranges/none.fits", "is not there (404)"), ("404/a.fits", "is not there (404)"),
     ("403/a.fits", "the server does not hand it out (403)"), ("401/a.fits", "the server does not hand it out (401)"),
     ("500/a.fits", "the server answers 500"), ("503/a.fits", "the server answers 503"),
     ("dropping/a.fits", "the connection failed"), ("ranges/page.fits", "not a FITS file; it is a web page")],
)  # fmt: skip
def test_refusals(at, path, reason):
    """What the server says, or fails to say, is told in one line."""
    assert reason in refusal(at(path))


def test_silence(at, monkeypatch):
    """A server that stops answering is given up."""
    monkeypatch.setattr(remote, "_ANSWER", 1)
    began = time.monotonic()
    assert "has not answered for 1 s" in refusal(at("silent/a.fits"))
    assert time.monotonic() - began < 10


def test_nobody_there():
    """An address where nobody answers is refused at once."""
    assert "cannot be reached" in refusal("http://127.0.0.1:9/a.fits")


def test_tags(at, capsys):
    """A remote file cannot be tagged, which is said before it is fetched."""
    from astroclf.cli import main

    url = at("ranges/a.fits")
    with pytest.raises(TagError, match="is a remote file; download it and use the copy"):
        write_tags(url, None)
    with pytest.raises(SystemExit):
        main(["tag", url])
    assert f"{url} is a remote file; download it and tag the copy" in capsys.readouterr().err
    for verb in ("show", "verify", "replay", "untag"):
        assert main([verb, url]) == 1
        assert capsys.readouterr().err == f"astroclf: {url}: is a remote file; download it and use the copy\n"


def test_missing_packages(monkeypatch):
    """Without the packages of the extra, the way to install them is said."""
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'astroclf\[remote\]'"):
        read_frame("https://example.org/a.fits")
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(MissingDependencyError, match="reading s3:// needs"):
        read_frame("s3://bucket/a.fits")


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://example.org/data/a.fits", "a.fits"), ("s3://stpubdata/hst/public/j8pu/j8pu0y010/j8pu0y010_drc.fits",
     "j8pu0y010_drc.fits"), ("https://example.org/a.fits.gz?X-Amz-Signature=0123", "a.fits.gz"),
     ("https://mast.stsci.edu/api/v0.1/Download/file?uri=mast:HST/product/j8pu0y010_drc.fits", "j8pu0y010_drc.fits")],
)  # fmt: skip
def test_names(url, name):
    """A remote file is called by the end of its path, or of its query."""
    assert remote.is_url(url)
    assert remote.url_name(url) == name


@pytest.mark.parametrize(
    "name", ["a:b.fits", "http:b.fits", "C:/a.fits", "ftp_a://b.fits", "s3:/a.fits", "://", "s3://"]
)
def test_local_names(name, tmp_path, monkeypatch):
    """A name with colons is that of a local file, unless it begins like an address."""
    monkeypatch.chdir(tmp_path)
    assert not remote.is_url(name)
    with pytest.raises(FrameError, match="does not exist"):
        read_frame(name)
    if "/" not in name:
        fits.PrimaryHDU(picture(30)).writeto(name)
        assert read_frame(name).origin.name == name


# ------------------------------------------------------------------------------------------------ S3


@pytest.fixture(scope="module")
def bucket():
    """Return the endpoint of an S3 server with a public bucket and a private one."""
    pytest.importorskip("s3fs")
    boto3, moto_server = pytest.importorskip("boto3"), pytest.importorskip("moto.server")
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="public")
    client.put_object(Bucket="public", Key="hst/a.fits", Body=exposure(2), ACL="public-read")
    client.put_object(Bucket="public", Key="hst/private.fits", Body=exposure())
    yield endpoint
    server.stop()


@pytest.fixture
def anonymous(bucket, monkeypatch):
    """Let s3fs talk to the server, without credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("anonymous")
def test_s3():
    """A public bucket is read without credentials."""
    frame = read_frame("s3://public/hst/a.fits")
    assert_array_equal(frame.ccd.data, picture())
    assert (frame.origin.name, frame.origin.url) == ("a.fits", "s3://public/hst/a.fits")
    assert "is not there" in refusal("s3://public/hst/none.fits")
    assert "is not there" in refusal("s3://none/hst/a.fits")


@pytest.mark.usefixtures("anonymous")
def test_s3_credentials(monkeypatch):
    """Credentials of the environment, or of fsspec's configuration, are used where there are any."""
    import fsspec

    assert remote._bucket_system().anon
    with monkeypatch.context() as patch:
        patch.setitem(fsspec.config.conf, "s3", {"anon": False})
        assert not remote._bucket_system().anon
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    assert not remote._bucket_system().anon
    assert_array_equal(read_frame("s3://public/hst/private.fits").ccd.data, picture())
