"""The job behind LitServe, which prepares rows, runs the device and reads results in one process, one after the other."""

import argparse
import base64

import litserve
import numpy as np

from serving_ways import job


class Api(litserve.LitAPI):
    """The job as LitServe splits it."""

    def setup(self, device):
        pass

    def decode_request(self, request):
        return job.preprocess(base64.b64decode(request["image"]))

    def batch(self, inputs):
        return np.stack(inputs)

    def unbatch(self, output):
        return output

    def predict(self, x):
        return [job.postprocess(row) for row in job.device(x)]

    def encode_response(self, output):
        return output


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    port = arguments.parse_args().port
    # One worker: a second one would be a second device.
    server = litserve.LitServer(
        Api(max_batch_size=job.MAX_BATCH, batch_timeout=0.005, api_path="/inference"), accelerator="cpu"
    )
    server.run(port=port, generate_client_file=False, log_level="warning")
