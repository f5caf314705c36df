"""The pictures of the demo, drawn here: ceilings, receipts, plans ... each the same for the same variant."""

import base64
from functools import cache
from io import BytesIO
from math import cos, pi, sin
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

INK = (38, 42, 48)
SOFT = (120, 126, 134)
PAPER = (252, 251, 247)
# kind: media type. Each of the types that we keep is there, but for gif.
FORMATS = {
    "ceiling": "jpeg", "mould": "jpeg", "meter": "jpeg", "invoice": "jpeg", "receipt": "png",
    "plan": "png", "chart": "png", "label": "webp", "display": "webp",
}  # fmt: skip
VARIANTS = 3


@cache
def data_uri(kind: str, variant: int) -> str:
    """The drawing as a data URI, as callers send pictures."""
    media = FORMATS[kind]
    file = BytesIO()
    options = {"png": {"compress_level": 4}, "jpeg": {"quality": 82}, "webp": {"quality": 80, "method": 2}}[media]
    draw(kind, variant).save(file, media.upper(), **options)
    return f"data:image/{media};base64,{base64.b64encode(file.getvalue()).decode()}"


def draw(kind: str, variant: int) -> Image.Image:
    """One drawing, 640 to 1000 pixels wide."""
    image = DRAWERS[kind](Random(f"{kind} {variant}"))
    return image.quantize(64, Image.Quantize.FASTOCTREE, dither=0) if FORMATS[kind] == "png" else image.convert("RGB")


@cache
def _font(size):
    return ImageFont.load_default(size)  # Pillow's own, so that it looks the same everywhere


def _canvas(width, height, colour):
    image = Image.new("RGB", (width, height), colour)
    return image, ImageDraw.Draw(image)


def _grain(rng, image, strength):
    """The image with the unevenness of a wall or a photograph."""
    noise = Image.frombytes("L", (240, 180), rng.randbytes(43_200)).resize(image.size, Image.Resampling.BICUBIC)
    return Image.blend(image, Image.merge("RGB", [noise] * 3), strength)


def _stain(rng, size, centre, radius, colour, strength):
    """A layer with one ragged blot, and its mask."""
    mask = Image.new("L", (size[0] // 3, size[1] // 3))  # blurred anyway, and a ninth of the work
    steps, wobble = 40, [rng.uniform(0.78, 1.18) for _ in range(10)]
    points = []
    for step in range(steps):
        angle = 2 * pi * step / steps
        place = step / steps * 10
        low = int(place)
        reach = radius * (wobble[low] + (wobble[(low + 1) % 10] - wobble[low]) * (place - low))
        points.append(((centre[0] + reach * cos(angle)) / 3, (centre[1] + 0.6 * reach * sin(angle)) / 3))
    ImageDraw.Draw(mask).polygon(points, fill=strength)
    mask = mask.filter(ImageFilter.GaussianBlur(radius / 54)).resize(size, Image.Resampling.BILINEAR)
    return Image.new("RGB", size, colour), mask


def ceiling(rng):
    """The corner of a room from below, with a water stain and a lamp."""
    image, pen = _canvas(900, 640, (236, 232, 222))
    horizon = rng.randint(330, 390)
    pen.polygon([(0, horizon - 60), (430, horizon), (900, horizon - 90), (900, 640), (0, 640)], fill=(214, 210, 198))
    pen.polygon([(430, horizon), (900, horizon - 90), (900, 640), (430, 640)], fill=(201, 197, 186))
    pen.line([(0, horizon - 60), (430, horizon), (900, horizon - 90)], fill=(247, 245, 238), width=9)
    centre, reach = (rng.randint(280, 600), rng.randint(130, 190)), rng.randint(140, 215)
    for part, colour, strength in [(1, (168, 128, 72), 120), (0.9, (226, 206, 166), 150), (0.66, (164, 121, 66), 110),
                                   (0.58, (216, 190, 144), 150), (0.3, (140, 98, 52), 130)]:  # fmt: skip
        image.paste(*_stain(rng, image.size, centre, reach * part, colour, strength))
    pen = ImageDraw.Draw(image)
    for _ in range(rng.randint(1, 3)):
        x = centre[0] + rng.randint(-60, 60)
        pen.line(
            [(x, centre[1] + 60), (x + rng.randint(-6, 6), horizon + rng.randint(30, 150))],
            fill=(176, 144, 96),
            width=3,
        )
    lamp = rng.choice([130, 770])
    pen.line([(lamp, 0), (lamp, 250)], fill=INK, width=4)
    pen.pieslice(
        [lamp - 70, 215, lamp + 70, 345], 180, 360, fill=rng.choice([(70, 92, 120), (150, 60, 50), (60, 100, 84)])
    )
    pen.ellipse([lamp - 18, 268, lamp + 18, 300], fill=(255, 246, 214))
    return _grain(rng, image, 0.05)


def mould(rng):
    """A cold corner with dark spots, more of them near the edge, and a skirting board."""
    image, pen = _canvas(840, 640, rng.choice([(226, 224, 214), (214, 224, 226), (230, 220, 210)]))
    edge = rng.randint(300, 540)
    pen.polygon([(edge, 0), (840, 0), (840, 640), (edge, 520)], fill=(205, 203, 195))
    pen.polygon([(0, 560), (edge, 520), (840, 580), (840, 640), (0, 640)], fill=(146, 112, 78))
    pen.line([(0, 548), (edge, 508), (840, 568)], fill=(248, 246, 240), width=22)
    spots = Image.new("L", image.size)
    dots = ImageDraw.Draw(spots)
    for _ in range(520):
        x, y, size = rng.gauss(edge, 75), 500 - abs(rng.gauss(0, 130)), rng.uniform(1.5, 9) * rng.random() + 1.5
        dots.ellipse([x - size, y - size, x + size, y + size], fill=rng.randint(90, 215))
    image.paste(Image.new("RGB", image.size, (44, 48, 42)), mask=spots.filter(ImageFilter.GaussianBlur(2)))
    return _grain(rng, image, 0.06)


def meter(rng):
    """A round water meter with its number."""
    image, pen = _canvas(720, 640, (96, 104, 110))
    pen.rectangle([0, 300, 720, 380], fill=(176, 112, 64))
    pen.rectangle([0, 312, 720, 326], fill=(214, 156, 104))
    pen.ellipse([110, 70, 610, 570], fill=(188, 152, 74))
    pen.ellipse([140, 100, 580, 540], fill=(248, 248, 244))
    for step in range(100):
        angle, inner = 2 * pi * step / 100, 196 if step % 10 else 184
        ends = [(360 + r * cos(angle), 320 + r * sin(angle)) for r in (inner, 208)]
        pen.line(ends, fill=SOFT, width=2)
    for place, digit in enumerate(f"{rng.randrange(20000, 90000):05d}{rng.randrange(1000):03d}"):
        x = 196 + place * 42
        pen.rectangle([x, 210, x + 38, 268], fill=INK if place < 5 else (190, 40, 40))
        pen.text((x + 19, 240), digit, font=_font(44), fill="white", anchor="mm")
    pen.text((360, 180), "cubic m", font=_font(30), fill=INK, anchor="mm")
    pen.text((360, 480), f"ALDER {rng.randrange(100, 999)} · Q3 2,5", font=_font(20), fill=SOFT, anchor="mm")
    for x, y in [(280, 370), (440, 370), (360, 420)]:
        angle = rng.uniform(0, 2 * pi)
        pen.ellipse([x - 40, y - 40, x + 40, y + 40], outline=(190, 40, 40), width=3)
        pen.line([(x, y), (x + 34 * cos(angle), y + 34 * sin(angle))], fill=(190, 40, 40), width=5)
    glare = Image.new("L", image.size)
    ImageDraw.Draw(glare).polygon([(180, 130), (300, 110), (220, 330), (150, 330)], fill=110)
    image.paste(Image.new("RGB", image.size, "white"), mask=glare.filter(ImageFilter.GaussianBlur(24)))
    return image


def _slip(rng, title, lines, foot):
    """A printed slip of paper on a table, a little askew."""
    height = 250 + 44 * len(lines)
    paper, pen = _canvas(440, height, PAPER)
    pen.text((220, 46), title, font=_font(30), fill=INK, anchor="mm")
    pen.text((220, 84), foot, font=_font(18), fill=SOFT, anchor="mm")
    pen.line([(30, 112), (410, 112)], fill=SOFT, width=2)
    for row, (what, cents) in enumerate(lines):
        y = 142 + row * 44
        pen.text((30, y), what, font=_font(21), fill=INK, anchor="lm")
        pen.text((410, y), f"{cents / 100:.2f}", font=_font(21), fill=INK, anchor="rm")
    y = 142 + len(lines) * 44
    pen.line([(30, y - 16), (410, y - 16)], fill=SOFT, width=2)
    pen.text((30, y + 18), "TOTAL EUR", font=_font(28), fill=INK, anchor="lm")
    pen.text((410, y + 18), f"{sum(cents for _, cents in lines) / 100:.2f}", font=_font(28), fill=INK, anchor="rm")
    for x in range(60, 380, 5):
        pen.rectangle([x, y + 52, x + rng.choice([0, 1, 2]), y + 90], fill=INK)
    table, wood = _canvas(720, 900, rng.choice([(104, 78, 56), (72, 84, 92), (128, 104, 78)]))
    for y in range(0, 900, 90):
        wood.line([(0, y), (720, y + rng.randint(-8, 8))], fill=(88, 68, 50), width=2)
    turned = paper.convert("RGBA").rotate(rng.uniform(-4, 4), Image.Resampling.BICUBIC, expand=True)
    place = ((720 - turned.width) // 2, (900 - turned.height) // 2)
    shade = turned.getchannel("A").filter(ImageFilter.GaussianBlur(10))
    table.paste(Image.new("RGB", turned.size, (40, 32, 26)), (place[0] + 10, place[1] + 14), shade)
    table.paste(turned, place, turned)
    return table


def receipt(rng):
    """A till slip of a hardware shop, with one thing on it that isn't hardware."""
    goods = [
        ("Wall paint, white 10 l", 4290), ("Roller and tray", 1195), ("Masking tape 50 m", 449), ("Dust sheet", 329),
        ("Flower box, clay", 1690), ("Potting soil 40 l", 899), ("Screws 4x40", 575),
    ]  # fmt: skip
    lines = rng.sample(goods, rng.randint(3, 5)) + [rng.choice([("Chocolate 200 g", 279), ("Butter biscuits", 199)])]
    day = f"{rng.randint(1, 28):02d}.{rng.randint(1, 12):02d}. {rng.randint(9, 18)}:{rng.randint(10, 59)}"
    return _slip(rng, rng.choice(["NAIL & PLANK", "THE TOOLSHED", "BOLTS ETC."]), lines, f"Quay Street 11 · {day}")


def invoice(rng):
    """The invoice of an emergency plumber."""
    lines = [("Call-out, night", 9500), (f"Work {rng.randint(1, 3)} h", rng.randrange(9800, 21000, 100)),
             ("Joint 15 mm", 1240), ("Sealing, small parts", 685), ("VAT", rng.randrange(2400, 4900))]  # fmt: skip
    return _slip(rng, "TIDEWATER PLUMBING", lines, f"Invoice {rng.randrange(20000, 30000)} · paid")


def plan(rng):
    """A floor plan with the size of each room, drawn as architects do."""
    image, pen = _canvas(960, 720, "white")
    split, middle, kitchen = rng.randint(470, 560), rng.randint(330, 390), rng.randint(250, 310)
    rooms = {
        "Living room": (70, 70, split, middle), "Bedroom 1": (split, 70, 890, middle),
        "Kitchen": (70, middle, kitchen + 70, 600), "Hall": (kitchen + 70, middle, split, 600),
        "Bath": (split, middle, split + 150, 600), "Bedroom 2": (split + 150, middle, 890, 600),
    }  # fmt: skip
    for name, (left, top, right, bottom) in rooms.items():
        pen.rectangle(
            [left, top, right, bottom],
            outline=INK,
            width=5,
            fill=(250, 250, 248) if name != "Bath" else (236, 243, 248),
        )
        x, y = (left + right) / 2, (top + bottom) / 2
        area = (right - left) * (bottom - top) / 8100
        pen.text((x, y - 14), name, font=_font(23), fill=INK, anchor="mm")
        pen.text((x, y + 16), f"{area:.1f} sq m", font=_font(20), fill=SOFT, anchor="mm")
    pen.rectangle([70, 70, 890, 600], outline=INK, width=13)
    pen.line([(kitchen + 70, middle), (kitchen + 70, 600)], fill=INK, width=11)
    for x, y, start in [
        (split - 90, middle, 0),
        (split + 40, middle, 0),
        (split + 190, middle, 0),
        (kitchen + 130, 600, 180),
    ]:
        pen.line([(x, y), (x + (62 if start == 0 else -62), y)], fill="white", width=15)
        pen.arc([x - 62, y - 62, x + 62, y + 62], start, start + 90, fill=SOFT, width=2)
        pen.line([(x, y), (x, y + (62 if start == 0 else -62))], fill=SOFT, width=3)
    for x in (rng.randint(160, 240), rng.randint(640, 720)):
        pen.rectangle([x, 64, x + 130, 76], fill="white", outline=INK, width=2)
    pen.rectangle([110, 600, kitchen + 30, 670], outline=SOFT, width=3)
    pen.text(
        ((140 + kitchen) / 2, 636), f"Balcony {(kitchen - 80) * 70 / 8100:.1f}", font=_font(19), fill=SOFT, anchor="mm"
    )
    pen.polygon([(860, 40), (848, 66), (872, 66)], fill=INK)
    pen.text((832, 54), "N", font=_font(22), fill=INK, anchor="mm")
    pen.text(
        (890, 690),
        f"Alder Row {2 * rng.randint(1, 12)} · type {rng.choice('ABC')} · 1:100",
        font=_font(18),
        fill=SOFT,
        anchor="rm",
    )
    return image


def chart(rng):
    """Heating by month: the flat beside the average of the house."""
    image, pen = _canvas(960, 600, "white")
    dark, light = rng.choice(
        [((36, 92, 160), (182, 206, 234)), ((20, 112, 96), (178, 220, 208)), ((150, 78, 24), (240, 208, 176))]
    )
    pen.text((60, 44), "Heating, kWh a month", font=_font(30), fill=INK, anchor="lm")
    average = [round(value * rng.uniform(0.92, 1.08)) for value in (40, 260, 430, 610, 640, 560, 420, 240)]
    own = [
        round(value * (rng.uniform(0.94, 1.04) if place < 3 else rng.uniform(1.15, 1.3)))
        for place, value in enumerate(average)
    ]
    for level in range(0, 1000, 200):
        y = 520 - level * 0.5
        pen.line([(60, y), (920, y)], fill=(226, 228, 232), width=2)
        pen.text((52, y), str(level), font=_font(17), fill=SOFT, anchor="rm")
    for place, month in enumerate(("Sep", "Oct", "Nov", "Dec", "Jan", "Feb", "Mar", "Apr")):
        x = 90 + place * 104
        pen.rounded_rectangle([x, 520 - own[place] * 0.5, x + 36, 520], 4, fill=dark)
        pen.rounded_rectangle([x + 40, 520 - average[place] * 0.5, x + 76, 520], 4, fill=light)
        pen.text((x + 38, 544), month, font=_font(19), fill=INK, anchor="mm")
    for x, colour, name in [(560, dark, "Your flat"), (730, light, "House average")]:
        pen.rounded_rectangle([x, 34, x + 22, 56], 4, fill=colour)
        pen.text((x + 32, 45), name, font=_font(19), fill=INK, anchor="lm")
    return image


def label(rng):
    """A bottle of cleaner with its printed label."""
    image, pen = _canvas(640, 800, (222, 226, 222))
    tone = rng.choice([(38, 116, 132), (128, 52, 92), (186, 110, 26), (58, 108, 60)])
    pen.rectangle([0, 640, 640, 800], fill=(176, 168, 154))
    pen.ellipse([150, 700, 520, 760], fill=(150, 142, 130))
    pen.rounded_rectangle([270, 60, 370, 150], 14, fill=INK)
    pen.polygon([(275, 140), (365, 140), (480, 270), (160, 270)], fill=tone)
    pen.rounded_rectangle([160, 240, 480, 730], 36, fill=tone)
    pen.rounded_rectangle([180, 310, 460, 670], 10, fill=PAPER)
    name = rng.choice(["KALKA", "BRINE", "STEINLUX", "TIDE 7"])
    pen.text((320, 350), name, font=_font(46), fill=tone, anchor="mm")
    pen.text(
        (320, 392),
        rng.choice(["for stone and ceramic", "descaler, strong", "bath and tile"]),
        font=_font(20),
        fill=INK,
        anchor="mm",
    )
    pen.polygon([(236, 420), (280, 464), (236, 508), (192, 464)], outline=(200, 30, 30), fill="white", width=6)
    pen.text((236, 464), "!", font=_font(46), fill=INK, anchor="mm")
    for row, text in enumerate(["Contains citric acid 12 %", "Keep from children.", "Not with bleach."]):
        pen.text((292, 436 + row * 26), text, font=_font(14), fill=INK, anchor="lm")
    for row in range(7):
        pen.line([(196, 540 + row * 13), (444 - rng.randint(0, 90), 540 + row * 13)], fill=SOFT, width=3)
    pen.text((320, 648), f"{rng.choice([500, 750, 1000])} ml", font=_font(22), fill=INK, anchor="mm")
    pen.rounded_rectangle([176, 260, 196, 700], 8, fill=tuple(min(255, part + 50) for part in tone))
    return image


def display(rng):
    """The display of a flat's heating station, with a code."""
    image, pen = _canvas(800, 640, (228, 226, 220))
    pen.rounded_rectangle([90, 80, 710, 560], 28, fill=(246, 246, 244), outline=(196, 196, 192), width=4)
    pen.rounded_rectangle([150, 140, 650, 400], 16, fill=rng.choice([(28, 40, 38), (30, 36, 52)]))
    glow = rng.choice([(255, 186, 84), (136, 226, 190)])
    pen.text((180, 182), "SUPPLY", font=_font(24), fill=glow, anchor="lm")
    pen.text((400, 262), f"{rng.randint(48, 62)}.{rng.randint(0, 9)} °C", font=_font(88), fill=glow, anchor="mm")
    pen.text((400, 358), f"E{rng.choice([21, 24, 37])}  LOW FLOW", font=_font(34), fill=glow, anchor="mm")
    for place, on in enumerate([False, True, False]):
        x = 250 + place * 150
        pen.ellipse([x - 26, 452, x + 26, 504], fill=(255, 176, 32) if on else (206, 206, 202), outline=SOFT, width=3)
    pen.text((400, 534), "OK       SERVICE       FAULT", font=_font(18), fill=SOFT, anchor="mm")
    return _grain(rng, image, 0.03)


DRAWERS = {
    "ceiling": ceiling, "mould": mould, "meter": meter, "invoice": invoice, "receipt": receipt,
    "plan": plan, "chart": chart, "label": label, "display": display,
}  # fmt: skip
