"""Execute the notebook anew and store its outputs: needs `pip install nbclient ipykernel`."""

import re
from pathlib import Path

import nbclient
import nbformat

NOTEBOOK = Path(__file__).with_name("c_lightning.ipynb")


def main() -> None:
    """Run every cell; of warnings keep the words, without the place in this installation."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        cell.metadata = {}
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            if output["output_type"] == "stream":
                output["text"] = re.sub(r"(?m)^\S+\.py:\d+: |^  .*\n", "", output["text"])
    notebook.metadata.pop("language_info", None)
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main()
