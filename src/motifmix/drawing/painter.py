"""A small painter that always works: the mannequin on a floor, by numpy and Pillow alone. The same scene, the same bits.

Triangles are sorted by depth and drawn as *numbers* by Pillow at twice the size; numpy then shades the covered pixels by
interpolating vertex colours (Gouraud), so that a frame costs tens of milliseconds. The floor is a checker computed per
pixel and filtered by its own footprint; shadows are thick bones, projected along the light into a floor-sized picture,
blurred, and brought onto the screen by a homography. The camera keeps its direction and glides after the people.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from motifmix.drawing import mannequin as body
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot
from motifmix.motion.contacts import floor_height
from motifmix.motion.retargeting import retarget

SUPERSAMPLING = 2  # pixels a side, averaged by hand in _fill
FIELD_OF_VIEW = np.radians(30.0)  # vertical
MARGIN = 0.16  # metres kept free around joints: the body is thicker than its bones
GLIDE = 0.6  # seconds: standard deviation of the smoothing of the camera's path
FLOOR_SLACK = 0.10  # metres: a floor found nearer to zero than this is taken to be zero

SKY, HORIZON, FLOOR, TILE = (
    np.array(c) / 255.0 for c in ((226, 231, 238), (241, 242, 243), (220, 219, 216), (206, 206, 204))
)
KEY_LIGHT = np.array([-0.42, 0.84, 0.34])  # towards the light, in the camera's own axes: right, up, back
SHADOW_STRENGTH = 0.42

_BONES = (  # joint, joint or end, thickness in metres: what casts the shadow
    ("pelvis", "spine2", 0.27), ("spine2", "neck", 0.29), ("left_hip", "right_hip", 0.22), ("left_collar", "left_shoulder", 0.16),
    ("right_collar", "right_shoulder", 0.16), ("neck", "head", 0.13), ("head", None, 0.18),
    ("left_hip", "left_knee", 0.16), ("right_hip", "right_knee", 0.16), ("left_knee", "left_ankle", 0.11),
    ("right_knee", "right_ankle", 0.11), ("left_ankle", "left_foot", 0.09), ("right_ankle", "right_foot", 0.09),
    ("left_foot", None, 0.09), ("right_foot", None, 0.09), ("left_shoulder", "left_elbow", 0.10),
    ("right_shoulder", "right_elbow", 0.10), ("left_elbow", "left_wrist", 0.08), ("right_elbow", "right_wrist", 0.08),
    ("left_wrist", None, 0.07), ("right_wrist", None, 0.07),
)  # fmt: skip
_SHADOW_CELLS, _SHADOW_SIZE = 320, 4.0  # pixels and metres of a person's shadow picture


@dataclass(frozen=True)
class View:
    """Size of the picture in pixels and where the camera stands: angles in radians, ``azimuth`` from the people's front."""

    width: int = 640
    height: int = 480
    azimuth: float = np.radians(32.0)
    elevation: float = np.radians(12.0)


class Painter:
    """Draws the frames of a scene. People on other skeletons are retargeted to the motifmix skeleton first.

    The camera stands where everybody is seen in every frame, and no nearer than ``least_distance``; ``distance`` (both
    in metres) says where it came to stand, so that figures in several pictures can be drawn at one size.
    """

    def __init__(
        self,
        scene: Scene | Motion,
        view: View | None = None,
        floor: float | None = None,
        figure: body.Mannequin | None = None,
        least_distance: float = 2.5,
    ) -> None:
        people = scene.people if isinstance(scene, Scene) else (scene,)
        self.people = tuple(p if p.skeleton.same_as(MOTIFMIX) else retarget(p, MOTIFMIX)[0] for p in people)
        self.view = view or View()
        self.frame_count = max(person.frames for person in self.people)
        self.fps = self.people[0].fps
        self.floor = _floor_under(self.people) if floor is None else floor
        self._mannequin = figure or body.load()
        self._aim(least_distance)
        self._prepare_floor()

    def frames(self) -> Iterator[np.ndarray]:
        """Yield every frame as ``[height, width, 3]`` bytes."""
        return (self.frame(number) for number in range(self.frame_count))

    def frame(self, number: int) -> np.ndarray:
        """Draw one frame, ``[height, width, 3]`` bytes; a person whose motion is over holds the last pose."""
        eye = self._eyes[number]
        picture = self._floor_picture(eye)
        shadow = self._shadow(number, eye)
        dark = np.flatnonzero(shadow.any(axis=1))
        if len(dark):
            rows = slice(dark[0], dark[-1] + 1)
            picture[rows] *= (1.0 - SHADOW_STRENGTH * shadow[rows])[..., None]
        self._draw_people(picture, number, eye)
        picture *= 255.0
        picture += 0.5
        return np.clip(picture, 0.0, 255.5, out=picture).astype(np.uint8)

    # --- camera

    def _aim(self, least_distance: float) -> None:
        """Fix the camera's axes, its path ``[T, 3]`` and its focal length in pixels."""
        view, count = self.view, self.frame_count
        spots = np.stack([_held(_outline(p), count) for p in self.people], axis=1)  # [T, P, K, 3]
        low, high = spots.min(axis=(1, 2)), spots.max(axis=(1, 2))
        target = _smooth((low + high) / 2.0, GLIDE * self.fps)
        top = high[:, 1].max()
        target[:, 1] = self.floor + 0.47 * max(top - self.floor, 1.0)
        ahead = _facing(self.people) + view.azimuth
        level = np.array([np.sin(ahead), 0.0, np.cos(ahead)])
        back = level * np.cos(view.elevation) + np.array([0.0, np.sin(view.elevation), 0.0])
        right = np.cross([0.0, 1.0, 0.0], level)
        self._axes = np.stack([right, np.cross(back, right), back])  # rows: right, up, back
        self._focal = view.height / 2.0 / np.tan(FIELD_OF_VIEW / 2.0)
        seen = (spots - target[:, None, None]) @ self._axes.T
        reach = np.abs(seen[..., :2]) + MARGIN
        room = np.array([view.width, view.height]) / 2.0 / self._focal
        self.distance = max(float((reach / room + seen[..., 2:]).max()), least_distance)
        self._eyes = target + back * self.distance

    def _to_screen(self, points: np.ndarray, eye: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return screen positions ``[..., 2]`` in pixels and distances along the view ``[...]``."""
        seen = (points - eye) @ self._axes.T
        depth = np.maximum(-seen[..., 2], 0.05)
        middle = np.array([self.view.width, self.view.height]) / 2.0
        return middle + seen[..., :2] * np.array([1.0, -1.0]) * (self._focal / depth)[..., None], depth

    # --- floor and shadow

    def _prepare_floor(self) -> None:
        """Find, for every pixel, where its ray meets the floor relative to the eye; the camera's height never changes."""
        view = self.view
        across = (np.arange(view.width) + 0.5 - view.width / 2.0) / self._focal
        up = -(np.arange(view.height) + 0.5 - view.height / 2.0) / self._focal
        rays = across[None, :, None] * self._axes[0] + up[:, None, None] * self._axes[1] - self._axes[2]
        height = self._eyes[0, 1] - self.floor
        far = height / np.maximum(-rays[..., 1], 1e-4)
        distance = np.where(rays[..., 1] < 0, far, np.inf)
        self._below = (rays[..., 1] < 0).astype(np.float32)  # the homography also maps what lies above the horizon
        self._spots = (rays[..., [0, 2]] * far[..., None]).astype(np.float32)
        haze = np.exp(-((distance / 13.0) ** 2)).astype(np.float32)
        rise = np.clip(up * 2.2 + 0.5, 0.0, 1.0)[:, None, None]
        sky = np.broadcast_to(HORIZON * (1 - rise) + SKY * rise, (view.height, view.width, 3))
        self._plain = (sky * (1 - haze[..., None]) + (FLOOR + TILE) / 2 * haze[..., None]).astype(np.float32)
        # Half a tile's contrast, gone where a pixel covers more than a tile.
        footprint = distance**2 / (self._focal * height)
        sharp = np.clip(1.0 / np.maximum(np.pi * footprint, 1e-3), 0.6, 60.0)
        self._sharp = np.where(np.isfinite(sharp), sharp, 0.6).astype(np.float32)
        self._contrast = (haze * np.clip(1.6 - 3.0 * footprint, 0.0, 1.0)).astype(np.float32)[..., None] * (
            (FLOOR - TILE) / 2
        ).astype(np.float32)

    def _floor_picture(self, eye: np.ndarray) -> np.ndarray:
        waves = np.sin(np.pi * (self._spots + np.mod(eye[[0, 2]], 2.0).astype(np.float32)))
        waves = np.clip(waves * self._sharp[..., None], -1.0, 1.0)
        return self._plain + (waves[..., 0] * waves[..., 1])[..., None] * self._contrast

    def _shadow(self, number: int, eye: np.ndarray) -> np.ndarray:
        """Return how dark the floor is at every pixel, 0 to 1."""
        whole = np.zeros((self.view.height, self.view.width), np.float32)
        light = KEY_LIGHT @ self._axes
        slope = light[[0, 2]] / light[1] * 0.8
        for person in self.people:
            frame = min(number, person.frames - 1)
            middle = person.joints[frame, 0, [0, 2]] - slope * (person.joints[frame, 0, 1] - self.floor) * 0.5
            picture = self._shadow_picture(person, frame, middle, slope)
            picture = picture.transform(
                (self.view.width, self.view.height),
                Image.Transform.PERSPECTIVE,
                self._screen_to_shadow(middle, eye),
                Image.Resampling.BILINEAR,
            )
            np.maximum(whole, np.asarray(picture, np.float32) / 255.0, out=whole)
        return whole * self._below

    def _shadow_picture(self, person: Motion, frame: int, middle: np.ndarray, slope: np.ndarray) -> Image.Image:
        """Draw a person's bones onto the floor; what is high above it is paler and softer."""
        scale = _SHADOW_CELLS / _SHADOW_SIZE
        layers = [Image.new("L", (_SHADOW_CELLS, _SHADOW_CELLS)) for _ in range(2)]
        pens = [ImageDraw.Draw(layer) for layer in layers]
        for first, second, thickness in _BONES:
            joint = MOTIFMIX.index(first)
            a = person.joints[frame, joint]
            b = person.ends[joint][frame] if second is None else person.joints[frame, MOTIFMIX.index(second)]
            heights = np.array([a[1], b[1]]) - self.floor
            pen, shade = (pens[0], 255) if heights.mean() < 0.45 else (pens[1], 225)
            flat = np.stack([a[[0, 2]], b[[0, 2]]]) - slope * heights[:, None]
            (ax, ay), (bx, by) = (flat - middle) * scale + _SHADOW_CELLS / 2.0
            radius = thickness * scale / 2.0
            pen.line((ax, ay, bx, by), fill=shade, width=max(round(2 * radius), 1))
            for x, y in ((ax, ay), (bx, by)):
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shade)
        near = np.asarray(layers[0].filter(ImageFilter.GaussianBlur(2.5)), np.float32)
        high = np.asarray(layers[1].filter(ImageFilter.GaussianBlur(8.0)), np.float32)
        return Image.fromarray(np.maximum(near, high).astype(np.uint8))

    def _screen_to_shadow(self, middle: np.ndarray, eye: np.ndarray) -> tuple[float, ...]:
        """Return Pillow's eight numbers: screen pixel to shadow pixel, through the floor."""
        scale, half = _SHADOW_CELLS / _SHADOW_SIZE, _SHADOW_CELLS / 2.0
        floor_to_view = np.stack(
            [self._axes[:, 0], self._axes[:, 2], self._axes @ (np.array([0.0, self.floor, 0.0]) - eye)], axis=1
        )
        lens = np.array(
            [
                [self._focal, 0.0, -self.view.width / 2.0],
                [0.0, -self._focal, -self.view.height / 2.0],
                [0.0, 0.0, -1.0],
            ]
        )
        to_texture = np.array(
            [[scale, 0.0, half - middle[0] * scale], [0.0, scale, half - middle[1] * scale], [0.0, 0.0, 1.0]]
        )
        homography = to_texture @ np.linalg.inv(lens @ floor_to_view)
        homography = homography / homography[2, 2]
        return tuple(float(x) for x in homography.ravel()[:8])

    # --- people

    def _draw_people(self, picture: np.ndarray, number: int, eye: np.ndarray) -> None:
        """Shade the mannequins into ``picture``."""
        faces, points, depths, tones = [], [], [], []
        for order, person in enumerate(self.people):
            vertices = self._mannequin.posed(person, min(number, person.frames - 1))
            place, depth = self._to_screen(vertices, eye)
            faces.append(self._mannequin.faces + sum(map(len, points)))
            points.append(place)
            depths.append(depth)
            tones.append(self._shaded(vertices, eye, self._mannequin.tinted(order)))
        _fill(picture, np.concatenate(points), np.concatenate(depths), np.concatenate(faces), np.concatenate(tones))

    def _shaded(self, vertices: np.ndarray, eye: np.ndarray, colours: np.ndarray) -> np.ndarray:
        """Return a colour for every vertex: a warm key light, a cool sky, a little light from the floor and along rims."""
        normals = self._mannequin.normals(vertices)
        light = KEY_LIGHT @ self._axes
        light = light / np.linalg.norm(light)
        towards_eye = eye - vertices
        towards_eye /= np.linalg.norm(towards_eye, axis=1, keepdims=True)
        facing = np.clip((normals * towards_eye).sum(axis=1), 0.0, 1.0)[:, None]
        key = np.clip(normals @ light * 0.75 + 0.25, 0.0, 1.0)[:, None]
        sky = (normals[:, 1:2] + 1.0) / 2.0
        near_floor = np.clip((vertices[:, 1:2] - self.floor) / 0.35, 0.0, 1.0)
        ambient = (0.30 + 0.24 * sky) * (0.72 + 0.28 * near_floor)
        half = light + towards_eye
        half /= np.linalg.norm(half, axis=1, keepdims=True)
        gloss = 0.10 * np.clip((normals * half).sum(axis=1), 0.0, 1.0)[:, None] ** 24
        lit = ambient * np.array([0.94, 0.98, 1.06]) + 0.66 * key * np.array([1.03, 1.0, 0.95])
        rim = 0.10 * (1.0 - facing) ** 3
        return colours * lit + gloss + rim


def _fill(picture: np.ndarray, points: np.ndarray, depths: np.ndarray, faces: np.ndarray, tones: np.ndarray) -> None:
    """Draw triangles with interpolated ``tones`` ``[V, 3]`` into ``picture``, antialiased."""
    height, width = picture.shape[:2]
    left, top = np.maximum(np.floor(points.min(axis=0)).astype(int) - 1, 0)
    right, bottom = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 1, (width, height))
    if right <= left or bottom <= top:
        return
    corners = (points[faces] - (left, top)) * SUPERSAMPLING  # [F, 3, 2]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    shown = np.flatnonzero(area < -1e-6)  # counter-clockwise outside; the screen's y points down
    shown = shown[np.argsort(-depths[faces[shown]].mean(axis=1), kind="stable")]
    size = ((right - left) * SUPERSAMPLING, (bottom - top) * SUPERSAMPLING)
    numbers = Image.new("I", size)
    polygon = ImageDraw.Draw(numbers).polygon
    # Pillow paints a pixel where its corner, not its middle, lies inside; half a pixel mends that.
    for face, corner in zip(shown.tolist(), (corners[shown].reshape(-1, 6) - 0.5).tolist(), strict=True):
        polygon(corner, fill=face + 1)
    buffer = np.asarray(numbers)
    covered = np.flatnonzero(buffer)
    face = buffer.ravel()[covered] - 1
    # Barycentric coordinates are linear on the screen: v = (v_x, v_y, v_0) . (x, y, 1), and so is w.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # flat triangles are not shown
        v_x, v_y, w_x, w_y = second[:, 1] / area, -second[:, 0] / area, -first[:, 1] / area, first[:, 0] / area
        origin = corners[:, 0] - 0.5
        v_0, w_0 = -(v_x * origin[:, 0] + v_y * origin[:, 1]), -(w_x * origin[:, 0] + w_y * origin[:, 1])
        planes = np.stack([v_x, v_y, v_0, w_x, w_y, w_0], axis=1).astype(np.float32)[face]
    rows, columns = np.divmod(covered, size[0])
    x, y = columns.astype(np.float32), rows.astype(np.float32)
    v = np.clip(planes[:, 0] * x + planes[:, 1] * y + planes[:, 2], 0.0, 1.0)
    w = np.clip(planes[:, 3] * x + planes[:, 4] * y + planes[:, 5], 0.0, 1.0 - v)
    three = tones.astype(np.float32)[faces]  # [F, 3 corners, rgb]
    three[:, 1:] -= three[:, :1]
    shade = three.reshape(-1, 9)[face]
    layer = np.zeros((size[1] * size[0], 4), np.float32)
    layer[covered, :3] = shade[:, :3] + shade[:, 3:6] * v[:, None] + shade[:, 6:] * w[:, None]
    layer[covered, 3] = 1.0
    layer = layer.reshape(size[1], size[0], 4)
    layer = layer[0::2, 0::2] + layer[0::2, 1::2] + layer[1::2, 0::2] + layer[1::2, 1::2]
    layer *= 0.25
    part = picture[top:bottom, left:right]
    part *= 1.0 - layer[..., 3:]
    part += layer[..., :3]


def _outline(person: Motion) -> np.ndarray:
    """Return joints and tips in the world, ``[T, K, 3]``."""
    return np.concatenate([person.joints, np.stack(list(person.ends.values()), axis=1)], axis=1)


def _held(values: np.ndarray, count: int) -> np.ndarray:
    """Repeat the last frame until there are ``count``."""
    return values[np.minimum(np.arange(count), len(values) - 1)]


def _smooth(path: np.ndarray, deviation: float) -> np.ndarray:
    """Gaussian smoothing over time ``[T, 3]``; the ends are extended by reflection through their points."""
    from scipy.ndimage import gaussian_filter1d

    pad = int(4 * deviation) + 1
    steps = np.minimum(np.arange(pad, 0, -1), len(path) - 1)
    before, after = 2 * path[0] - path[steps], 2 * path[-1] - path[len(path) - 1 - steps[::-1]]
    return gaussian_filter1d(np.concatenate([before, path, after]), deviation, axis=0)[pad : pad + len(path)]


def _facing(people: tuple[Motion, ...]) -> float:
    """Return the heading that most frames look along; two people who face each other are seen from the side."""
    if len(people) > 1:
        between = people[1].joints[:, 0, [0, 2]].mean(axis=0) - people[0].joints[:, 0, [0, 2]].mean(axis=0)
        if np.linalg.norm(between) > 0.3:
            return float(np.arctan2(between[0], between[1])) + np.pi / 2 - np.radians(20.0)
    ahead = np.concatenate([rot.rotate(p.world_rotations[:, 0], np.array([0.0, 0.0, 1.0]))[:, [0, 2]] for p in people])
    middle = ahead.mean(axis=0)
    if np.linalg.norm(middle) < 0.2:  # turns round and round: start where the clip starts
        middle = ahead[0]
    return float(np.arctan2(middle[0], middle[1]))


def _floor_under(people: tuple[Motion, ...]) -> float:
    floor = min(floor_height(person) for person in people)
    return 0.0 if abs(floor) < FLOOR_SLACK else floor
