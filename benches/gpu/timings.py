"""What is timed on a GPU: serving, uploads, lanes, and how far copies and computation overlap."""

import io
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import onnx_models
import torch
from checks import NORMALISE
from overlap import STEPS, chrome, overlap
from PIL import Image
from resnet import resnet50

from comptoir import executor

CUDA = torch.device("cuda", 0)
SIZE = 224
BATCH = executor.Batch(max_size=64, preferred=(8, 16, 32, 64))


def net():
    """ResNet-50 in half precision; random weights, which take the same time."""
    torch.manual_seed(7)
    return resnet50().eval().to(CUDA).half().to(memory_format=torch.channels_last)


def function(model):
    return lambda batch: model(batch.contiguous(memory_format=torch.channels_last))


def photos():
    """JPEG files of 640x480 that look like photos to a decoder."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:480, 0:640]
    files = []
    for _ in range(16):
        waves = [127 + 90 * np.sin(x / rng.uniform(9, 60) + y / rng.uniform(9, 60)) for _ in range(3)]
        noisy = np.clip(np.stack(waves, -1) + rng.normal(0, 12, (480, 640, 3)), 0, 255).astype("uint8")
        file = io.BytesIO()
        Image.fromarray(noisy).save(file, "JPEG", quality=90)
        files.append(file.getvalue())
    return files


class Utilisation:
    """Samples of nvidia-smi while something runs: per cent of time in which a kernel ran."""

    def __enter__(self):
        command = [
            "nvidia-smi",
            "-i",
            "0",
            "--query-gpu=utilization.gpu",
            "--format=csv,noheader,nounits",
            "-lms",
            "200",
        ]
        try:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        except OSError:
            self.process = None
        return self

    def __exit__(self, *_):
        self.percent = None
        if self.process:
            self.process.terminate()
            found = [int(one) for one in self.process.communicate()[0].split() if one.isdigit()]
            # The first and last samples reach beyond the run.
            self.percent = statistics.mean(found[2:-1]) if len(found) > 3 else None


def timed(seconds, work):
    """Run `work(until)`, which gives the requests done, and say how many a second and how busy the device was."""
    work(time.perf_counter() + min(1.0, seconds / 3))
    with Utilisation() as used:
        started = time.perf_counter()
        done = work(started + seconds)
        took = time.perf_counter() - started
    return {"requests/s": done / took, "device % (nvidia-smi)": used.percent}


def plain(model, to_row, items):
    """One request after the other, as a loop in a server does it."""

    def work(until):
        done = 0
        with torch.inference_mode():
            while time.perf_counter() < until:
                row = torch.from_numpy(to_row(items[done % len(items)]))[None].to(CUDA).half()
                int(model(row.contiguous(memory_format=torch.channels_last)).argmax())
                done += 1
        return done

    return work


def threaded(model, to_row, items, count=16):
    """The same on threads with a lock around the device."""
    lock = threading.Lock()

    def locked(row):
        with lock:
            return model(row)

    def work(until):
        done = []
        one = plain(locked, to_row, items)
        running = [threading.Thread(target=lambda: done.append(one(until))) for _ in range(count)]
        [thread.start() for thread in running]
        [thread.join() for thread in running]
        return sum(done)

    return work


def piped(pipe, items, window=512):
    """As many requests under way as a busy service has."""

    def work(until):
        def stream():
            at = 0
            while time.perf_counter() < until:
                yield items[at % len(items)]
                at += 1

        return sum(1 for _ in pipe.map(stream(), window=window))

    return work


def cuda_model(model, **settings):
    return executor.CudaModel(function(model), **NORMALISE, trace_events=30_000, **settings)


def pillow(file):
    image = Image.open(io.BytesIO(file)).convert("RGB").resize((SIZE, SIZE), Image.BILINEAR)
    row = np.asarray(image, "float32") * np.float32(NORMALISE["scale"])
    row = (row - np.array(NORMALISE["mean"], "float32")) / np.array(NORMALISE["std"], "float32")
    return np.ascontiguousarray(row.transpose(2, 0, 1))


def serving(arguments):
    """ResNet-50 on JPEG files: a plain loop, threads with a lock, and the pipeline with 1, 2 and 3 lanes."""
    model, files = net(), photos()
    native = executor.ImageTransform(SIZE, SIZE, **NORMALISE)
    pixels = executor.ImageTransform(SIZE, SIZE, dtype="uint8", layout="nhwc")
    rows = {
        "plain loop, Pillow": timed(arguments.seconds, plain(model, pillow, files)),
        "plain loop, native preprocessing": timed(arguments.seconds, plain(model, native, files)),
        "16 threads and a lock, native preprocessing": timed(
            arguments.seconds, threaded(model, native, files)
        ),
    }
    for depth in (1, 2, 3):
        on_device = cuda_model(model)
        with executor.Pipeline(
            preprocess=pixels, model=on_device, postprocess=np.argmax, batch=BATCH, depth=depth
        ) as pipe:
            rows[f"pipeline, {depth} lanes"] = timed(arguments.seconds, piped(pipe, files))
            stats = pipe.stats()["models"][0]
            rows[f"pipeline, {depth} lanes"]["mean batch"] = stats["rows"] / max(stats["batches"], 1)
    base = rows["plain loop, Pillow"]["requests/s"]
    for row in rows.values():
        row["times the plain loop"] = row["requests/s"] / base
    return {"rows": rows, "cores": os.cpu_count()}


def lanes(arguments):
    """The device alone: pixels that are decoded already, 1, 2 and 3 lanes, and how far their steps overlap."""
    model = net()
    pictures = list(np.random.default_rng(7).integers(0, 256, (64, SIZE, SIZE, 3), "uint8"))
    rows, timeline = {}, []
    for depth in (1, 2, 3):
        on_device = cuda_model(model)
        with executor.Pipeline(model=on_device, postprocess=np.argmax, batch=BATCH, depth=depth) as pipe:
            rows[f"{depth} lanes"] = timed(arguments.seconds, piped(pipe, pictures))
        timeline = on_device.timeline()
        rows[f"{depth} lanes"].update(overlap(timeline))
    (arguments.out / "gpu-timeline.json").write_text(json.dumps(chrome(timeline[-600:])))
    return {"rows": rows, "timeline": "gpu-timeline.json, of 3 lanes"}


def uploads(arguments):
    """A batch of 32 to the device as normalised half-precision planes: bytes and our kernel, beside 32-bit floats."""
    count = 32
    pictures = np.random.default_rng(7).integers(0, 256, (count, SIZE, SIZE, 3), "uint8")
    floats = torch.from_numpy(np.stack([pillow_of(picture) for picture in pictures]))
    ways = {"float32, pageable": floats, "float32, page-locked": floats.pin_memory()}
    rows = {}
    for name, source in ways.items():
        took = []
        for _ in range(200):
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            source.to(CUDA, non_blocking=True).half()
            end.record()
            end.synchronize()
            took.append(start.elapsed_time(end))
        rows[name] = {"ms for 32": statistics.median(took[20:]), "bytes": source.numel() * 4}
    model = executor.CudaModel(lambda batch: batch[:, :, 0, 0], **NORMALISE, trace_events=30_000)
    with executor.Pipeline(
        model=model, batch=executor.Batch(max_size=count, min_size=count, max_delay_ms=100)
    ) as pipe:
        for _ in range(max(50, int(arguments.seconds * 20))):
            list(pipe.map(pictures, window=count))
    steps = [step for step in model.timeline() if step.rows == count][60:]
    took = {name: statistics.median(s.end_ms - s.start_ms for s in steps if s.step == name) for name in STEPS}
    rows["uint8, page-locked, normalised on the device"] = {
        "ms for 32": took["copy_in"] + took["compute"],
        "bytes": pictures.nbytes,
    }
    return {"rows": rows, "of it normalisation and the sample, ms": took["compute"]}


def pillow_of(picture):
    row = picture.astype("float32") * np.float32(NORMALISE["scale"])
    row = (row - np.array(NORMALISE["mean"], "float32")) / np.array(NORMALISE["std"], "float32")
    return np.ascontiguousarray(row.transpose(2, 0, 1))


def onnx_ways(path, depth):
    """Models in ONNX with what is sent to them: copied by ONNX Runtime, and bound to the memory of a lane."""
    pictures = list(np.random.default_rng(7).integers(0, 256, (64, SIZE, SIZE, 3), "uint8"))
    planes = [pillow_of(picture).astype("float16") for picture in pictures]
    bound = {"providers": onnx_models.PROVIDERS, "trace_events": 30_000}
    return {
        f"own copies of planes, {depth} lanes": (
            executor.OnnxModel(path, providers=onnx_models.PROVIDERS),
            planes,
        ),
        f"bound, the same planes, {depth} lanes": (executor.CudaModel.onnx(path, **bound), planes),
        f"bound, pictures as bytes, {depth} lanes": (
            executor.CudaModel.onnx(path, **bound, **NORMALISE),
            pictures,
        ),
    }


def onnx_lanes(arguments):
    """ResNet-50 in half precision as ONNX on CUDA: by its own copies, and bound to the memory of 1, 2 and 3 lanes."""
    lacks = onnx_models.lacking()
    if lacks:
        return {"left out": lacks}
    rows = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "resnet50.onnx"
        example = torch.zeros((1, 3, SIZE, SIZE), dtype=torch.float16, device=CUDA)
        torch.onnx.export(
            resnet50().eval().to(CUDA).half(),
            (example,),
            str(path),
            input_names=["x"],
            output_names=["y"],
            dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
            dynamo=False,
        )
        for depth in (1, 2, 3):
            for name, (model, items) in onnx_ways(path, depth).items():
                with executor.Pipeline(model=model, postprocess=np.argmax, batch=BATCH, depth=depth) as pipe:
                    rows[name] = timed(arguments.seconds, piped(pipe, items))
                if isinstance(model, executor.CudaModel):
                    rows[name].update(overlap(model.timeline()))
    return {"rows": rows}


def two_models(arguments):
    """Two models in one process on one device, with weights 3 and 1: the shares of the device that they get."""
    pictures = list(np.random.default_rng(7).integers(0, 256, (64, SIZE, SIZE, 3), "uint8"))
    batch = executor.Batch(max_size=16)
    models = {
        name: executor.Model(cuda_model(net()), postprocess=np.argmax, weight=weight)
        for name, weight in (("heavy", 3), ("light", 1))
    }
    done = {}
    with executor.Pipeline(models=models, batch=batch, depth=2, queue=4096) as pipe:

        def client(name, until):
            def stream():
                at = 0
                while time.perf_counter() < until:
                    yield pictures[at % 64]
                    at += 1

            done[name] = sum(1 for _ in pipe.map(stream(), window=256, model=name))

        until = time.perf_counter() + arguments.seconds
        running = [threading.Thread(target=client, args=(name, until)) for name in models]
        [thread.start() for thread in running]
        [thread.join() for thread in running]
    rows = {name: {"requests/s": count / arguments.seconds} for name, count in done.items()}
    return {"rows": rows, "heavy for one light": done["heavy"] / max(done["light"], 1)}


TIMINGS = {
    "time: ResNet-50 in half precision behind JPEG files": serving,
    "time: lanes 1, 2, 3 and their overlap": lanes,
    "time: uploads": uploads,
    "time: ONNX by its own copies and bound to lanes": onnx_lanes,
    "time: two models by weight": two_models,
}
