"""The job behind mosec: a process for each core before the device, one process for the device."""

from mosec import Runtime, Server, Worker

from serving_ways import job

# What a batch waits for more rows, in ms: of 1, 5 and 10, mosec passes the most requests with 1.
WAIT = 1


class Preprocess(Worker):
    """Bytes to a row."""

    def deserialize(self, data):
        return data

    def forward(self, data):
        return job.preprocess(data)


class Device(Worker):
    """Rows to results."""

    def forward(self, data):
        import numpy as np

        return [job.postprocess(row) for row in job.device(np.stack(data))]

    def serialize(self, data):
        return str(data).encode()


if __name__ == "__main__":
    server = Server()
    server.register_runtime(
        {
            "/inference": [
                Runtime(Preprocess, num=job.CORES, timeout=20),
                Runtime(Device, num=1, max_batch_size=job.MAX_BATCH, max_wait_time=WAIT, timeout=20),
            ]
        }
    )
    server.run()
