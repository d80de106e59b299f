"""Run docs/testing.md word for word, and find ten planted bugs, with this Python.

Called by a test, and by itself where nothing but the wheel, pytest, numpy and torch is installed:
``python check.py FOLDER``, in an empty folder, which it fills. Needs the standard library alone.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
GUIDE = HERE.parent.parent / "docs" / "testing.md"
BUGS = HERE.parent / "bugs"
MARK = re.compile(
    r"^<!-- (file|run|says)(?:: (\S+))? -->\n```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE
)
PLUGIN = ("-p", "agnostic_mask.conformance.plugin")


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the guide, or one that a failure printed, by this Python."""
    words = shlex.split(command)
    assert words[0] == "python", command
    return subprocess.run(
        [sys.executable, *words[1:]], cwd=folder, capture_output=True, text=True, env=_plain()
    )


def _plain() -> dict[str, str]:
    # What a run of pytest around this one says is not for those within.
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV_"))}


def follow_the_guide(folder: Path) -> None:
    """Write its files and run its commands, in order; each must end as the guide says."""
    said = ""
    blocks = MARK.findall(GUIDE.read_text(encoding="utf-8"))
    assert len(blocks) > 8, "the guide has lost its blocks"
    for kind, what, text in blocks:
        if kind == "file":
            (folder / what).write_text(text, encoding="utf-8")
        elif kind == "says":
            assert text.strip() in said, f"the guide says {text!r}; got:\n{said}"
        else:
            done = run(text.strip(), folder)
            said = done.stdout + done.stderr
            assert (done.returncode == 0) == (what == "passes"), f"{text}\n{said}"


def find_the_bugs(folder: Path) -> None:
    """Every planted bug breaks the law that it is for, and the printed command shows it alone."""
    for file in BUGS.glob("*.py"):
        shutil.copy(file, folder)
    options = ["--am-backends", "numpy,torch", "--am-json", "bugs.json"]
    done = run(
        shlex.join(["python", "-m", "pytest", "-q", *PLUGIN, *options, "test_bugs.py"]), folder
    )
    assert done.returncode == 1, done.stdout + done.stderr
    rows = json.loads((folder / "bugs.json").read_text(encoding="utf-8"))["rows"]
    expected = dict(
        re.findall(r"^# (\w+): (\w+)$", (BUGS / "test_bugs.py").read_text(), re.MULTILINE)
    )
    assert len(expected) == 10, expected
    for case, law in expected.items():
        failed = [r for r in rows if r["case"] == case and r["outcome"] == "failed"]
        broken = [r for r in failed if r["law"] == law]
        assert broken, (
            f"{case} does not break {law}; it breaks {sorted({r['law'] for r in failed})}"
        )
        again = run(broken[0]["command"], folder)
        text = again.stdout + again.stderr
        assert again.returncode == 1, text
        assert "1 failed" in text, text
        assert f"{law} does not hold for {case}" in text, text
        right = [r for r in rows if r["case"] == f"{case}_mended"]
        assert right, f"{case} has no mended twin"
        wrong = [r for r in right if r["outcome"] not in ("passed", "not applicable")]
        assert not wrong, wrong[0]
        print(f"{case}: {law}: {broken[0]['reason'].splitlines()[0]}")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    if any(target.iterdir()):
        sys.exit(f"{target} is not empty")
    follow_the_guide(target)
    find_the_bugs(target)
