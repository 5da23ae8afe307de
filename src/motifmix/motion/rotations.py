"""Quaternion algebra on numpy arrays: unit quaternions ``xyzw``, any leading shape.

scipy's ``Rotation`` does the conversions that have special cases (matrices, Euler angles, rotation vectors); the few
products that run over whole clips with broadcasting are written out, because ``Rotation`` keeps one flat axis.
"""

import numpy as np
from scipy.spatial.transform import Rotation

IDENTITY = np.array([0.0, 0.0, 0.0, 1.0])


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the rotation that applies ``b`` first, then ``a``; both ``[..., 4]``, broadcast."""
    (ax, ay, az, aw), (bx, by, bz, bw) = _components(a), _components(b)
    return np.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        axis=-1,
    )


def inverse(q: np.ndarray) -> np.ndarray:
    """Return the conjugate, the inverse of a unit quaternion ``[..., 4]``."""
    return np.asarray(q) * np.array([-1.0, -1.0, -1.0, 1.0])


def rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Rotate vectors ``[..., 3]`` by quaternions ``[..., 4]``, broadcast."""
    (qx, qy, qz, w), (x, y, z) = _components(q), _components(v)
    # v + 2 w (axis x v) + 2 axis x (axis x v), written out: np.cross spends more on moving axes than on numbers.
    a, b, c = 2.0 * (qy * z - qz * y), 2.0 * (qz * x - qx * z), 2.0 * (qx * y - qy * x)
    return np.stack(
        [x + w * a + (qy * c - qz * b), y + w * b + (qz * a - qx * c), z + w * c + (qx * b - qy * a)], axis=-1
    )


def normalized(q: np.ndarray) -> np.ndarray:
    """Scale to unit length."""
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def continuous(q: np.ndarray) -> np.ndarray:
    """Choose signs along the first axis so that neighbours lie on one side: ``[T, ..., 4]``."""
    q = np.array(q, copy=True)
    if len(q) < 2:
        return q
    flips = np.where((q[1:] * q[:-1]).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    q[1:] *= np.cumprod(flips, axis=0)
    return q


def to_matrix(q: np.ndarray) -> np.ndarray:
    """``[..., 4]`` to rotation matrices ``[..., 3, 3]``."""
    q = np.asarray(q, dtype=np.float64)
    return Rotation.from_quat(q.reshape(-1, 4)).as_matrix().reshape(*q.shape[:-1], 3, 3)


def from_matrix(m: np.ndarray) -> np.ndarray:
    """Rotation matrices ``[..., 3, 3]`` to ``[..., 4]``."""
    m = np.asarray(m, dtype=np.float64)
    return Rotation.from_matrix(m.reshape(-1, 3, 3)).as_quat().reshape(*m.shape[:-2], 4)


def from_euler(order: str, angles: np.ndarray, *, degrees: bool = True) -> np.ndarray:
    """Intrinsic Euler angles (``"ZXY"``: R = Rz Rx Ry, as BVH writes them) ``[..., len(order)]`` to ``[..., 4]``."""
    angles = np.asarray(angles, dtype=np.float64)
    shape = angles.shape[:-1]
    return Rotation.from_euler(order, angles.reshape(-1, len(order)), degrees=degrees).as_quat().reshape(*shape, 4)


def to_euler(order: str, q: np.ndarray, *, degrees: bool = True) -> np.ndarray:
    """Return intrinsic Euler angles ``[..., 3]``; at gimbal lock the third angle is zero (any split is the same)."""
    import warnings

    q = np.asarray(q, dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        angles = Rotation.from_quat(q.reshape(-1, 4)).as_euler(order, degrees=degrees)
    return angles.reshape(*q.shape[:-1], 3)


def to_rotvec(q: np.ndarray) -> np.ndarray:
    """``[..., 4]`` to rotation vectors ``[..., 3]`` in radians."""
    q = np.asarray(q, dtype=np.float64)
    return Rotation.from_quat(q.reshape(-1, 4)).as_rotvec().reshape(*q.shape[:-1], 3)


def from_rotvec(v: np.ndarray) -> np.ndarray:
    """Rotation vectors ``[..., 3]`` in radians to ``[..., 4]``."""
    v = np.asarray(v, dtype=np.float64)
    return Rotation.from_rotvec(v.reshape(-1, 3)).as_quat().reshape(*v.shape[:-1], 4)


def to_six_d(q: np.ndarray) -> np.ndarray:
    """``[..., 4]`` to the first two *columns* of the matrix, ``[..., 6]`` (Zhou et al. 2019)."""
    m = to_matrix(q)
    return np.concatenate([m[..., :, 0], m[..., :, 1]], axis=-1)


def from_six_d(d: np.ndarray) -> np.ndarray:
    """Gram-Schmidt of two columns ``[..., 6]`` to ``[..., 4]``; degenerate input falls back to fixed axes."""
    d = np.asarray(d, dtype=np.float64)
    a, b = d[..., :3], d[..., 3:]
    x = _unit(a, np.array([1.0, 0.0, 0.0]))
    y = b - (x * b).sum(-1, keepdims=True) * x
    fallback = np.where(np.abs(x[..., 1:2]) < 0.9, np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    y = _unit(y, fallback - (x * fallback).sum(-1, keepdims=True) * x)
    y = _unit(y, fallback)
    return from_matrix(np.stack([x, y, np.cross(x, y)], axis=-1))


def slerp(a: np.ndarray, b: np.ndarray, weight: np.ndarray | float) -> np.ndarray:
    """Go from ``a`` (weight 0) to ``b`` (weight 1) on the shorter arc; ``[..., 4]``, ``weight`` broadcast to ``[...]``."""
    weight = np.asarray(weight, dtype=np.float64)[..., None]
    dot = (a * b).sum(-1, keepdims=True)
    b = np.where(dot < 0, -b, b)
    dot = np.clip(np.abs(dot), 0.0, 1.0)
    angle = np.arccos(dot)
    sine = np.sin(angle)
    near = sine < 1e-6
    safe = np.where(near, 1.0, sine)
    left = np.where(near, 1.0 - weight, np.sin((1.0 - weight) * angle) / safe)
    right = np.where(near, weight, np.sin(weight * angle) / safe)
    return normalized(left * a + right * b)


def shortest_arc(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the smallest rotation that turns direction ``a`` into direction ``b``; both ``[..., 3]``, any length > 0."""
    a = _unit(np.asarray(a, dtype=np.float64), np.array([1.0, 0.0, 0.0]))
    b = _unit(np.asarray(b, dtype=np.float64), np.array([1.0, 0.0, 0.0]))
    a, b = np.broadcast_arrays(a, b)
    w = 1.0 + (a * b).sum(-1, keepdims=True)
    axis = np.cross(a, b)
    other = np.where(np.abs(a[..., :1]) < 0.9, np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    opposite = w < 1e-9
    axis = np.where(opposite, np.cross(a, other), axis)
    return normalized(np.concatenate([axis, np.where(opposite, 0.0, w)], axis=-1))


def about_y(angle: np.ndarray | float) -> np.ndarray:
    """Rotation about the vertical by ``angle`` radians ``[...]``: positive turns +Z (ahead) towards +X (left)."""
    half = np.asarray(angle, dtype=np.float64) / 2.0
    zero = np.zeros_like(half)
    return np.stack([zero, np.sin(half), zero, np.cos(half)], axis=-1)


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle of the rotation from ``a`` to ``b`` in radians, ``[...]``."""
    relative = multiply(inverse(a), b)
    return 2.0 * np.arctan2(np.linalg.norm(relative[..., :3], axis=-1), np.abs(relative[..., 3]))


def fit_rotation(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the rotation ``[4]`` that best turns the directions ``source`` ``[N, 3]`` into ``target`` (Kabsch)."""
    u, _, vt = np.linalg.svd(np.asarray(target).T @ np.asarray(source))
    sign = np.sign(np.linalg.det(u @ vt))
    return from_matrix(u @ np.diag([1.0, 1.0, sign]) @ vt)


def _components(values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return what stands along the last axis; ``np.moveaxis`` would take longer than a product of one frame."""
    values = np.asarray(values)
    return tuple(values[..., number] for number in range(values.shape[-1]))


def _unit(v: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    return np.where(length < 1e-9, np.broadcast_to(fallback, v.shape), v / np.where(length < 1e-9, 1.0, length))
