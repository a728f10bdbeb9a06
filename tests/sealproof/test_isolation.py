"""The verifier needs Python and nothing else."""

import subprocess
import sys
from pathlib import Path

import sealproof

PACKAGE = Path(sealproof.__file__).parent
MODULES = sorted(f"sealproof.{path.stem}" for path in PACKAGE.glob("*.py") if not path.stem.startswith("__"))

PROGRAM = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)
from sealproof import merkle
leaf = merkle.leaf_hash(b"x")
merkle.check_inclusion(leaf, 0, 1, [], merkle.root_of([leaf]))
loaded = {name.partition(".")[0] for name in sys.modules}
foreign = loaded - sys.stdlib_module_names - {"sealproof", "__main__"}
print(sorted(foreign))
"""


def test_every_module_imports_and_works_without_site_packages() -> None:
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", PROGRAM, str(PACKAGE.parent), *MODULES]

    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "[]\n"
