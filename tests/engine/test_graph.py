"""The embedded preview is the engine's graph for any valid spec, not for the examples alone."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings

from components.spec import Spec
from isostack.preview import preview
from isostack.stacks import find_project
from tests.configs import scratch
from tests.engine import RECORDER, Engine
from tests.engine.graph import differences
from tests.specs import specs


# Without shrinking: each case makes three stacks, and the difference names its resource anyway.
@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(spec=specs())
def test_generated_specs(tools: list[str], spec: Spec) -> None:
    with TemporaryDirectory() as folder:
        root, work = Path(folder) / "project", Path(folder) / "engine"
        root.mkdir()
        work.mkdir()
        stacks = scratch(root).add(spec)
        with Engine(work, tools, root).attached() as engine:
            for stack in stacks:
                engine.init(stack)
                engine.pin(stack)
                project = find_project(root)
                (embedded,) = preview(project.root, [project.stack(stack)])
                assert engine.run("up", stack, [RECORDER]).error == ""
                assert sorted(differences(embedded, engine.state(stack), engine.options())) == []
