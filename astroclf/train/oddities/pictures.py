# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Pictures of other things than the sky: patterns, pages, charts, prints."""

import string

import numpy as np
from scipy import ndimage

from astroclf.datasets.scenes.drawing import cloud, log_uniform

__all__ = [
    "draw_barcode",
    "draw_chart",
    "draw_circuit",
    "draw_contours",
    "draw_fingerprint",
    "draw_heat_map",
    "draw_logo",
    "draw_maze",
    "draw_scribble",
    "draw_sheet_music",
    "draw_street_map",
    "draw_table",
    "draw_test_pattern",
    "draw_text",
]


def _ink(shape, rng):
    """Return a canvas and its pen: dark on light in most cases, else light on dark; and the colour of the ground."""
    from PIL import Image, ImageDraw

    ground, colour = (255 - rng.integers(0, 40), rng.integers(0, 70))
    if rng.random() < 0.3:
        ground, colour = colour, ground
    image = Image.new("L", shape[::-1], int(ground))
    return image, ImageDraw.Draw(image), int(colour)


def _array(image):
    """Return a canvas as float32 in [0, 1], row 0 at the bottom."""
    return np.asarray(image, np.float32)[::-1] / 255


def _words(rng, count):
    letters = np.array(list(string.ascii_lowercase))
    return ["".join(rng.choice(letters, rng.integers(2, 11))) for _ in range(count)]


def _font(size):
    from PIL import ImageFont

    return ImageFont.load_default(size)


def draw_test_pattern(shape, rng):
    """Draw bars, a checkerboard, a star of rays, steps of grey, or a cross of lines."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    ny, nx = shape
    kind, step = rng.integers(5), log_uniform(rng, 6, 50)
    if kind == 0:
        levels = rng.random(int(rng.integers(5, 12)))
        return levels[(x / nx * len(levels)).astype(int)]
    if kind == 1:
        return (x // step + y // step) % 2
    if kind == 2:
        return 0.5 + 0.5 * np.sign(np.sin(rng.integers(8, 40) * np.arctan2(y - ny / 2, x - nx / 2)))
    if kind == 3:
        steps = rng.integers(4, 16)
        grey = np.floor(x / nx * steps) / (steps - 1)
        return np.where(y > ny / 2, grey, 1 - grey)
    lines = (x % step < 2) | (y % step < 2) | (np.abs(np.hypot(x - nx / 2, y - ny / 2) - 0.4 * min(shape)) < 1.5)
    return lines.astype(np.float32)


def draw_text(shape, rng):
    """Draw a page of words in lines, with a heading."""
    image, pen, colour = _ink(shape, rng)
    size, margin = int(log_uniform(rng, 9, 26)), int(rng.integers(4, 24))
    pen.text((margin, margin), " ".join(_words(rng, 3)), fill=colour, font=_font(int(1.6 * size)))
    for top in range(margin + 2 * size, shape[0] - margin, int(1.35 * size)):
        pen.text((margin, top), " ".join(_words(rng, rng.integers(2, 20))), fill=colour, font=_font(size))
    return _array(image)


def draw_table(shape, rng):
    """Draw a table of numbers with ruled rows and columns."""
    image, pen, colour = _ink(shape, rng)
    size = int(log_uniform(rng, 9, 18))
    height, width = int(size * rng.uniform(1.4, 2.2)), int(size * rng.uniform(3, 6))
    for top in range(2, shape[0], height):
        pen.line((0, top, shape[1], top), fill=colour)
        for left in range(2, shape[1], width):
            pen.text((left + 4, top + 2), f"{rng.normal(0, 50):.{rng.integers(3)}f}", fill=colour, font=_font(size))
    if rng.random() < 0.7:
        for left in range(2, shape[1], width):
            pen.line((left, 0, left, shape[0]), fill=colour)
    return _array(image)


def draw_logo(shape, rng):
    """Draw a few flat shapes and a word, as on a badge."""
    image, pen, colour = _ink(shape, rng)
    ny, nx = shape
    for _ in range(rng.integers(2, 6)):
        grey, half = int(rng.integers(0, 256)), rng.uniform(0.1, 0.35) * min(shape)
        x, y = nx * rng.uniform(0.25, 0.75), ny * rng.uniform(0.25, 0.75)
        box, kind = (x - half, y - half * rng.uniform(0.4, 1), x + half, y + half), rng.integers(4)
        if kind == 0:
            pen.ellipse(box, fill=grey, outline=colour, width=int(rng.integers(0, 8)))
        elif kind == 1:
            pen.rounded_rectangle(box, radius=int(rng.integers(1, 20)), fill=grey)
        elif kind == 2:
            pen.regular_polygon((x, y, half), int(rng.integers(3, 8)), rotation=int(rng.integers(360)), fill=grey)
        else:
            pen.pieslice(box, *sorted(rng.uniform(0, 360, 2)), fill=grey)
    word = rng.choice(_words(rng, 1)).upper()
    pen.text((nx * rng.uniform(0.05, 0.4), ny * rng.uniform(0.1, 0.8)), word, fill=colour, font=_font(min(shape) // 6))
    return _array(image)


def draw_chart(shape, rng):
    """Draw a plot with axes and a legend: lines, bars, dots, a histogram or a pie."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    dpi = rng.uniform(55, 110)
    figure = Figure((shape[1] / dpi, shape[0] / dpi), dpi=dpi, facecolor=str(rng.choice(["white", "white", "black"])))
    axes, kind, x = figure.add_subplot(), rng.integers(5), np.arange(rng.integers(5, 40))
    series = rng.normal(0, 1, (rng.integers(1, 4), x.size)).cumsum(axis=1)
    if kind == 0:
        axes.plot(x, series.T, label=_words(rng, len(series)))
        axes.legend()
    elif kind == 1:
        axes.bar(x, np.abs(series[0]), color=str(rng.uniform(0, 0.7)))
    elif kind == 2:
        axes.scatter(*rng.normal(size=(2, rng.integers(10, 200))), s=rng.uniform(3, 30))
    elif kind == 3:
        axes.hist(rng.gamma(2, 1, 500), bins=int(rng.integers(8, 40)))
    else:
        axes.pie(rng.random(rng.integers(3, 8)) + 0.1)
    axes.set(title=" ".join(_words(rng, 2)), xlabel=_words(rng, 1)[0])
    axes.grid(rng.random() < 0.4)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    grey = np.asarray(canvas.buffer_rgba())[::-1, :, :3].mean(axis=2, dtype=np.float32) / 255
    return _fitted(grey, shape)


def _fitted(image, shape):
    """Return an image in another shape, its pixels the nearest ones."""
    rows, columns = (np.arange(m) * n // m for n, m in zip(image.shape, shape))
    return image[np.ix_(rows, columns)]


def draw_barcode(shape, rng):
    """Draw a bar code, or a square code with its three eyes, on a light ground."""
    if rng.random() < 0.4:
        bars = np.repeat(rng.integers(0, 2, 60), rng.integers(1, 4, 60))[None].repeat(60, axis=0)
    else:
        n = int(rng.integers(21, 45))
        bars = rng.integers(0, 2, (n, n))
        eye = np.pad(
            np.pad(np.pad(np.zeros((3, 3), int), 1, constant_values=1), 1), ((0, 1), (0, 1)), constant_values=1
        )
        bars[:8, :8], bars[:8, -8:], bars[-8:, :8] = eye, eye[:, ::-1], eye[::-1]
    quiet = [int(rng.uniform(0.05, 0.3) * n) for n in shape]
    code = _fitted(bars.astype(np.float32), tuple(n - 2 * q for n, q in zip(shape, quiet)))
    code = np.pad(code, [(q, q) for q in quiet], constant_values=1)
    return ndimage.rotate(code, rng.normal(0, 8), reshape=False, order=1, cval=1).clip(0, 1)


def draw_fingerprint(shape, rng):
    """Draw the ridges of a fingerprint: noise of one wavelength, which flows around a core."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    core = np.array(shape) * rng.uniform(0.35, 0.65, 2)
    radius = np.hypot(y - core[0], (x - core[1]) * rng.uniform(1, 1.5))
    phase = (
        radius / rng.uniform(4, 9) + rng.uniform(0.5, 2) * cloud(shape, rng, 2.2) + np.arctan2(y - core[0], x - core[1])
    )
    ridges = 0.5 + 0.5 * np.tanh(rng.uniform(1, 4) * (np.sin(2 * np.pi * phase / 2) + 0.3 * cloud(shape, rng, 0.5)))
    finger = np.hypot((y / shape[0] - 0.5) / 0.46, (x / shape[1] - 0.5) / rng.uniform(0.3, 0.44)) < 1
    return np.where(finger, ridges, 1.0)


def draw_contours(shape, rng):
    """Draw a map of contour lines, some of them bold."""
    heights = cloud(shape, rng, rng.uniform(2, 2.6), largest=rng.uniform(0.4, 1)) * rng.uniform(2, 7)
    slope = np.maximum(np.hypot(*np.gradient(heights)), 1e-4)
    image = np.ones(shape)
    for every, width in ((1, 0.6), (5, 1.2)):
        away = np.abs((heights / every + 0.5) % 1 - 0.5) * every / slope
        image *= np.clip(away / width - 0.3, 0, 1)
    return image if rng.random() < 0.7 else 1 - image


def draw_circuit(shape, rng):
    """Draw the tracks and pads of a circuit board."""
    image, pen, colour = _ink(shape, rng)
    step = int(rng.integers(8, 20))
    for _ in range(int(rng.integers(15, 60))):
        x, y = (int(rng.integers(0, n // step)) * step for n in shape[::-1])
        path = [(x, y)]
        for _ in range(rng.integers(1, 6)):
            dx, dy = ((1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (1, -1))[rng.integers(6)]
            run = step * int(rng.integers(1, 6))
            path.append((path[-1][0] + dx * run, path[-1][1] + dy * run))
        pen.line(path, fill=colour, width=max(step // 5, 1))
        for px, py in (path[0], path[-1]):
            pen.ellipse((px - step / 3, py - step / 3, px + step / 3, py + step / 3), fill=colour)
    return _array(image)


def draw_heat_map(shape, rng):
    """Draw a matrix of coloured cells, as of correlations, with a bar that explains them."""
    n = int(log_uniform(rng, 5, 40))
    values = rng.normal(size=(n, 3 * n))
    cells = np.abs(np.corrcoef(values + rng.uniform(0, 2) * rng.normal(size=(n, 1)) * rng.normal(size=3 * n)))
    image, edge = np.ones(shape, np.float32), int(0.06 * min(shape))
    room = (shape[0] - 2 * edge, int(0.8 * shape[1]) - edge)
    image[edge : edge + room[0], edge : edge + room[1]] = _fitted(cells, room)
    image[edge:-edge, int(0.88 * shape[1]) : int(0.94 * shape[1])] = np.linspace(0, 1, shape[0] - 2 * edge)[:, None]
    return image if rng.random() < 0.7 else 1 - image


def draw_sheet_music(shape, rng):
    """Draw staves with notes, stems and bars."""
    image, pen, colour = _ink(shape, rng)
    gap = int(rng.integers(4, 9))
    for top in range(3 * gap, shape[0] - 5 * gap, 10 * gap):
        for line in range(5):
            pen.line((gap, top + line * gap, shape[1] - gap, top + line * gap), fill=colour)
        for left in range(3 * gap, shape[1] - 2 * gap, int(gap * rng.uniform(2, 5))):
            height = top + gap * int(rng.integers(-1, 10)) / 2
            if rng.random() < 0.15:
                pen.line((left, top, left, top + 4 * gap), fill=colour)
                continue
            filled = colour if rng.random() < 0.7 else None
            pen.ellipse((left, height - gap / 2, left + 1.3 * gap, height + gap / 2), fill=filled, outline=colour)
            x, stem = (left, 3.5 * gap) if height < top + 2 * gap else (left + 1.3 * gap, -3.5 * gap)
            pen.line((x, height, x, height + stem), fill=colour)
    return _array(image)


def draw_street_map(shape, rng):
    """Draw a town as maps show it: parks and water, streets of several widths and ways, and their names."""
    image, pen, colour = _ink(shape, rng)
    ground, side, way = image.getpixel((0, 0)), max(shape), rng.uniform(0, np.pi)
    for _ in range(rng.integers(1, 6)):
        (x, y), (wide, high) = rng.random(2) * shape[::-1], rng.uniform(0.05, 0.2, 2) * side
        pen.rounded_rectangle((x, y, x + wide, y + high), 0.3 * high, fill=int(rng.uniform(0.3, 0.9) * ground) + 20)
    for _ in range(int(log_uniform(rng, 15, 60))):
        turn = way + np.pi / 2 * rng.integers(2) + rng.normal(0, 0.1)
        bends = turn + ndimage.gaussian_filter1d(rng.normal(0, 0.2, 60), 8).cumsum() * rng.integers(2)
        path = np.stack([np.cos(bends), np.sin(bends)], axis=1).cumsum(axis=0) * side / 30
        path = [tuple(point) for point in (path - path[30] + rng.random(2) * shape[::-1]).tolist()]
        width = int(rng.choice([3, 3, 5, 9]))
        pen.line(path, fill=colour, width=width, joint="curve")
        pen.line(path, fill=ground, width=width - 2, joint="curve")
        if rng.random() < 0.3:
            pen.text(path[30], _words(rng, 1)[0], fill=colour, font=_font(int(rng.integers(8, 14))))
    return _array(image)


def draw_scribble(shape, rng):
    """Draw strokes of a pen that wander: loops, signatures, roads."""
    image, pen, colour = _ink(shape, rng)
    width, smooth = max(int(rng.uniform(0.003, 0.02) * min(shape)), 1), log_uniform(rng, 4, 30)
    for _ in range(int(log_uniform(rng, 1, 25))):
        count = int(log_uniform(rng, 30, 400))
        heading = ndimage.gaussian_filter1d(rng.normal(size=count), smooth) * 2 * np.sqrt(smooth)
        heading = heading.cumsum() * rng.uniform(0.05, 0.4) + rng.uniform(0, 2 * np.pi)
        steps = rng.uniform(1.5, 5) * np.stack([np.cos(heading), np.sin(heading)], axis=1)
        path = steps.cumsum(axis=0) + rng.random(2) * shape[::-1]
        pen.line([tuple(point) for point in path.tolist()], fill=colour, width=width, joint="curve")
    return _array(image)


def draw_maze(shape, rng):
    """Draw a maze: walls around paths that a walk dug, which turns back where it cannot go on."""
    ny, nx = (max(int(n / rng.uniform(8, 20)), 4) for n in shape)
    open_cells, cell = np.zeros((2 * ny + 1, 2 * nx + 1), np.float32), (0, 0)
    open_cells[1, 1], way = 1, [cell]
    while way:
        y, x = way[-1]
        for dy, dx in rng.permutation([(0, 1), (1, 0), (0, -1), (-1, 0)]):
            v, u = y + dy, x + dx
            if 0 <= v < ny and 0 <= u < nx and not open_cells[2 * v + 1, 2 * u + 1]:
                open_cells[2 * v + 1, 2 * u + 1] = open_cells[y + v + 1, x + u + 1] = 1
                way.append((v, u))
                break
        else:
            way.pop()
    maze = _fitted(open_cells, shape)
    return maze if rng.random() < 0.7 else 1 - maze
