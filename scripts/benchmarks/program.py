"""`pulumi preview` of a stack, with the project's program run in this process: python -m ... FOLDER STACK

The stand-in for the Python language host, which the tests have not: the engine is given the address of the SDK's own
host for inline programs, that of the Automation API. The rest of that API, which starts the CLI three times and reads
its events, would cost the engine time that `pulumi preview` does not take.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2_grpc


def main(folder: str, stack: str) -> int:
    os.chdir(folder)
    sys.path.insert(0, folder)

    def program() -> None:
        runpy.run_path(folder, run_name="__main__")

    server = grpc.server(ThreadPoolExecutor(4), options=_GRPC_CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageServer(program), server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    command = ["pulumi", "preview", "--stack", stack, "--non-interactive", "--exec-kind", "auto.inline"]
    done = subprocess.run([*command, f"--client={address}"], check=False)
    server.stop(0)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
